#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace gradient::chain {

/// Owned bytes.
using Bytes = std::vector<std::uint8_t>;

/// Bytes of somebody else.
using ByteSpan = std::span<const std::uint8_t>;

/// The characters of `text` as bytes.
[[nodiscard]] ByteSpan as_bytes(std::string_view text) noexcept;

/// The bytes as characters; no check of any kind.
[[nodiscard]] std::string_view as_text(ByteSpan bytes) noexcept;

/// Lower-case hexadecimal digits, two a byte.
[[nodiscard]] std::string to_hex(ByteSpan bytes);

/// The bytes that `text` spells in either case; nothing if a digit is wrong or their number odd.
[[nodiscard]] std::optional<Bytes> from_hex(std::string_view text);

/// Fills `out` from exactly twice as many hexadecimal digits; false, and `out` unspecified,
/// otherwise.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::uint8_t> out) noexcept;

/// Thirty-two bytes: a SHA-256 digest or anything as long. Ordered and printed first byte first.
struct Hash256 {
    static constexpr std::size_t kEncodedSize = 32;

    std::array<std::uint8_t, 32> bytes{};

    friend auto operator<=>(const Hash256&, const Hash256&) = default;

    static auto fields(auto& self) { return std::tie(self.bytes); }

    /// Sixty-four hexadecimal digits.
    [[nodiscard]] std::string to_hex() const;

    /// The hash that sixty-four hexadecimal digits spell, or nothing.
    [[nodiscard]] static std::optional<Hash256> from_hex(std::string_view text) noexcept;

    /// True for the all-zero value, which stands for "none".
    [[nodiscard]] bool is_zero() const noexcept { return *this == Hash256{}; }
};

/// Spreads a hash over buckets. Seeded once per process, so that a stranger can't aim at one
/// bucket; the order of an unordered container must therefore never reach a digest.
[[nodiscard]] std::size_t hash_value(const Hash256& hash) noexcept;

}  // namespace gradient::chain

template <>
struct std::hash<gradient::chain::Hash256> {
    std::size_t operator()(const gradient::chain::Hash256& value) const noexcept {
        return gradient::chain::hash_value(value);
    }
};
