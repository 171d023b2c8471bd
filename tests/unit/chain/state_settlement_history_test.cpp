#include "chain/state/settlement_history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace gradient::chain {
namespace {

SettlementHistory history_of(std::vector<SegmentRecord> records,
                             std::vector<std::uint64_t> weights = {}) {
    return {std::move(records), std::move(weights)};
}

TEST(SettlementHistories, median_is_the_smallest_value_with_half_of_the_weight_at_or_below) {
    EXPECT_EQ(lower_median({{7, 1}}), 7U);
    EXPECT_EQ(lower_median({{7, 1}, {3, 1}}), 3U);
    EXPECT_EQ(lower_median({{7, 1}, {3, 1}, {5, 1}}), 5U);
    EXPECT_EQ(lower_median({{9, 3}, {1, 3}}), 1U);  // exactly half
    EXPECT_EQ(lower_median({{9, 4}, {1, 3}}), 9U);
    EXPECT_EQ(lower_median({{1, 0}, {2, 5}, {3, 5}}), 2U);
    EXPECT_EQ(lower_median({{UINT64_MAX, 1}, {0, 1}, {UINT64_MAX, 1}}), UINT64_MAX);
}

TEST(SettlementHistories, median_is_that_of_the_values_written_out) {
    constexpr std::uint64_t kSeed = 11;
    std::mt19937_64 random(kSeed);
    for (int run = 0; run < 500; ++run) {
        std::vector<WeightedValue> values(1 + random() % 12);
        std::vector<std::uint64_t> all;
        for (WeightedValue& entry : values) {
            entry = {random() % 9, 1 + random() % 5};
            all.insert(all.end(), entry.weight, entry.value);
        }
        std::ranges::sort(all);
        ASSERT_EQ(lower_median(values), all[(all.size() - 1) / 2])
            << "seed " << kSeed << ' ' << run;
    }
}

TEST(SettlementHistories, medians_count_hits_and_displacement_per_hit) {
    // Hits 40, 20, 4: 64 in all, so that half is reached within the first record.
    const auto usual = usual_segment(history_of({{40, 4019}, {20, 5000}, {4, 8}}));
    ASSERT_TRUE(usual);
    EXPECT_EQ(usual->displacement_per_hit, 100U);  // floor(4019 / 40)
    EXPECT_EQ(usual->hits, 40U);
    // A crowd of records with one hit each weighs no more than its hits.
    std::vector<SegmentRecord> records(31, SegmentRecord{1, 1'000'000});
    records.push_back({33, 33});
    EXPECT_EQ(usual_segment(history_of(records))->displacement_per_hit, 1U);
    EXPECT_EQ(usual_segment(history_of(records))->hits, 33U);
}

TEST(SettlementHistories, fewer_than_64_hits_say_nothing) {
    EXPECT_FALSE(usual_segment({}));
    EXPECT_FALSE(usual_segment(history_of({{60, 5}, {3, 5}})));
    EXPECT_TRUE(usual_segment(history_of({{60, 5}, {4, 5}})));
}

TEST(SettlementHistories, least_weight_is_half_the_median_round) {
    EXPECT_EQ(least_weight({}), 0U);
    EXPECT_EQ(least_weight(history_of({}, {7})), 3U);
    EXPECT_EQ(least_weight(history_of({}, {100, 9})), 4U);
    EXPECT_EQ(least_weight(history_of({}, {100, 9, 50})), 25U);
}

TEST(SettlementHistories, shortest_suffix_with_512_hits_is_kept) {
    SettlementHistory history;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        history = extended(std::move(history), std::vector<SegmentRecord>{{128, i}}, i);
    }
    EXPECT_EQ(history.segments,
              (std::vector<SegmentRecord>{{128, 2}, {128, 3}, {128, 4}, {128, 5}}));
    // One hit more: the record of unit 2 is no longer needed when the others hold 512 alone.
    history = extended(std::move(history), std::vector<SegmentRecord>{{127, 6}}, 6);
    EXPECT_EQ(history.segments.size(), 5U);
    history = extended(std::move(history), std::vector<SegmentRecord>{{1, 7}}, 7);
    EXPECT_EQ(history.segments.front(), (SegmentRecord{128, 3}));
    EXPECT_EQ(history.segments.size(), 5U);
    EXPECT_TRUE(is_possible(history));
}

TEST(SettlementHistories, no_more_than_512_records_are_kept_of_a_large_round) {
    const std::vector<SegmentRecord> records(kMaxSettledSegments, SegmentRecord{1, 5});
    const SettlementHistory history = extended({}, records, 1);
    EXPECT_EQ(history.segments.size(), kHistoryHits);
    EXPECT_TRUE(is_possible(history));
}

TEST(SettlementHistories, last_32_weights_are_kept) {
    SettlementHistory history;
    for (std::uint64_t i = 1; i <= 40; ++i) history = extended(std::move(history), {}, i);
    ASSERT_EQ(history.round_weights.size(), kHistoryRounds);
    EXPECT_EQ(history.round_weights.front(), 9U);
    EXPECT_EQ(history.round_weights.back(), 40U);
}

TEST(SettlementHistories, numbers_out_of_range_are_not_possible) {
    EXPECT_TRUE(is_possible({}));
    EXPECT_TRUE(is_possible(history_of({{128, kMaxDisplacement}}, {kMaxRoundWeight})));
    EXPECT_FALSE(is_possible(history_of({{0, 5}})));
    EXPECT_FALSE(is_possible(history_of({{129, 5}})));
    EXPECT_FALSE(is_possible(history_of({{1, kMaxDisplacement + 1}})));
    EXPECT_FALSE(is_possible(history_of({}, {0})));
    EXPECT_FALSE(is_possible(history_of({}, {kMaxRoundWeight + 1})));
    EXPECT_FALSE(is_possible(history_of({}, std::vector<std::uint64_t>(33, 1))));
    EXPECT_FALSE(is_possible(history_of(std::vector<SegmentRecord>(5, {128, 1}))));
}

TEST(SettlementHistories, wire_form_is_two_bounded_lists) {
    const SettlementHistory history = history_of({{3, 0x0102}, {1, 5}}, {0x0a0b});
    EXPECT_EQ(to_hex(encode(history)),
              "02"
              "03000000"
              "0201000000000000"
              "01000000"
              "0500000000000000"
              "01"
              "0b0a000000000000");
    EXPECT_EQ(decode_exact<SettlementHistory>(encode(history)), history);
    const auto refused = [](const SettlementHistory& longer) {
        return decode_exact<SettlementHistory>(encode(longer)).error();
    };
    EXPECT_EQ(refused(history_of(std::vector<SegmentRecord>(513))), CodecError::too_large);
    EXPECT_EQ(refused(history_of({}, std::vector<std::uint64_t>(33))), CodecError::too_large);
}

}  // namespace
}  // namespace gradient::chain
