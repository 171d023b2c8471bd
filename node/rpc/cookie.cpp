#include "node/rpc/cookie.hpp"

#include "chain/base/bytes.hpp"
#include "node/setup/files.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace gradient::node {

namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxCookieBytes = 256;
constexpr std::string_view kScheme = "basic ";

}  // namespace

std::string base64(std::span<const std::uint8_t> bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a zero
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) throw std::invalid_argument("base64 text of a wrong length");
    std::string bytes(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) throw std::invalid_argument("text that is not base64");
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

Cookie::Cookie(std::string credentials)
    : credentials_(std::move(credentials)), encoded_(base64(chain::as_bytes(credentials_))) {}

Cookie Cookie::create(const std::filesystem::path& file) {
    std::array<std::uint8_t, kSecretBytes> secret{};
    if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
        throw Failure(ExitCode::failure, "The system's random number generator failed.");
    }
    Cookie cookie("gradient:" + chain::to_hex(secret));
    write_file_atomically(file, cookie.credentials_, 0600);
    return cookie;
}

Cookie Cookie::read(const std::filesystem::path& file) {
    return Cookie(read_file(file, kMaxCookieBytes, ExitCode::network));
}

std::string Cookie::authorization() const {
    return "Basic " + encoded_;
}

bool Cookie::accepts(std::string_view header) const noexcept {
    if (header.size() != kScheme.size() + encoded_.size()) return false;
    const bool scheme_fits =
        std::equal(kScheme.begin(), kScheme.end(), header.begin(), [](char a, char b) {
            return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
        });
    return scheme_fits &&
           CRYPTO_memcmp(header.data() + kScheme.size(), encoded_.data(), encoded_.size()) == 0;
}

}  // namespace gradient::node
