#pragma once

// A secret key at rest: a JSON file whose every field is stated here and nothing else.
//
//   format      "gradient wallet key"
//   version     1
//   address     the key's address, in clear
//   kdf         name "scrypt", n, r, p, salt (32 bytes)
//   cipher      name "aes-256-gcm", nonce (12 bytes), ciphertext (32 bytes), tag (16 bytes)
//   checksum    H("gradient/wallet-key", encoding of all the fields above)
//
// Bytes are in hexadecimal. The cipher's key is scrypt(passphrase, salt, n, r, p); its associated
// data are the version (u32, little-endian) and the address. The checksum holds no secret: it tells
// a damaged file from a wrong passphrase.

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/crypto/key.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gradient::wallet {

/// Cost of a guess at the passphrase (RFC 7914): 128 * n * r bytes of memory, time in proportion to
/// n * r * p.
struct ScryptCost {
    std::uint32_t n = 1U << 15U;  ///< a power of two, kMinN..kMaxN
    std::uint32_t r = 8;          ///< 1..16
    std::uint32_t p = 1;          ///< 1..4

    /// Weaker files are refused, as are those that would ask for more than 256 MiB.
    static constexpr std::uint32_t kMinN = 1U << 14U;
    static constexpr std::uint32_t kMaxN = 1U << 20U;
    static constexpr std::uint32_t kMaxR = 16;
    static constexpr std::uint32_t kMaxP = 4;
    static constexpr std::uint64_t kMaxMemoryBytes = 256U << 20U;

    /// Whether every member lies in its range, and the memory too.
    [[nodiscard]] bool is_allowed() const noexcept;

    friend bool operator==(const ScryptCost&, const ScryptCost&) = default;

    static auto fields(auto& self) { return std::tie(self.n, self.r, self.p); }
};

/// What the file holds.
struct SealedKey {
    static constexpr std::uint32_t kVersion = 1;
    static constexpr std::size_t kMaxAddressLength = 90;

    std::uint32_t version = kVersion;
    std::string address;
    ScryptCost cost;
    std::array<std::uint8_t, 32> salt{};
    std::array<std::uint8_t, 12> nonce{};
    std::array<std::uint8_t, chain::SecretKey::kSeedSize> ciphertext{};
    std::array<std::uint8_t, 16> tag{};
    chain::Hash256 checksum;  ///< of the fields above

    friend bool operator==(const SealedKey&, const SealedKey&) = default;

    static auto fields(auto& self) {
        return chain::field_list(self.version, chain::bounded<kMaxAddressLength>(self.address),
                                 self.cost, self.salt, self.nonce, self.ciphertext, self.tag);
    }
};

/// Why a key cannot be sealed or opened.
enum class SealError : std::uint8_t {
    damaged,           // the text is not such a file, or its checksum is wrong
    unknown_version,   // made by a later version of this program
    unsafe_cost,       // a key derivation weaker or dearer than this program accepts
    wrong_passphrase,  // the tag is wrong: another passphrase, or a file altered knowingly
    wrong_address,     // the secret within belongs to another address
    no_randomness,     // the system's random source failed
    no_memory,         // there is no memory for the key derivation
};

/// One sentence for the error.
[[nodiscard]] std::string_view to_string(SealError error) noexcept;

/// The checksum that these fields must have.
[[nodiscard]] chain::Hash256 checksum_of(const SealedKey& sealed);

/// Encrypts a key under a passphrase. `address_prefix` is the network's.
[[nodiscard]] chain::Result<SealedKey, SealError> seal(const chain::SecretKey& key,
                                                       std::string_view passphrase,
                                                       std::string_view address_prefix,
                                                       const ScryptCost& cost = {});

/// Decrypts a key. The checks of parse_sealed_key are made again, so that no field is trusted.
[[nodiscard]] chain::Result<chain::SecretKey, SealError> open(const SealedKey& sealed,
                                                              std::string_view passphrase);

/// The file's text, with a line break at its end.
[[nodiscard]] std::string to_json(const SealedKey& sealed);

/// Reads the file's text and checks all that can be checked without the passphrase.
[[nodiscard]] chain::Result<SealedKey, SealError> parse_sealed_key(std::string_view text);

}  // namespace gradient::wallet
