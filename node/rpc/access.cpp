#include "node/rpc/access.hpp"

#include "chain/base/bytes.hpp"
#include "node/setup/failure.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <utility>

namespace gradient::node {

namespace {

constexpr std::size_t kPasswordBytes = 32;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxSaltBytes = 128;
constexpr std::string_view kScheme = "basic ";
constexpr std::string_view kCookieName = "gradient";

using Hash = std::array<std::uint8_t, RpcUser::kHashBytes>;

Hash hash_of(std::string_view salt, std::string_view password) {
    Hash hash{};
    unsigned int size = 0;
    if (HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()),
             reinterpret_cast<const unsigned char*>(password.data()), password.size(), hash.data(),
             &size) == nullptr ||
        size != hash.size())
        throw Failure(ExitCode::failure, "OpenSSL can't compute HMAC-SHA256.");
    return hash;
}

std::string random_hex(std::size_t bytes) {
    chain::Bytes drawn(bytes);
    if (RAND_bytes(drawn.data(), static_cast<int>(drawn.size())) != 1)
        throw Failure(ExitCode::failure, "The system's random number generator failed.");
    return chain::to_hex(drawn);
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxNameBytes && name != kCookieName &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                      c == '.';
           });
}

Failure wrong_name(std::string_view name) {
    return {ExitCode::usage,
            fmt::format("\"{}\" can't be a user of the RPC: a name has 1 to {} letters, digits, "
                        "'_', '-' or '.', and is not \"{}\".",
                        name, kMaxNameBytes, kCookieName)};
}

// User and password of a header; two empty ones if it holds none.
std::pair<std::string, std::string> credentials_of(std::string_view header) {
    if (header.size() < kScheme.size()) return {};
    const bool is_basic =
        std::equal(kScheme.begin(), kScheme.end(), header.begin(), [](char a, char b) {
            return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
        });
    if (!is_basic) return {};
    try {
        const std::string text = base64_decode(header.substr(kScheme.size()));
        const auto colon = text.find(':');
        if (colon == std::string::npos) return {};
        return {text.substr(0, colon), text.substr(colon + 1)};
    } catch (const std::invalid_argument&) {
        return {};
    }
}

}  // namespace

RpcUser parse_rpc_user(const std::string& text) {
    const auto first = text.find(':');
    const auto second = first == std::string::npos ? first : text.find(':', first + 1);
    const auto dollar = second == std::string::npos ? second : text.find('$', second + 1);
    if (dollar == std::string::npos) {
        throw Failure(ExitCode::usage,
                      "A setting rpc-user is not NAME:PERMISSION:SALT$HASH: `gradient rpc-user "
                      "NAME` prints such a line (within a shell, quote it).");
    }
    RpcUser user;
    user.name = text.substr(0, first);
    if (!is_name(user.name)) throw wrong_name(user.name);
    const auto permission = parse_permission(text.substr(first + 1, second - first - 1));
    if (!permission) {
        throw Failure(ExitCode::usage, fmt::format("The permission of the RPC's user {} must be "
                                                   "read, submit or control.",
                                                   user.name));
    }
    user.permission = *permission;
    user.salt = text.substr(second + 1, dollar - second - 1);
    if (user.salt.empty() || user.salt.size() > kMaxSaltBytes ||
        !chain::from_hex(text.substr(dollar + 1), user.hash)) {
        throw Failure(ExitCode::usage,
                      fmt::format("The RPC's user {} needs a salt and a hash of 64 hexadecimal "
                                  "digits: `gradient rpc-user {}` draws new ones.",
                                  user.name, user.name));
    }
    return user;
}

NewRpcUser make_rpc_user(const std::string& name, RpcPermission permission) {
    if (!is_name(name)) throw wrong_name(name);
    NewRpcUser made;
    made.password = random_hex(kPasswordBytes);
    const std::string salt = random_hex(kSaltBytes);
    made.line = fmt::format("{}:{}:{}${}", name, permission_name(permission), salt,
                            chain::to_hex(hash_of(salt, made.password)));
    return made;
}

Access::Access(Cookie cookie, std::vector<RpcUser> users)
    : cookie_(std::move(cookie)), users_(std::move(users)) {
    for (auto each = users_.begin(); each != users_.end(); ++each) {
        if (std::any_of(users_.begin(), each,
                        [&](const RpcUser& other) { return other.name == each->name; }))
            throw Failure(ExitCode::usage,
                          fmt::format("The RPC has two users called {}.", each->name));
    }
}

std::optional<RpcCaller> Access::authenticate(std::string_view header) const {
    if (cookie_.accepts(header))
        return RpcCaller{std::string(kCookieName), RpcPermission::control, nullptr};
    const auto [name, password] = credentials_of(header);
    std::optional<RpcCaller> caller;
    for (const RpcUser& user : users_) {  // all of them, whoever it is
        const Hash hash = hash_of(user.salt, password);
        const bool is_right = CRYPTO_memcmp(hash.data(), user.hash.data(), hash.size()) == 0;
        if (is_right && user.name == name) caller = RpcCaller{name, user.permission, nullptr};
    }
    return caller;
}

}  // namespace gradient::node
