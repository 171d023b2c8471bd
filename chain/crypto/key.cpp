#include "chain/crypto/key.hpp"

#include "chain/base/check.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>

namespace gradient::chain {

namespace {

struct EvpDeleter {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpDeleter>;
using EvpContext = std::unique_ptr<EVP_MD_CTX, EvpDeleter>;

using Encoding = std::array<std::uint8_t, 32>;

// Little-endian, as on the wire.
constexpr Encoding kFieldPrime = {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
constexpr Encoding kGroupOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10};

// The y coordinates of the eight points whose order divides 8, each with either sign of x. The
// encodings of x = 0 with a sign, which are not canonical, belong to y = 1 and y = -1 and are
// refused with them.
constexpr std::array<Encoding, 5> kSmallOrderY = {{
    {0x00},
    {0x01},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
}};

// a < b as little-endian numbers.
bool less(const Encoding& a, const Encoding& b) noexcept {
    return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

}  // namespace

std::optional<PublicKey> PublicKey::from_hex(std::string_view text) noexcept {
    PublicKey key;
    if (!chain::from_hex(text, key.bytes)) return std::nullopt;
    return key;
}

Result<SecretKey, KeyError> SecretKey::generate() noexcept {
    std::array<std::uint8_t, kSeedSize> seed{};
    if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) {
        return fail(KeyError::no_randomness);
    }
    SecretKey key = from_seed(seed);
    OPENSSL_cleanse(seed.data(), seed.size());
    return key;
}

SecretKey SecretKey::from_seed(std::span<const std::uint8_t, kSeedSize> seed) noexcept {
    SecretKey key;
    std::copy(seed.begin(), seed.end(), key.seed_.begin());
    const EvpKey evp(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed_.data(),
                                                  key.seed_.size()));
    CHECK(evp != nullptr);
    std::size_t size = key.public_key_.bytes.size();
    CHECK(EVP_PKEY_get_raw_public_key(evp.get(), key.public_key_.bytes.data(), &size) == 1);
    return key;
}

SecretKey::SecretKey(SecretKey&& other) noexcept
    : seed_(other.seed_), public_key_(other.public_key_) {
    OPENSSL_cleanse(other.seed_.data(), other.seed_.size());
}

SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
    if (this == &other) return *this;
    seed_ = other.seed_;
    public_key_ = other.public_key_;
    OPENSSL_cleanse(other.seed_.data(), other.seed_.size());
    return *this;
}

SecretKey::~SecretKey() {
    OPENSSL_cleanse(seed_.data(), seed_.size());
}

Signature SecretKey::sign(ByteSpan message) const noexcept {
    const EvpKey evp(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed_.data(), seed_.size()));
    const EvpContext context(EVP_MD_CTX_new());
    CHECK(evp != nullptr && context != nullptr);
    Signature signature;
    std::size_t size = signature.bytes.size();
    CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, evp.get()) == 1);
    CHECK(EVP_DigestSign(context.get(), signature.bytes.data(), &size, message.data(),
                         message.size()) == 1);
    CHECK(size == signature.bytes.size());
    return signature;
}

bool is_strict_point_encoding(std::span<const std::uint8_t, 32> bytes) noexcept {
    Encoding y{};
    std::copy(bytes.begin(), bytes.end(), y.begin());
    y[31] &= 0x7f;  // the sign of x
    if (!less(y, kFieldPrime)) return false;
    return std::find(kSmallOrderY.begin(), kSmallOrderY.end(), y) == kSmallOrderY.end();
}

bool verify_signature(const PublicKey& key, ByteSpan message, const Signature& signature) noexcept {
    const std::span<const std::uint8_t, 64> whole(signature.bytes);
    Encoding s{};
    std::copy(whole.begin() + 32, whole.end(), s.begin());
    if (!less(s, kGroupOrder)) return false;
    if (!is_strict_point_encoding(whole.first<32>())) return false;
    if (!is_strict_point_encoding(key.bytes)) return false;

    // OpenSSL computes S B - k A and compares its encoding with R: cofactorless, as RFC 8032 has
    // it.
    const EvpKey evp(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()));
    const EvpContext context(EVP_MD_CTX_new());
    CHECK(evp != nullptr && context != nullptr);
    CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, evp.get()) == 1);
    return EVP_DigestVerify(context.get(), signature.bytes.data(), signature.bytes.size(),
                            message.data(), message.size()) == 1;
}

bool verify_signature(const PublicKey& key, const Hash256& message,
                      const Signature& signature) noexcept {
    return verify_signature(key, message.bytes, signature);
}

}  // namespace gradient::chain
