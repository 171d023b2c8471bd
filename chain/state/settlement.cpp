#include "chain/state/settlement.hpp"

#include "chain/base/check.hpp"
#include "chain/base/integer_math.hpp"
#include "chain/types/limits.hpp"
#include "model/numerics/kernels.hpp"

#include <algorithm>
#include <cstddef>

namespace gradient::chain {

namespace {

__extension__ using i128 = __int128;

static_assert(kParameterLimit == model::kParameterLimit);

// Widths, and why nothing overflows:
//   delta          |d| <= kDeltaLimit < 2^28
//   displacement   at most 2^17 squares, each below (2^22)^2: below 2^61, the root below 2^31
//   scaling        |d| * cap < 2^28 * 2^31 = 2^59, and |d'| <= |d|
//   numerators     n_j <= w_j: sum_j n_j |d'_j,i| <= W * 2^28 <= 2^29 * 2^28 = 2^57
//   mean           sum_j n_j <= W <= divisor: |m_i| <= kDeltaLimit, the floor included
//   momentum       |floor(v / 2) + m| <= 3 kParameterLimit < 2^29, then at most kDeltaLimit
//   step           at most 3 kParameterLimit: theta + step below 2^30
static_assert(kDeltaLimit < 1 << 28);
static_assert(kMaxParameters <= 1U << 17U);
static_assert(kMaxSegmentWeight <= 1U << 19U && kMaxRoundWeight <= 1U << 29U);
static_assert(std::uint64_t{kMaxUnits} * kMaxSegmentHits == kMaxSegmentWeight);

void check_round(std::span<const std::int32_t> theta, std::span<const std::int32_t> momentum,
                 const SettlementHistory& history, std::span<const SettledSegment> segments,
                 const SettlementRules& rules) {
    CHECK(theta.size() <= kMaxParameters);
    CHECK(momentum.empty() || momentum.size() == theta.size());
    CHECK(is_possible(history));
    CHECK(segments.size() <= kMaxSettledSegments);
    CHECK(rules.full_units >= 1 && rules.full_units <= kMaxUnits);
    for (const SettledSegment& segment : segments) {
        CHECK(segment.hits >= 1 && segment.hits <= kMaxSegmentHits);
        CHECK(segment.paid_units >= 1);
        CHECK(segment.lateness <= kMaxLateness);
        CHECK(segment.delta.size() == theta.size());
    }
}

// What a round's segments weigh together, late ones in full.
std::uint64_t round_weight(std::span<const SettledSegment> segments,
                           std::uint32_t full_units) noexcept {
    std::uint64_t sum = 0;
    for (const SettledSegment& segment : segments) {
        sum += segment_weight(segment.hits, segment.paid_units, full_units);
    }
    return sum;
}

// The most that a segment's delta counts for in the mean: a quarter of the round's weight where
// four and more enter. The divisor is not cut: what is cut is missing from the step, and a light
// segment dilutes the others by its own weight alone.
std::uint64_t largest_numerator(std::size_t segments, std::uint64_t round_weight) noexcept {
    return segments >= 4 ? round_weight / 4 : round_weight;
}

// floor(d * cap / divisor) for |d| < 2^28 and cap < divisor <= 2^31, without a division for each d.
class Scale {
  public:
    Scale(std::uint64_t cap, std::uint64_t divisor) noexcept
        : cap_(static_cast<std::uint32_t>(cap)),
          divisor_(static_cast<std::uint32_t>(divisor)),
          ratio_(static_cast<std::uint32_t>((cap << 32U) / divisor)) {}

    std::int32_t operator()(std::int32_t d) const noexcept {
        // With a = |d| the exact a * cap / divisor exceeds a * ratio / 2^32 by less than
        // a / 2^32 < 1: this quotient is right or one too small. So the rest is below
        // 2 * divisor <= 2^32, and its lower 32 bits are all of it.
        const std::uint32_t a = magnitude(d);
        auto quotient = static_cast<std::uint32_t>(std::uint64_t{a} * ratio_ >> 32U);
        std::uint32_t rest = a * cap_ - quotient * divisor_;
        const std::uint32_t one = rest >= divisor_ ? 1 : 0;
        quotient += one;
        rest -= one * divisor_;
        const auto floor = static_cast<std::int32_t>(quotient);
        return d < 0 ? -(floor + (rest != 0 ? 1 : 0)) : floor;
    }

  private:
    std::uint32_t cap_;
    std::uint32_t divisor_;
    std::uint32_t ratio_;
};

// sums += numerator * delta, the delta clipped to the cap. The displacement after clipping.
std::uint64_t add_clipped(std::span<std::int64_t> sums, std::int64_t numerator,
                          std::span<const std::int32_t> delta, std::uint64_t cap) noexcept {
    const std::uint64_t moved = displacement(delta);
    if (moved <= cap) {
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += numerator * delta[i];
        return moved;
    }
    const Scale scale(cap, moved + 1);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += numerator * scale(delta[i]);
    return cap;
}

std::int32_t clamped(std::int64_t value, std::int32_t limit) noexcept {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(value, -limit, limit));
}

// The step is the mean itself.
void step_by_mean(SettledRound& round, std::span<const std::int64_t> sums, std::int64_t divisor) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
        round.theta[i] = clamped(round.theta[i] + floor_divide(sums[i], divisor), kParameterLimit);
    }
    round.momentum.clear();
}

// Nesterov's step with a factor of one half; >> 1 is the half toward minus infinity.
void step_with_momentum(SettledRound& round, std::span<const std::int64_t> sums,
                        std::int64_t divisor) {
    round.momentum.resize(sums.size());  // zeros where it was empty
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const std::int64_t mean = floor_divide(sums[i], divisor);
        const std::int32_t momentum = clamped((round.momentum[i] >> 1) + mean, kDeltaLimit);
        round.momentum[i] = momentum;
        round.theta[i] = clamped(round.theta[i] + (momentum >> 1) + mean, kParameterLimit);
    }
}

}  // namespace

SettledRound settle_round(std::span<const std::int32_t> theta,
                          std::span<const std::int32_t> momentum, const SettlementHistory& history,
                          std::span<const SettledSegment> segments, const SettlementRules& rules) {
    check_round(theta, momentum, history, segments, rules);
    SettledRound round{{theta.begin(), theta.end()}, {momentum.begin(), momentum.end()}, history};
    if (!segments.empty()) {
        const std::uint64_t total = round_weight(segments, rules.full_units);
        const std::uint64_t largest = largest_numerator(segments.size(), total);
        const auto usual = usual_segment(history);
        std::vector<std::int64_t> sums(theta.size());
        std::vector<SegmentRecord> records;
        for (const SettledSegment& segment : segments) {
            const std::uint64_t weight =
                segment_weight(segment.hits, segment.paid_units, rules.full_units);
            const auto numerator =
                static_cast<std::int64_t>(std::min(weight, largest) / (1 + segment.lateness));
            const std::uint64_t cap =
                displacement_cap(segment.hits, usual, rules.initial_displacement);
            records.push_back({segment.hits, add_clipped(sums, numerator, segment.delta, cap)});
        }
        const auto divisor =
            static_cast<std::int64_t>(std::max<std::uint64_t>({total, least_weight(history), 1}));
        if (segments.size() == 1) {
            step_by_mean(round, sums, divisor);
        } else {
            step_with_momentum(round, sums, divisor);
        }
        round.history = extended(std::move(round.history), records, total);
    }
    if (std::ranges::all_of(round.momentum, [](std::int32_t v) { return v == 0; })) {
        round.momentum.clear();
    }
    return round;
}

bool step_is_acceptable(std::int64_t error_after, std::int64_t error_reference) noexcept {
    return 20 * i128{error_after} <= 21 * i128{error_reference};
}

bool reference_moves(std::int64_t error_after, std::int64_t error_reference) noexcept {
    return error_after <= error_reference;
}

std::uint64_t segment_weight(std::uint32_t hits, std::uint32_t paid_units,
                             std::uint32_t full_units) noexcept {
    return std::uint64_t{hits} * std::min(paid_units, full_units);
}

std::uint64_t displacement(std::span<const std::int32_t> delta) noexcept {
    CHECK(delta.size() <= kMaxParameters);
    std::uint64_t sum = 0;
    std::uint32_t largest = 0;
    for (const std::int32_t entry : delta) {
        const std::uint32_t size = magnitude(entry);
        largest = std::max(largest, size);
        const std::uint64_t step = size >> 6U;
        sum += step * step;
    }
    CHECK(largest <= std::uint32_t{kDeltaLimit});  // before the sum is used: it did not wrap
    return integer_sqrt(sum);
}

std::uint64_t displacement(std::span<const std::int32_t> from, std::span<const std::int32_t> to) {
    CHECK(from.size() == to.size());
    std::vector<std::int32_t> delta(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::int64_t difference = std::int64_t{to[i]} - from[i];
        CHECK(difference >= -kDeltaLimit && difference <= kDeltaLimit);
        delta[i] = static_cast<std::int32_t>(difference);
    }
    return displacement(delta);
}

std::uint64_t displacement_cap(std::uint32_t hits, const std::optional<UsualSegment>& usual,
                               std::uint64_t initial_displacement) noexcept {
    CHECK(hits >= 1 && hits <= kMaxSegmentHits);
    constexpr std::uint64_t kMost = (std::uint64_t{1} << 63U) - 1;
    const std::uint64_t median =
        usual ? std::max<std::uint64_t>(usual->displacement_per_hit, 1) : initial_displacement;
    const std::uint32_t usual_hits = usual ? usual->hits : hits;
    const std::uint64_t counted =
        std::max<std::uint64_t>(hits, integer_sqrt(std::uint64_t{hits} * usual_hits));
    return median > kMost / (2 * counted) ? kMost : 2 * counted * median;
}

}  // namespace gradient::chain
