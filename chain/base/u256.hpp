#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace gradient::chain {

/// An unsigned integer of 256 bits: targets, tickets and cumulative work. Nothing wraps silently:
/// operations that can leave the range are named checked_ (nothing comes back) or saturating_ (the
/// largest value does). Encoded as 32 bytes, little-endian like every integer.
class U256 {
  public:
    static constexpr std::size_t kEncodedSize = 32;

    constexpr U256() = default;
    constexpr explicit U256(std::uint64_t value) : limbs_{value, 0, 0, 0} {}

    /// From four limbs, least significant first.
    constexpr explicit U256(const std::array<std::uint64_t, 4>& limbs) : limbs_(limbs) {}

    /// 2^256 - 1.
    [[nodiscard]] static constexpr U256 max() {
        return U256({UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX});
    }

    /// The number whose big-endian bytes these are; the way a hash is compared with a target.
    [[nodiscard]] static U256 from_big_endian(const Hash256& hash) noexcept;
    [[nodiscard]] Hash256 to_big_endian() const noexcept;

    /// Four limbs, least significant first.
    [[nodiscard]] constexpr const std::array<std::uint64_t, 4>& limbs() const { return limbs_; }

    [[nodiscard]] constexpr bool is_zero() const { return *this == U256(); }

    /// Position of the highest set bit plus one; 0 for zero.
    [[nodiscard]] int bit_length() const noexcept;

    /// The value if it fits in 64 bits.
    [[nodiscard]] std::optional<std::uint64_t> to_u64() const noexcept;

    /// The nearest double, give or take a rounding; for display only.
    [[nodiscard]] double to_double() const noexcept;

    /// Sixty-four hexadecimal digits, most significant first.
    [[nodiscard]] std::string to_hex() const { return to_big_endian().to_hex(); }

    /// Decimal digits without leading zeros.
    [[nodiscard]] std::string to_decimal() const;

    friend constexpr bool operator==(const U256&, const U256&) = default;
    friend constexpr std::strong_ordering operator<=>(const U256& a, const U256& b) {
        for (std::size_t i = 4; i-- > 0;) {
            if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
        }
        return std::strong_ordering::equal;
    }

    /// Shifts; bits that leave are lost, 256 or more gives zero.
    friend U256 operator<<(const U256& value, unsigned bits) noexcept;
    friend U256 operator>>(const U256& value, unsigned bits) noexcept;

    /// All bits flipped: max() - value.
    friend U256 operator~(const U256& value) noexcept;

    void encode_to(auto& sink) const {
        for (const std::uint64_t limb : limbs_) write_integer(sink, limb);
    }
    [[nodiscard]] static Result<U256, CodecError> decode_from(Reader& reader) noexcept;

  private:
    std::array<std::uint64_t, 4> limbs_{};
};

/// a + b, if below 2^256.
[[nodiscard]] std::optional<U256> checked_add(const U256& a, const U256& b) noexcept;

/// a - b, if not negative.
[[nodiscard]] std::optional<U256> checked_sub(const U256& a, const U256& b) noexcept;

/// a * b, if below 2^256.
[[nodiscard]] std::optional<U256> checked_mul(const U256& a, const U256& b) noexcept;
[[nodiscard]] std::optional<U256> checked_mul(const U256& a, std::uint64_t b) noexcept;

/// a << bits, if no set bit leaves.
[[nodiscard]] std::optional<U256> checked_shift_left(const U256& a, unsigned bits) noexcept;

/// The exact result, or max() if that is smaller.
[[nodiscard]] U256 saturating_add(const U256& a, const U256& b) noexcept;
[[nodiscard]] U256 saturating_mul(const U256& a, const U256& b) noexcept;
[[nodiscard]] U256 saturating_mul(const U256& a, std::uint64_t b) noexcept;

/// Quotient and remainder of a division.
struct U256Division {
    U256 quotient;
    U256 remainder;
};

/// floor(a / b) and what is left. Precondition: b is not zero.
[[nodiscard]] U256Division divide(const U256& a, const U256& b) noexcept;

/// floor(2^256 / (target + 1)): how many tickets a win under `target` takes on average. 2^256 - 1
/// for target 0, which no U256 can exceed.
[[nodiscard]] U256 work_of_target(const U256& target) noexcept;

/// Why 32 bits are not the compact form of a target.
enum class CompactError : std::uint8_t {
    negative,       // the sign bit 0x00800000 is set
    overflow,       // the value has more than 256 bits
    non_canonical,  // the same value has another compact form, which to_compact gives
};

/// Bitcoin's compact form: one byte of length, three of leading digits to base 256; drops all lower
/// digits.
[[nodiscard]] std::uint32_t to_compact(const U256& value) noexcept;

/// The value of a compact form; refuses every form that to_compact would not give.
[[nodiscard]] Result<U256, CompactError> from_compact(std::uint32_t compact) noexcept;

}  // namespace gradient::chain
