#include "tools/wallet/sealed_key.hpp"

#include "chain/base/hash.hpp"
#include "chain/crypto/address.hpp"
#include "chain/crypto/bech32m.hpp"

#include <boost/json.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <bit>
#include <limits>
#include <memory>
#include <optional>

namespace gradient::wallet {

namespace {

using chain::Bytes;
using chain::ByteSpan;
using chain::fail;
using chain::Result;

constexpr std::string_view kFormat = "gradient wallet key";
constexpr std::string_view kKdf = "scrypt";
constexpr std::string_view kCipher = "aes-256-gcm";

/// Bytes that are wiped when they go.
template <std::size_t kSize>
struct Secret {
    std::array<std::uint8_t, kSize> bytes{};

    Secret() = default;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};
using CipherKey = Secret<32>;
using Seed = Secret<chain::SecretKey::kSeedSize>;

struct ContextDeleter {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

bool derive_key(const SealedKey& sealed, std::string_view passphrase, CipherKey& key) noexcept {
    constexpr std::uint64_t kRoomBytes = 1U << 20U;  // what scrypt needs beside its large table
    return EVP_PBE_scrypt(passphrase.data(), passphrase.size(), sealed.salt.data(),
                          sealed.salt.size(), sealed.cost.n, sealed.cost.r, sealed.cost.p,
                          ScryptCost::kMaxMemoryBytes + kRoomBytes, key.bytes.data(),
                          key.bytes.size()) == 1;
}

Bytes associated_data(const SealedKey& sealed) {
    chain::Writer writer;
    chain::encode_into(writer, sealed.version);
    writer.append(chain::as_bytes(sealed.address));
    return std::move(writer).take();
}

constexpr int kSeedLength = static_cast<int>(chain::SecretKey::kSeedSize);

bool encrypt(SealedKey& sealed, const CipherKey& key, const chain::SecretKey& secret) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    const Bytes data = associated_data(sealed);
    int length = 0;
    return context != nullptr &&
           EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(),
                              sealed.nonce.data()) == 1 &&
           EVP_EncryptUpdate(context.get(), nullptr, &length, data.data(),
                             static_cast<int>(data.size())) == 1 &&
           EVP_EncryptUpdate(context.get(), sealed.ciphertext.data(), &length, secret.seed().data(),
                             kSeedLength) == 1 &&
           EVP_EncryptFinal_ex(context.get(), sealed.ciphertext.data() + length, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG,
                               static_cast<int>(sealed.tag.size()), sealed.tag.data()) == 1;
}

/// False if the tag is wrong (or memory runs out); then `seed` means nothing.
bool decrypt(const SealedKey& sealed, const CipherKey& key, Seed& seed) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    const Bytes data = associated_data(sealed);
    auto tag = sealed.tag;  // OpenSSL takes it by a pointer to non-const
    int length = 0;
    return context != nullptr &&
           EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(),
                              sealed.nonce.data()) == 1 &&
           EVP_DecryptUpdate(context.get(), nullptr, &length, data.data(),
                             static_cast<int>(data.size())) == 1 &&
           EVP_DecryptUpdate(context.get(), seed.bytes.data(), &length, sealed.ciphertext.data(),
                             kSeedLength) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag.size()),
                               tag.data()) == 1 &&
           EVP_DecryptFinal_ex(context.get(), seed.bytes.data() + length, &length) == 1;
}

bool fill_randomly(std::span<std::uint8_t> bytes) noexcept {
    return RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
}

/// What can be checked without the passphrase.
Result<void, SealError> check(const SealedKey& sealed) {
    if (sealed.version != SealedKey::kVersion) return fail(SealError::unknown_version);
    if (sealed.address.size() > SealedKey::kMaxAddressLength) return fail(SealError::damaged);
    if (sealed.checksum != checksum_of(sealed)) return fail(SealError::damaged);
    if (!sealed.cost.is_allowed()) return fail(SealError::unsafe_cost);
    return {};
}

// ------------------------------------------------------------------------------------------------
// JSON

/// Reads the members of an object, each of which must exist and have its type; true at the end only
/// if there are no others.
class ObjectReader {
  public:
    explicit ObjectReader(const boost::json::value& value) : object_(value.if_object()) {}

    [[nodiscard]] const boost::json::value& member(std::string_view name) {
        static const boost::json::value kNothing;
        const auto* value = object_ == nullptr ? nullptr : object_->if_contains(name);
        if (value == nullptr) is_good_ = false;
        ++members_;
        return value == nullptr ? kNothing : *value;
    }

    [[nodiscard]] std::string_view text(std::string_view name) {
        const auto* value = member(name).if_string();
        if (value == nullptr) is_good_ = false;
        return value == nullptr ? std::string_view() : std::string_view(*value);
    }

    void constant(std::string_view name, std::string_view expected) {
        if (text(name) != expected) is_good_ = false;
    }

    void number(std::string_view name, std::uint32_t& out) {
        const auto& value = member(name);
        const auto* number = value.if_int64();
        if (number == nullptr || *number < 0 ||
            *number > std::numeric_limits<std::uint32_t>::max()) {
            is_good_ = false;
            return;
        }
        out = static_cast<std::uint32_t>(*number);
    }

    void bytes(std::string_view name, std::span<std::uint8_t> out) {
        if (!chain::from_hex(text(name), out)) is_good_ = false;
    }

    [[nodiscard]] bool is_complete() const {
        return is_good_ && object_ != nullptr && object_->size() == members_;
    }

  private:
    const boost::json::object* object_;
    std::size_t members_ = 0;
    bool is_good_ = true;
};

std::optional<boost::json::value> parse_json(std::string_view text) {
    boost::json::error_code error;
    boost::json::parse_options options;
    options.max_depth = 3;
    auto value =
        boost::json::parse(boost::json::string_view(text.data(), text.size()), error, {}, options);
    if (error) return std::nullopt;
    return value;
}

}  // namespace

bool ScryptCost::is_allowed() const noexcept {
    return std::has_single_bit(n) && n >= kMinN && n <= kMaxN && r >= 1 && r <= kMaxR && p >= 1 &&
           p <= kMaxP && std::uint64_t{128} * n * r <= kMaxMemoryBytes;
}

std::string_view to_string(SealError error) noexcept {
    switch (error) {
        case SealError::damaged:
            return "the file is damaged; restore it from a copy";
        case SealError::unknown_version:
            return "a later version of this program made the file";
        case SealError::unsafe_cost:
            return "its key derivation is weaker or dearer than this program accepts";
        case SealError::wrong_passphrase:
            return "the passphrase is wrong, or somebody has altered the file";
        case SealError::wrong_address:
            return "the secret within belongs to another address than the file says";
        case SealError::no_randomness:
            return "the system's random number generator failed";
        case SealError::no_memory:
            return "there is not enough memory to derive the key";
    }
    return "unknown error";
}

chain::Hash256 checksum_of(const SealedKey& sealed) {
    return chain::tagged_hash("gradient/wallet-key", ByteSpan(chain::encode(sealed)));
}

Result<SealedKey, SealError> seal(const chain::SecretKey& key, std::string_view passphrase,
                                  std::string_view address_prefix, const ScryptCost& cost) {
    if (!cost.is_allowed()) return fail(SealError::unsafe_cost);
    SealedKey sealed;
    sealed.address = chain::to_text(chain::address_of(key.public_key()), address_prefix);
    sealed.cost = cost;
    if (!fill_randomly(sealed.salt) || !fill_randomly(sealed.nonce)) {
        return fail(SealError::no_randomness);
    }
    CipherKey cipher_key;
    if (!derive_key(sealed, passphrase, cipher_key) || !encrypt(sealed, cipher_key, key)) {
        return fail(SealError::no_memory);
    }
    sealed.checksum = checksum_of(sealed);
    return sealed;
}

Result<chain::SecretKey, SealError> open(const SealedKey& sealed, std::string_view passphrase) {
    TRY(check(sealed));
    CipherKey cipher_key;
    if (!derive_key(sealed, passphrase, cipher_key)) return fail(SealError::no_memory);
    Seed seed;
    if (!decrypt(sealed, cipher_key, seed)) return fail(SealError::wrong_passphrase);
    auto key = chain::SecretKey::from_seed(seed.bytes);
    const auto parts = chain::bech32m_decode(sealed.address);
    if (!parts ||
        sealed.address != chain::to_text(chain::address_of(key.public_key()), parts->prefix)) {
        return fail(SealError::wrong_address);
    }
    return key;
}

std::string to_json(const SealedKey& sealed) {
    const boost::json::object object{
        {"format", kFormat},
        {"version", sealed.version},
        {"address", sealed.address},
        {"kdf", boost::json::object{{"name", kKdf},
                                    {"n", sealed.cost.n},
                                    {"r", sealed.cost.r},
                                    {"p", sealed.cost.p},
                                    {"salt", chain::to_hex(sealed.salt)}}},
        {"cipher", boost::json::object{{"name", kCipher},
                                       {"nonce", chain::to_hex(sealed.nonce)},
                                       {"ciphertext", chain::to_hex(sealed.ciphertext)},
                                       {"tag", chain::to_hex(sealed.tag)}}},
        {"checksum", sealed.checksum.to_hex()},
    };
    return boost::json::serialize(object) + "\n";
}

Result<SealedKey, SealError> parse_sealed_key(std::string_view text) {
    const auto json = parse_json(text);
    if (!json) return fail(SealError::damaged);
    SealedKey sealed;
    ObjectReader file(*json);
    file.constant("format", kFormat);
    file.number("version", sealed.version);
    // A later version may have other fields.
    if (sealed.version > SealedKey::kVersion) return fail(SealError::unknown_version);
    sealed.address = file.text("address");
    ObjectReader kdf(file.member("kdf"));
    kdf.constant("name", kKdf);
    kdf.number("n", sealed.cost.n);
    kdf.number("r", sealed.cost.r);
    kdf.number("p", sealed.cost.p);
    kdf.bytes("salt", sealed.salt);
    ObjectReader cipher(file.member("cipher"));
    cipher.constant("name", kCipher);
    cipher.bytes("nonce", sealed.nonce);
    cipher.bytes("ciphertext", sealed.ciphertext);
    cipher.bytes("tag", sealed.tag);
    file.bytes("checksum", sealed.checksum.bytes);
    if (!file.is_complete() || !kdf.is_complete() || !cipher.is_complete()) {
        return fail(SealError::damaged);
    }
    TRY(check(sealed));
    return sealed;
}

}  // namespace gradient::wallet
