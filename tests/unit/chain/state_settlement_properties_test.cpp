// What the settlement promises whatever the segments are, on drawn rounds. Each failure names its
// seed.

#include "chain/base/integer_math.hpp"
#include "chain/state/settlement.hpp"
#include "chain/types/limits.hpp"
#include "tests/support/settlement_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace gradient::chain {
namespace {

using test::drawn_delta;
using test::OwnedRound;
using Parameters = std::vector<std::int32_t>;

constexpr std::size_t kSize = 200;
constexpr std::int32_t kUsual = 1 << 21;  // how far a lane moves a parameter at most

std::uint32_t below(std::mt19937_64& random, std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
}

// Lanes of one length whose displacement is about the same, whatever their hits.
OwnedRound honest_round(std::mt19937_64& random, std::uint32_t count, std::uint32_t hits) {
    OwnedRound round;
    for (std::uint32_t j = 0; j < count; ++j) {
        round.add(hits, 128, 0, drawn_delta(random, kSize, kUsual));
    }
    return round;
}

// The history after so many honest rounds.
SettlementHistory honest_history(std::mt19937_64& random, std::uint32_t hits) {
    const SettlementRules rules{128, UINT64_MAX};
    SettledRound state{Parameters(kSize), {}, {}};
    for (int i = 0; i < 40; ++i) {
        state = settle_round(Parameters(kSize), {}, state.history,
                             honest_round(random, 4, hits).segments, rules);
    }
    return state.history;
}

template <class Property>
void for_seeds(Property property) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 random(seed);
        property(random);
        if (testing::Test::HasFatalFailure()) return;
    }
}

TEST(SettlementProperties, honest_equal_segments_are_never_clipped) {
    for_seeds([](std::mt19937_64& random) {
        const std::uint32_t hits = 1 + below(random, 8);
        const SettlementHistory history = honest_history(random, hits);
        const OwnedRound round = honest_round(random, 20, hits);
        const SettledRound settled =
            settle_round(Parameters(kSize), {}, history, round.segments, {128, 1});
        for (std::size_t j = 0; j < 20; ++j) {
            ASSERT_EQ(settled.history.segments.end()[static_cast<std::ptrdiff_t>(j) - 20],
                      (SegmentRecord{hits, displacement(round.deltas[j])}));
        }
    });
}

TEST(SettlementProperties, a_segment_moved_a_thousand_times_as_far_moves_the_model_by_its_cap) {
    for_seeds([](std::mt19937_64& random) {
        SettlementHistory history = honest_history(random, 2);
        history.round_weights.clear();  // so that one segment carries a whole step
        Parameters delta = drawn_delta(random, kSize, 200'000);
        for (std::int32_t& entry : delta) entry *= 1000;
        OwnedRound round;
        round.add(2, 128, 0, delta);
        const SettledRound settled =
            settle_round(Parameters(kSize), {}, history, round.segments, {128, 1});
        const std::uint64_t cap = displacement_cap(2, usual_segment(history), 1);
        ASSERT_GT(displacement(delta), cap);
        ASSERT_LE(displacement(settled.theta), cap + integer_sqrt(kSize) + 1);
        ASSERT_GE(displacement(settled.theta), cap - cap / 100);
        ASSERT_EQ(settled.history.segments.back(), (SegmentRecord{2, cap}));
    });
}

TEST(SettlementProperties, medians_do_not_follow_a_minority_of_hits) {
    for_seeds([](std::mt19937_64& random) {
        SettlementHistory history = honest_history(random, 2);
        const std::uint64_t before = usual_segment(history)->displacement_per_hit;
        for (int i = 0; i < 40; ++i) {  // a liar with 4 of 12 hits a round, for 480 hits
            OwnedRound round = honest_round(random, 4, 2);
            round.add(4, 128, 0, Parameters(kSize, kDeltaLimit));
            history =
                settle_round(Parameters(kSize), {}, history, round.segments, {128, 1}).history;
        }
        ASSERT_LE(usual_segment(history)->displacement_per_hit, before + before / 4);
    });
}

TEST(SettlementProperties, a_later_segment_moves_the_model_less) {
    for_seeds([](std::mt19937_64& random) {
        const OwnedRound others = honest_round(random, 3, 2);
        std::int64_t last = INT64_MAX;
        for (std::uint32_t lateness = 0; lateness <= kMaxLateness; ++lateness) {
            OwnedRound round = others;
            round.deltas[0].assign(kSize, 0);
            round.deltas[1].assign(kSize, 0);
            round.deltas[2].assign(kSize, 0);
            round.add(2, 128, lateness, Parameters(kSize, kUsual));
            const Parameters moved =
                settle_round(Parameters(kSize), {}, {}, round.segments, {128, UINT64_MAX}).theta;
            ASSERT_LT(moved[0], last);
            ASSERT_GT(moved[0], 0);
            last = moved[0];
        }
    });
}

TEST(SettlementProperties, the_mean_is_never_more_than_the_weights_shares_of_the_deltas) {
    // Against sums of fractions: no renormalisation, whoever is late and whatever the list weighs.
    for_seeds([](std::mt19937_64& random) {
        SettlementHistory history;
        history.round_weights.assign(1 + below(random, 32), 1 + below(random, 4000));
        OwnedRound round;
        const std::uint32_t count = 2 + below(random, 2);
        double total = 0;
        std::vector<double> sums(kSize);
        for (std::uint32_t j = 0; j < count; ++j) {
            const std::uint32_t hits = 1 + below(random, 8);
            const std::uint32_t units = 1 + below(random, 200);
            const std::uint32_t lateness = below(random, 4);
            round.add(hits, units, lateness, drawn_delta(random, kSize, kUsual));
            const double weight = hits * std::min(units, 128U);
            total += weight;
            for (std::size_t i = 0; i < kSize; ++i) {
                sums[i] += std::floor(weight / (1 + lateness)) * round.deltas[j][i];
            }
        }
        const double least = std::floor(static_cast<double>(history.round_weights[0]) / 2);
        const SettledRound settled =
            settle_round(Parameters(kSize), {}, history, round.segments, {128, UINT64_MAX});
        ASSERT_EQ(settled.momentum.size(), kSize);
        for (std::size_t i = 0; i < kSize; ++i) {
            ASSERT_EQ(settled.momentum[i], std::floor(sums[i] / std::max(total, least)));
        }
    });
}

TEST(SettlementProperties, the_order_of_segments_does_not_change_the_model) {
    for_seeds([](std::mt19937_64& random) {
        const SettlementHistory history = honest_history(random, 2);
        const Parameters theta = drawn_delta(random, kSize, kParameterLimit);
        const Parameters momentum = drawn_delta(random, kSize, kUsual);
        OwnedRound round;
        for (std::uint32_t j = 0; j < 9; ++j) {
            round.add(1 + below(random, 128), 1 + below(random, 200), below(random, 4),
                      drawn_delta(random, kSize, kUsual << below(random, 7)));
        }
        const SettledRound settled =
            settle_round(theta, momentum, history, round.segments, {128, 1});
        auto shuffled = round.segments;
        std::ranges::shuffle(shuffled, random);
        const SettledRound other = settle_round(theta, momentum, history, shuffled, {128, 1});
        ASSERT_EQ(settled.theta, other.theta);
        ASSERT_EQ(settled.momentum, other.momentum);
        ASSERT_EQ(settled.history.round_weights, other.history.round_weights);
    });
}

TEST(SettlementProperties, no_number_leaves_its_range_at_the_extremes) {
    // Every parameter, delta and momentum at an end of its range, with the most segments there may
    // be; undefined behaviour would show under the sanitizers.
    for (const std::int32_t sign : {1, -1}) {
        const Parameters delta(64, sign * kDeltaLimit);
        OwnedRound round;
        for (std::size_t j = 0; j < kMaxSettledSegments; ++j) {
            round.segments.push_back({kMaxSegmentHits, kMaxUnits, 0, delta});
        }
        for (const std::uint64_t initial : {std::uint64_t{1}, std::uint64_t{2000}, UINT64_MAX}) {
            const SettledRound settled = settle_round(Parameters(64, sign * kParameterLimit),
                                                      Parameters(64, sign * kDeltaLimit), {},
                                                      round.segments, {kMaxUnits, initial});
            EXPECT_EQ(settled.theta, Parameters(64, sign * kParameterLimit));
            EXPECT_TRUE(is_possible(settled.history));
            EXPECT_EQ(settled.history.round_weights, std::vector<std::uint64_t>{kMaxRoundWeight});
            const std::int64_t moved = settled.momentum[0] * std::int64_t{sign};
            EXPECT_GE(moved, kParameterLimit - 1);  // half of the momentum there was
            EXPECT_LE(moved, kDeltaLimit);
        }
    }
}

TEST(SettlementProperties, every_history_that_is_left_is_possible) {
    for_seeds([](std::mt19937_64& random) {
        SettledRound state{Parameters(4), {}, {}};
        for (int i = 0; i < 50; ++i) {
            OwnedRound round;
            for (std::uint32_t j = below(random, 12); j > 0; --j) {
                round.add(1 + below(random, 128), 1 + below(random, 4096), below(random, 4),
                          drawn_delta(random, 4, kDeltaLimit >> below(random, 27)));
            }
            state = settle_round(state.theta, state.momentum, state.history, round.segments,
                                 {1 + below(random, 4096), random() >> below(random, 64)});
            ASSERT_TRUE(is_possible(state.history));
            ASSERT_EQ(decode_exact<SettlementHistory>(encode(state.history)), state.history);
        }
    });
}

}  // namespace
}  // namespace gradient::chain
