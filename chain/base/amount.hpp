#pragma once

#include "chain/base/codec.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradient::chain {

/// Units in one coin.
inline constexpr std::uint64_t kCoin = 100'000'000;

/// No amount exceeds ten thousand million coins; sums of a few amounts stay far below 2^64.
inline constexpr std::uint64_t kMaxAmountUnits = 10'000'000'000 * kCoin;

/// A sum of money: a whole number of units from 0 to kMaxAmountUnits. Every operation that could
/// leave the range returns nothing instead. Encoded as 8 bytes; a larger number does not decode.
class Amount {
  public:
    static constexpr std::size_t kEncodedSize = 8;

    constexpr Amount() = default;

    /// That many units, if they are in range.
    [[nodiscard]] static constexpr std::optional<Amount> from_units(std::uint64_t units) {
        if (units > kMaxAmountUnits) return std::nullopt;
        return Amount(units);
    }

    /// A constant of the source code; one out of range does not compile.
    [[nodiscard]] static consteval Amount of_units(std::uint64_t units) {
        return from_units(units).value();
    }

    /// The same in whole coins.
    [[nodiscard]] static consteval Amount of_coins(std::uint64_t coins) {
        return coins > kMaxAmountUnits / kCoin ? from_units(UINT64_MAX).value()
                                               : of_units(coins * kCoin);
    }

    /// Reads "12", "12.5" or "0.00000001": digits, and perhaps a point and one to eight digits.
    [[nodiscard]] static std::optional<Amount> parse(std::string_view text) noexcept;

    [[nodiscard]] constexpr std::uint64_t units() const { return units_; }
    [[nodiscard]] constexpr bool is_zero() const { return units_ == 0; }

    /// In coins, as parse reads it, without needless zeros.
    [[nodiscard]] std::string to_string() const;

    friend constexpr auto operator<=>(const Amount&, const Amount&) = default;

    void encode_to(auto& sink) const { write_integer(sink, units_); }
    [[nodiscard]] static Result<Amount, CodecError> decode_from(Reader& reader) noexcept;

  private:
    constexpr explicit Amount(std::uint64_t units) : units_(units) {}

    std::uint64_t units_ = 0;
};

/// The largest amount.
inline constexpr Amount kMaxAmount = Amount::of_units(kMaxAmountUnits);

/// a + b, if in range.
[[nodiscard]] std::optional<Amount> checked_add(Amount a, Amount b) noexcept;

/// a - b, if not negative.
[[nodiscard]] std::optional<Amount> checked_sub(Amount a, Amount b) noexcept;

/// a * factor, if in range.
[[nodiscard]] std::optional<Amount> checked_mul(Amount a, std::uint64_t factor) noexcept;

/// floor(a * numerator / denominator), the product in 128 bits. Precondition: denominator is not
/// zero.
[[nodiscard]] std::optional<Amount> checked_mul_div(Amount a, std::uint64_t numerator,
                                                    std::uint64_t denominator) noexcept;

}  // namespace gradient::chain
