#include "chain/state/settlement.hpp"
#include "chain/types/limits.hpp"
#include "tests/support/settlement_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace gradient::chain {
namespace {

using test::drawn_delta;
using test::OwnedRound;
using Parameters = std::vector<std::int32_t>;

constexpr std::uint64_t kUnclipped = UINT64_MAX;
constexpr SettlementRules kRules{128, kUnclipped};

// A history in which nothing is usual but 100 hits that moved the model by `per_hit` each, in
// segments of `hits` hits.
SettlementHistory history_with(std::uint32_t hits, std::uint64_t per_hit) {
    SettlementHistory history;
    for (std::uint32_t sum = 0; sum < 100; sum += hits) {
        history.segments.push_back({hits, hits * per_hit});
    }
    return history;
}

// ------------------------------------------------------------------------------------------------
// weights

TEST(Settlement, weight_counts_hits_and_paid_units_up_to_the_full_length) {
    EXPECT_EQ(segment_weight(3, 10, 128), 30U);
    EXPECT_EQ(segment_weight(3, 128, 128), 384U);
    EXPECT_EQ(segment_weight(3, 4096, 128), 384U);
    EXPECT_EQ(segment_weight(128, 4096, 4096), kMaxSegmentWeight);
}

// The mean of a round that starts without momentum.
std::int32_t mean_of(const OwnedRound& round, const SettlementRules& rules = kRules) {
    const SettledRound settled = settle_round(Parameters{0}, {}, {}, round.segments, rules);
    return settled.momentum.empty() ? 0 : settled.momentum[0];
}

// So many equal segments that all move the model by the same, each of weight 2560.
OwnedRound equal_round(int count, std::int32_t delta) {
    OwnedRound round;
    for (int j = 0; j < count; ++j) round.add(20, 128, 0, {delta});
    return round;
}

TEST(Settlement, no_weight_is_cut_where_fewer_than_four_segments_enter) {
    OwnedRound round;
    round.add(128, 128, 0, {1'000'000});
    for (int j = 0; j < 2; ++j) round.add(1, 1, 0, {0});
    EXPECT_EQ(mean_of(round), 16'384'000'000 / 16'386);
}

TEST(Settlement, a_segment_with_nearly_all_weight_carries_a_quarter_of_its_delta) {
    for (const std::uint32_t hits : {36U, 108U, 128U}) {  // of 36 + 4: 90 %
        OwnedRound round;
        round.add(hits, 128, 0, {1'000'000});
        for (int j = 0; j < 4; ++j) round.add(1, 128, 0, {0});
        EXPECT_EQ(mean_of(round), 250'000);
        const SettledRound settled = settle_round(Parameters{0}, {}, {}, round.segments, kRules);
        EXPECT_EQ(settled.history.round_weights, (std::vector<std::uint64_t>{128 * (hits + 4)}));
    }
}

TEST(Settlement, four_and_more_equal_segments_are_not_cut) {
    for (const int count : {4, 5, 9}) EXPECT_EQ(mean_of(equal_round(count, 10'000)), 10'000);
}

TEST(Settlement, a_segment_of_weight_one_costs_the_others_less_than_a_thousandth) {
    constexpr std::int32_t kDelta = 1'000'000;
    for (const int honest : {2, 3, 4, 5, 20}) {
        OwnedRound round = equal_round(honest, kDelta);
        round.add(1, 1, 0, {0});
        // Beside three it is the fourth: each of them counts for a quarter then, not for a third.
        const std::int32_t alone = honest == 3 ? kDelta / 4 * 3 : kDelta;
        EXPECT_GT(mean_of(round), alone - alone / 1000) << honest;
        EXPECT_LE(mean_of(round), alone) << honest;
    }
}

TEST(Settlement, no_segment_carries_more_than_a_quarter_and_none_less_for_anothers_weight) {
    constexpr std::uint64_t kSeed = 21;
    constexpr std::int64_t kDelta = 1 << 24;
    std::mt19937_64 random(kSeed);
    for (int run = 0; run < 300; ++run) {
        OwnedRound others;
        others.add(1 + random() % 128, 1 + random() % 4096, 0, {kDelta});
        std::uint64_t total = segment_weight(others.segments[0].hits, others.segments[0].paid_units,
                                             kRules.full_units);
        const std::uint64_t own = total;
        for (std::uint64_t count = 3 + random() % 12; count > 0; --count) {
            others.add(1 + random() % 128, 1 + random() % 4096, random() % 4, {0});
            const SettledSegment& last = others.segments.back();
            total += segment_weight(last.hits, last.paid_units, kRules.full_units);
        }
        const auto share = static_cast<std::int64_t>(std::min(own, total / 4));
        ASSERT_EQ(mean_of(others), share * kDelta / static_cast<std::int64_t>(total))
            << "seed " << kSeed << " run " << run;
        ASSERT_LE(mean_of(others), kDelta / 4);
    }
}

TEST(Settlement, late_segments_count_toward_the_four_and_in_full) {
    OwnedRound round;
    round.add(4, 128, 0, {1000});
    for (int i = 0; i < 3; ++i) round.add(1, 128, 3, {0});
    EXPECT_EQ(mean_of(round), 250);  // 224 of 896
    EXPECT_EQ(settle_round(Parameters{0}, {}, {}, round.segments, kRules).history.round_weights,
              (std::vector<std::uint64_t>{7 * 128}));
}

TEST(Settlement, a_late_segment_is_cut_before_it_is_divided) {
    for (std::uint32_t lateness = 0; lateness <= kMaxLateness; ++lateness) {
        OwnedRound round;
        round.add(128, 128, lateness, {1'200'000});
        for (int i = 0; i < 3; ++i) round.add(1, 128, 0, {0});
        const std::int32_t counted = 131 * 32 / (1 + static_cast<std::int32_t>(lateness));
        EXPECT_EQ(mean_of(round), std::int64_t{counted} * 1'200'000 / (131 * 128));
    }
}

// ------------------------------------------------------------------------------------------------
// mean

TEST(Settlement, one_segment_enters_in_full) {
    const Parameters theta{0, 5, -5, 100, kParameterLimit, -kParameterLimit};
    const Parameters delta{1, -10, -1, 3, -kDeltaLimit, kDeltaLimit};
    for (const std::uint32_t units : {1U, 3U, 384U}) {
        OwnedRound round;
        round.add(2, units, 0, delta);
        const SettledRound settled =
            settle_round(theta, Parameters(6, 99), {}, round.segments, kRules);
        EXPECT_EQ(settled.theta, (Parameters{1, -5, -6, 103, -kParameterLimit, kParameterLimit}));
        EXPECT_TRUE(settled.momentum.empty());  // the momentum there was is dropped
    }
}

TEST(Settlement, no_segments_change_nothing) {
    const Parameters theta{1, -2, 3};
    const SettlementHistory history = history_with(4, 9);
    const SettledRound settled = settle_round(theta, Parameters{4, 5, 6}, history, {}, kRules);
    EXPECT_EQ(settled.theta, theta);
    EXPECT_EQ(settled.momentum, (Parameters{4, 5, 6}));
    EXPECT_EQ(settled.history, history);
    EXPECT_TRUE(settle_round(theta, Parameters(3), history, {}, kRules).momentum.empty());
}

TEST(Settlement, mean_rounds_toward_minus_infinity) {
    OwnedRound round;
    round.add(1, 128, 0, {1, -1, 3, -3, 1});
    round.add(1, 128, 0, {0, 0, 0, 0, 0});
    const SettledRound settled = settle_round(Parameters(5), {}, {}, round.segments, kRules);
    EXPECT_EQ(settled.momentum, (Parameters{0, -1, 1, -2, 0}));
}

TEST(Settlement, thin_list_carries_only_part_of_a_step) {
    OwnedRound round;
    round.add(1, 10, 0, {100, -100});
    SettlementHistory history;
    history.round_weights = {500, 80, 80};  // half the median: 40
    EXPECT_EQ(settle_round(Parameters{0, 0}, {}, history, round.segments, kRules).theta,
              (Parameters{25, -25}));
    history.round_weights = {500, 20, 20};
    EXPECT_EQ(settle_round(Parameters{0, 0}, {}, history, round.segments, kRules).theta,
              (Parameters{100, -100}));
}

TEST(Settlement, lateness_divides_the_numerator_and_never_renormalises) {
    for (std::uint32_t lateness = 0; lateness <= kMaxLateness; ++lateness) {
        OwnedRound round;
        round.add(1, 128, 0, {0});
        round.add(1, 127, lateness, {-25'500});
        const SettledRound settled = settle_round(Parameters{0}, {}, {}, round.segments, kRules);
        const std::int32_t numerator = 127 / (1 + static_cast<std::int32_t>(lateness));
        EXPECT_EQ(settled.momentum, Parameters{-100 * numerator});
        EXPECT_EQ(settled.history.round_weights, (std::vector<std::uint64_t>{255}));
    }
    OwnedRound alone;  // and not when it is alone either
    alone.add(1, 128, 1, {64});
    EXPECT_EQ(settle_round(Parameters{0}, {}, {}, alone.segments, kRules).theta, Parameters{32});
}

// ------------------------------------------------------------------------------------------------
// momentum and the step

TEST(Settlement, two_segments_step_by_nesterov) {
    OwnedRound round;
    round.add(1, 128, 0, {10, -10, 3});
    round.add(1, 128, 0, {10, -10, 3});
    const SettledRound first = settle_round(Parameters{0, 0, 0}, {}, {}, round.segments, kRules);
    EXPECT_EQ(first.momentum, (Parameters{10, -10, 3}));
    EXPECT_EQ(first.theta, (Parameters{15, -15, 4}));
    const SettledRound second =
        settle_round(first.theta, Parameters{7, -7, -1}, {}, round.segments, kRules);
    EXPECT_EQ(second.momentum, (Parameters{13, -14, 2}));             // floor(-7 / 2) = -4
    EXPECT_EQ(second.theta, (Parameters{15 + 16, -15 - 17, 4 + 4}));  // floor(13 / 2) = 6
}

TEST(Settlement, momentum_of_zeros_is_empty) {
    OwnedRound round;
    round.add(1, 128, 0, {5, 0});
    round.add(1, 128, 0, {-5, 0});
    EXPECT_TRUE(settle_round(Parameters{0, 0}, {}, {}, round.segments, kRules).momentum.empty());
    EXPECT_TRUE(settle_round(Parameters{0, 0}, Parameters{1, 0}, {}, round.segments, kRules)
                    .momentum.empty());
}

TEST(Settlement, momentum_and_model_saturate) {
    OwnedRound round;
    round.add(1, 128, 0, {kDeltaLimit, -kDeltaLimit});
    round.add(1, 128, 0, {kDeltaLimit, -kDeltaLimit});
    const SettledRound settled = settle_round(
        Parameters{0, 0}, Parameters{kDeltaLimit, -kDeltaLimit}, {}, round.segments, kRules);
    EXPECT_EQ(settled.momentum, (Parameters{kDeltaLimit, -kDeltaLimit}));
    EXPECT_EQ(settled.theta, (Parameters{kParameterLimit, -kParameterLimit}));
}

// ------------------------------------------------------------------------------------------------
// clipping

TEST(Settlement, displacement_is_the_norm_in_units_of_64) {
    EXPECT_EQ(displacement(Parameters{}), 0U);
    EXPECT_EQ(displacement(Parameters{192, 256}), 5U);
    EXPECT_EQ(displacement(Parameters{-192, 256}), 5U);
    EXPECT_EQ(displacement(Parameters{63, -63}), 0U);
    EXPECT_EQ(displacement(Parameters{-64}), 1U);
    EXPECT_EQ(displacement(Parameters{64, 64, 64}), 1U);  // floor(sqrt 3)
    EXPECT_EQ(displacement(Parameters{5, 7}, Parameters{197, 263}), 5U);
    const std::uint64_t largest = displacement(Parameters(kMaxParameters, -kDeltaLimit));
    EXPECT_EQ(largest, 1'516'275'884U);  // floor(4188160 * sqrt(2^17))
    EXPECT_LE(largest, kMaxDisplacement);
}

TEST(Settlement, cap_is_twice_the_usual_displacement_of_its_hits) {
    EXPECT_EQ(displacement_cap(5, std::nullopt, 10), 100U);
    EXPECT_EQ(displacement_cap(1, UsualSegment{10, 16}, 7), 80U);    // isqrt(1 * 16) = 4 hits
    EXPECT_EQ(displacement_cap(2, UsualSegment{10, 16}, 7), 100U);   // isqrt(2 * 16) = 5 hits
    EXPECT_EQ(displacement_cap(16, UsualSegment{10, 16}, 7), 320U);  // its own 16
    EXPECT_EQ(displacement_cap(40, UsualSegment{10, 16}, 7), 800U);
    EXPECT_EQ(displacement_cap(1, UsualSegment{0, 16}, 7), 8U);  // of a median of 1
    EXPECT_EQ(displacement_cap(1, UsualSegment{1, 16}, 7), 8U);
    EXPECT_EQ(displacement_cap(1, std::nullopt, 0), 0U);
    EXPECT_EQ(displacement_cap(1, std::nullopt, UINT64_MAX), std::uint64_t{INT64_MAX});
    EXPECT_EQ(displacement_cap(1, std::nullopt, INT64_MAX / 2), std::uint64_t{INT64_MAX} - 1);
    EXPECT_EQ(displacement_cap(2, std::nullopt, INT64_MAX / 2), std::uint64_t{INT64_MAX});
}

TEST(Settlement, cap_comes_from_the_task_constant_while_hits_are_few) {
    OwnedRound round;
    round.add(2, 128, 0, {64 * 100, 0});  // a displacement of 100
    const Parameters theta{0, 0};
    SettlementHistory few;
    few.segments = {{63, 63}};  // one each
    EXPECT_EQ(settle_round(theta, {}, few, round.segments, {128, 25}).theta, (Parameters{6400, 0}));
    few.segments = {{64, 64}};
    const SettledRound settled = settle_round(theta, {}, few, round.segments, {128, 25});
    // 2 * 1 * max(2, isqrt(2 * 64) = 11) = 22: floor(6400 * 22 / 101)
    EXPECT_EQ(settled.theta, (Parameters{1394, 0}));
    EXPECT_EQ(settled.history.segments.back(), (SegmentRecord{2, 22}));
}

TEST(Settlement, a_delta_beyond_the_cap_is_scaled_toward_minus_infinity) {
    OwnedRound round;
    round.add(1, 128, 0, {6400, -1, 1, -640, 0});  // moved 100 (floor of sqrt(100^2 + 10^2))
    const SettledRound settled = settle_round(Parameters(5), {}, {}, round.segments, {128, 20});
    EXPECT_EQ(settled.theta, (Parameters{2534, -1, 0, -254, 0}));  // times 40 / 101
    EXPECT_EQ(settled.history.segments, (std::vector<SegmentRecord>{{1, 40}}));
}

TEST(Settlement, a_displacement_equal_to_the_cap_is_not_scaled) {
    OwnedRound round;
    round.add(1, 128, 0, {6400});
    EXPECT_EQ(settle_round(Parameters{0}, {}, {}, round.segments, {128, 50}).theta,
              Parameters{6400});
    EXPECT_EQ(settle_round(Parameters{0}, {}, {}, round.segments, {128, 49}).theta,
              Parameters{6400 * 98 / 101});
}

TEST(Settlement, a_cap_of_zero_lets_nothing_pass_that_counts) {
    OwnedRound round;
    round.add(1, 128, 0, {6400, -6400, 1, -1});
    const SettledRound settled = settle_round(Parameters(4), {}, {}, round.segments, {128, 0});
    EXPECT_EQ(settled.theta, Parameters(4));
    EXPECT_EQ(settled.history.segments, (std::vector<SegmentRecord>{{1, 0}}));
}

TEST(Settlement, a_task_that_stood_still_moves_again) {
    SettledRound state{Parameters{0}, {}, history_with(2, 0)};
    OwnedRound round;
    round.add(2, 128, 0, {64 * 100'000});
    std::uint64_t last = 0;
    for (int i = 0; i < 4'000 && last < 100'000; ++i) {
        state = settle_round(Parameters{0}, {}, state.history, round.segments, kRules);
        ASSERT_GE(state.history.segments.back().displacement, last);
        ASSERT_GT(state.theta[0], 0);
        last = state.history.segments.back().displacement;
    }
    EXPECT_EQ(last, 100'000U);  // the median followed, so that nothing is clipped any more
}

TEST(Settlement, statistics_are_those_before_the_round) {
    OwnedRound round;
    round.add(128, 128, 0, {64 * 1'000'000});
    round.add(1, 128, 0, {64 * 100});
    const SettledRound settled =
        settle_round(Parameters{0}, {}, history_with(1, 10), round.segments, kRules);
    const auto& records = settled.history.segments;
    ASSERT_EQ(records.size(), 102U);
    EXPECT_EQ(records[100], (SegmentRecord{128, 2560}));
    EXPECT_EQ(records[101], (SegmentRecord{1, 20}));  // in order of segments
}

TEST(Settlement, scaling_is_exact_division_at_every_size) {
    constexpr std::uint64_t kSeed = 31;
    std::mt19937_64 random(kSeed);
    for (int run = 0; run < 400; ++run) {
        const auto amplitude = static_cast<std::int32_t>(1 + random() % kDeltaLimit) >>
                               static_cast<int>(random() % 22);
        OwnedRound round;
        Parameters delta = drawn_delta(random, 64, amplitude);
        delta[0] = kDeltaLimit;
        delta[1] = -kDeltaLimit;
        round.add(1, 128, 0, delta);
        const std::uint64_t moved = displacement(delta);
        const std::uint64_t half = random() % 3 == 0 ? moved / 2 : random() % (moved / 2 + 1);
        const std::uint64_t cap = 2 * half;
        const SettledRound settled =
            settle_round(Parameters(64), {}, {}, round.segments, {128, half});
        for (std::size_t i = 0; i < delta.size(); ++i) {
            const auto wide = std::int64_t{delta[i]} * static_cast<std::int64_t>(cap);
            auto expected = wide / static_cast<std::int64_t>(moved + 1);
            if (wide % static_cast<std::int64_t>(moved + 1) < 0) --expected;
            if (moved <= cap) expected = delta[i];
            expected = std::clamp<std::int64_t>(expected, -kParameterLimit, kParameterLimit);
            ASSERT_EQ(settled.theta[i], expected) << "seed " << kSeed << " run " << run;
        }
    }
}

// ------------------------------------------------------------------------------------------------
// what a caller must not do

TEST(Settlement, numbers_out_of_range_are_our_own_bug) {
    const Parameters theta{0, 0};
    const Parameters fine{1, 1};
    const Parameters far{0, kDeltaLimit + 1};
    const auto settle = [&](SettledSegment segment, SettlementRules rules = kRules) {
        static_cast<void>(settle_round(theta, {}, {}, {&segment, 1}, rules));
    };
    settle({128, 4096, 3, fine});
    EXPECT_DEATH(settle({0, 1, 0, fine}), "CHECK failed: segment.hits");
    EXPECT_DEATH(settle({129, 1, 0, fine}), "CHECK failed: segment.hits");
    EXPECT_DEATH(settle({1, 0, 0, fine}), "CHECK failed: segment.paid_units");
    EXPECT_DEATH(settle({1, 1, 4, fine}), "CHECK failed: segment.lateness");
    EXPECT_DEATH(settle({1, 1, 0, {}}), "CHECK failed: segment.delta");
    EXPECT_DEATH(settle({1, 1, 0, far}), "CHECK failed: largest");
    EXPECT_DEATH(settle({1, 1, 0, fine}, {0, 1}), "CHECK failed: rules.full_units");
    EXPECT_DEATH(settle({1, 1, 0, fine}, {4097, 1}), "CHECK failed: rules.full_units");
}

// ------------------------------------------------------------------------------------------------
// the held-out rule

TEST(Settlement, a_step_may_raise_the_error_by_a_twentieth) {
    EXPECT_TRUE(step_is_acceptable(105, 100));
    EXPECT_FALSE(step_is_acceptable(106, 100));
    EXPECT_TRUE(step_is_acceptable(0, 0));
    EXPECT_FALSE(step_is_acceptable(1, 0));
    EXPECT_TRUE(step_is_acceptable(19, 19));
    EXPECT_FALSE(step_is_acceptable(20, 19));  // 400 > 399
    EXPECT_TRUE(step_is_acceptable(21, 20));
    EXPECT_TRUE(step_is_acceptable(INT64_MAX, INT64_MAX));  // beyond 64 bits
    EXPECT_FALSE(step_is_acceptable(INT64_MAX, INT64_MAX / 21 * 20 - 20));
    EXPECT_TRUE(step_is_acceptable(INT64_MAX, INT64_MAX / 21 * 20 + 20));
}

TEST(Settlement, reference_moves_to_a_model_that_is_not_worse) {
    EXPECT_TRUE(reference_moves(5, 5));
    EXPECT_TRUE(reference_moves(4, 5));
    EXPECT_FALSE(reference_moves(6, 5));
}

}  // namespace
}  // namespace gradient::chain
