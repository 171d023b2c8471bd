#pragma once

// Integer arithmetic that rules are written in: division toward minus infinity and square roots.

#include <cstdint>

namespace gradient::chain {

/// floor(dividend / divisor), toward minus infinity. Precondition: divisor > 0.
[[nodiscard]] constexpr std::int64_t floor_divide(std::int64_t dividend,
                                                  std::int64_t divisor) noexcept {
    const std::int64_t quotient = dividend / divisor;
    return dividend % divisor < 0 ? quotient - 1 : quotient;
}

/// floor(sqrt(value)), exact for all values: the root's bits from the highest down.
[[nodiscard]] constexpr std::uint64_t integer_sqrt(std::uint64_t value) noexcept {
    std::uint64_t root = 0;
    for (std::uint64_t bit = std::uint64_t{1} << 31U; bit != 0; bit >>= 1U) {
        const std::uint64_t larger = root | bit;
        if (larger * larger <= value) root = larger;
    }
    return root;
}

/// |value|, also of the smallest number.
[[nodiscard]] constexpr std::uint32_t magnitude(std::int32_t value) noexcept {
    const auto bits = static_cast<std::uint32_t>(value);
    return value < 0 ? 0 - bits : bits;
}

}  // namespace gradient::chain
