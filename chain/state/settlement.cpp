#include "chain/state/settlement.hpp"

#include "chain/base/check.hpp"
#include "model/numerics/kernels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace gradient::chain {

namespace {

static_assert(kParameterLimit == model::kParameterLimit);

constexpr std::size_t kMaxSegments = 1U << 7U;
constexpr std::uint64_t kMaxWeight = 1U << 22U;

// A difference of two 32-bit parameters has magnitude below 2^32, so that every sum below stays
// under 2^7 * 2^22 * 2^32 = 2^61.
static_assert(kMaxSegments * kMaxWeight <= std::uint64_t{1} << 29U);

std::int64_t floor_div(std::int64_t dividend, std::int64_t divisor) noexcept {
    const std::int64_t quotient = dividend / divisor;
    return dividend % divisor < 0 ? quotient - 1 : quotient;
}

// floor(sqrt(value)), bit by bit.
std::uint64_t integer_sqrt(std::uint64_t value) noexcept {
    std::uint64_t root = 0;
    for (std::uint64_t bit = std::uint64_t{1} << 31U; bit != 0; bit >>= 1U) {
        const std::uint64_t larger = root | bit;
        if (larger * larger <= value) root = larger;
    }
    return root;
}

}  // namespace

std::uint64_t segment_weight(std::uint32_t hits, std::uint32_t units,
                             std::uint32_t full_units) noexcept {
    return std::uint64_t{hits} * std::min(units, full_units);
}

std::vector<std::int32_t> settle(std::span<const std::int32_t> theta,
                                 std::span<const SettledSegment> segments,
                                 std::uint64_t least_weight) {
    CHECK(segments.size() <= kMaxSegments);
    std::vector<std::int64_t> sums(theta.size());
    std::uint64_t total = 0;
    for (const SettledSegment& segment : segments) {
        CHECK(segment.weight <= kMaxWeight && segment.parameters.size() == theta.size());
        total += segment.weight;
        const auto weight = static_cast<std::int64_t>(segment.weight);
        for (std::size_t i = 0; i < theta.size(); ++i) {
            sums[i] += weight * (std::int64_t{segment.parameters[i]} - theta[i]);
        }
    }
    constexpr std::uint64_t kMaxDivisor = kMaxSegments * kMaxWeight;
    const std::uint64_t divisor =
        std::clamp<std::uint64_t>(std::max(total, least_weight), 1, kMaxDivisor);
    std::vector<std::int32_t> settled(theta.size());
    for (std::size_t i = 0; i < theta.size(); ++i) {
        const std::int64_t step = floor_div(sums[i], static_cast<std::int64_t>(divisor));
        settled[i] = static_cast<std::int32_t>(
            std::clamp<std::int64_t>(theta[i] + step, -kParameterLimit, kParameterLimit));
    }
    return settled;
}

std::uint64_t displacement(std::span<const std::int32_t> from,
                           std::span<const std::int32_t> to) noexcept {
    CHECK(from.size() == to.size());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::int64_t step = std::abs(std::int64_t{to[i]} - from[i]) >> 6U;
        const auto square = static_cast<std::uint64_t>(step * step);
        sum = square > UINT64_MAX - sum ? UINT64_MAX : sum + square;
    }
    return integer_sqrt(sum);
}

}  // namespace gradient::chain
