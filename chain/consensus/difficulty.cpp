#include "chain/consensus/difficulty.hpp"

#include "chain/base/check.hpp"

#include <algorithm>

namespace gradient::chain {

namespace {

__extension__ using i128 = __int128;

// 2^(fraction / 65536) in units of 2^-16, fraction 0..65535, by the cubic of aserti3-2d: its error
// is below 0.013 %.
std::uint64_t exp2_fraction(std::uint64_t fraction) noexcept {
    const std::uint64_t sum = 195'766'423'245'049 * fraction + 971'821'376 * fraction * fraction +
                              5'127 * fraction * fraction * fraction + (std::uint64_t{1} << 47);
    return 65536 + (sum >> 48);
}

// floor(a / b) for b > 0.
i128 floor_div(i128 a, i128 b) noexcept {
    const i128 quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

}  // namespace

std::uint32_t next_bits(const ConsensusParams& params, std::uint64_t parent_height,
                        std::uint64_t parent_time_ms) noexcept {
    const i128 elapsed = i128{parent_time_ms} - params.anchor.time_ms;
    const i128 due = i128{params.interval_ms} * parent_height;
    const i128 exponent = floor_div((elapsed - due) * 65536, params.half_life_ms);
    const i128 whole =
        std::clamp<i128>(exponent >> 16, -600, 600);  // beyond, the result is clamped anyway
    const std::uint64_t factor = exp2_fraction(static_cast<std::uint64_t>(exponent & 0xffff));

    // A compact target is digits * 256^(size - 3) with 23 bits of digits, so that digits * factor
    // is exact in 64 bits and only the shift can lose anything.
    const std::uint32_t digits = params.anchor.bits & 0x7fffff;
    const int size = static_cast<int>(params.anchor.bits >> 24);
    const U256 scaled(digits * factor);
    const int shift = 8 * (size - 3) + static_cast<int>(whole) - 16;
    const U256 max_target = from_compact(params.max_bits).value_or(U256::max());
    const U256 target =
        shift >= 0 ? checked_shift_left(scaled, static_cast<unsigned>(shift)).value_or(max_target)
                   : scaled >> static_cast<unsigned>(-shift);
    return to_compact(std::clamp(target, U256(1), max_target));
}

std::optional<U256> target_of(std::uint32_t bits, const ConsensusParams& params) noexcept {
    const auto target = from_compact(bits);
    if (!target || target->is_zero()) return std::nullopt;
    const auto easiest = from_compact(params.max_bits);
    if (!easiest || *target > *easiest) return std::nullopt;
    return *target;
}

U256 block_work(std::uint32_t bits) noexcept {
    const auto target = from_compact(bits);
    CHECK(target && !target->is_zero());
    return work_of_target(*target);
}

}  // namespace gradient::chain
