#pragma once

// Ed25519 as in RFC 8032, verified strictly, so that all nodes agree on every byte string and no
// signature has a second form: S < L, A and R canonical and not of small order, and the
// cofactorless equation S B = R + k A.

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

namespace gradient::chain {

/// An Ed25519 public key. Any 32 bytes; whether they are a key is known when a signature verifies.
struct PublicKey {
    static constexpr std::size_t kEncodedSize = 32;

    std::array<std::uint8_t, 32> bytes{};

    friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

    static auto fields(auto& self) { return std::tie(self.bytes); }

    /// Sixty-four hexadecimal digits.
    [[nodiscard]] std::string to_hex() const { return chain::to_hex(bytes); }

    /// The key that sixty-four hexadecimal digits spell, or nothing.
    [[nodiscard]] static std::optional<PublicKey> from_hex(std::string_view text) noexcept;
};

/// An Ed25519 signature: R, then S.
struct Signature {
    static constexpr std::size_t kEncodedSize = 64;

    std::array<std::uint8_t, 64> bytes{};

    friend auto operator<=>(const Signature&, const Signature&) = default;

    static auto fields(auto& self) { return std::tie(self.bytes); }
};

/// Why there is no key.
enum class KeyError : std::uint8_t {
    no_randomness,  // the system's random source failed
};

/// An Ed25519 secret key: 32 bytes of seed, wiped when the object goes. Moves, never copies.
class SecretKey {
  public:
    static constexpr std::size_t kSeedSize = 32;

    /// A new key from the system's random source.
    [[nodiscard]] static Result<SecretKey, KeyError> generate() noexcept;

    /// The key with the given seed, as stored. The caller wipes its own copy.
    [[nodiscard]] static SecretKey from_seed(
        std::span<const std::uint8_t, kSeedSize> seed) noexcept;

    SecretKey(SecretKey&& other) noexcept;
    SecretKey& operator=(SecretKey&& other) noexcept;
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;
    ~SecretKey();

    [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }

    /// The secret itself, for storage.
    [[nodiscard]] std::span<const std::uint8_t, kSeedSize> seed() const noexcept { return seed_; }

    /// Signs a message; the same message always gets the same signature.
    [[nodiscard]] Signature sign(ByteSpan message) const noexcept;
    [[nodiscard]] Signature sign(const Hash256& message) const noexcept {
        return sign(message.bytes);
    }

  private:
    SecretKey() = default;

    std::array<std::uint8_t, kSeedSize> seed_{};
    PublicKey public_key_;
};

/// Whether `bytes` encode a curve point in the one canonical way and its order is not small. Cheap:
/// it does not show that the point is on the curve.
[[nodiscard]] bool is_strict_point_encoding(std::span<const std::uint8_t, 32> bytes) noexcept;

/// Whether the signature is valid for message and key under the strict rule at the head of this
/// file.
[[nodiscard]] bool verify_signature(const PublicKey& key, ByteSpan message,
                                    const Signature& signature) noexcept;
[[nodiscard]] bool verify_signature(const PublicKey& key, const Hash256& message,
                                    const Signature& signature) noexcept;

}  // namespace gradient::chain
