#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/consensus/reward.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

using Change = std::function<void(ConsensusParams&)>;

void expect_refused(const Change& change, ParamsError error) {
    ConsensusParams params;
    change(params);
    const auto checked = check_params(params);
    ASSERT_FALSE(checked.has_value()) << describe(error);
    EXPECT_EQ(checked.error(), error) << describe(checked.error());
}

TEST(Params, the_defaults_are_permitted) {
    EXPECT_TRUE(check_params({}).has_value());
}

TEST(Params, refuse_each_value_outside_its_range) {
    expect_refused([](auto& p) { p.interval_ms = 99; }, ParamsError::bad_interval);
    expect_refused([](auto& p) { p.interval_ms = 3'600'001; }, ParamsError::bad_interval);
    expect_refused([](auto& p) { p.half_life_ms = 360 * p.interval_ms - 1; },
                   ParamsError::bad_half_life);
    expect_refused([](auto& p) { p.half_life_ms = (1ULL << 40) + 1; }, ParamsError::bad_half_life);
    expect_refused([](auto& p) { p.max_bits = 0; }, ParamsError::bad_max_bits);
    expect_refused([](auto& p) { p.max_bits = 0x20ffffff; }, ParamsError::bad_max_bits);
    expect_refused([](auto& p) { p.max_future_ms = 999; }, ParamsError::bad_max_future);
    expect_refused([](auto& p) { p.anchor.bits = 0x01000000; }, ParamsError::bad_anchor);
    expect_refused([](auto& p) { p.max_bits = 0x1d00ffff; }, ParamsError::bad_anchor);
    expect_refused([](auto& p) { p.anchor.time_ms = 1ULL << 48; }, ParamsError::bad_anchor);
    expect_refused([](auto& p) { p.work.max_units = 0; }, ParamsError::bad_max_units);
    expect_refused([](auto& p) { p.work.max_units = kMaxUnits + 1; }, ParamsError::bad_max_units);
    expect_refused([](auto& p) { p.work.max_hits = 129; }, ParamsError::bad_max_hits);
    expect_refused([](auto& p) { p.work.hits_per_win = 0; }, ParamsError::bad_hit_target);
    expect_refused([](auto& p) { p.work.units_per_hit = 0; }, ParamsError::bad_hit_target);
    expect_refused([](auto& p) { p.work.guards = 9; }, ParamsError::bad_guards);
    expect_refused([](auto& p) { p.max_block_bytes = kMaxBlockBytes + 1; },
                   ParamsError::bad_size_limit);
    expect_refused([](auto& p) { p.work.max_segment_bytes = p.max_block_bytes; },
                   ParamsError::bad_size_limit);
    expect_refused([](auto& p) { p.hit_reward = kMaxAmount; }, ParamsError::bad_reward);
    expect_refused([](auto& p) { p.halving_blocks = 0; }, ParamsError::bad_halving);
    expect_refused([](auto& p) { p.full_pay_units = 0; }, ParamsError::bad_pay_units);
    expect_refused([](auto& p) { p.maturity_blocks = 0; }, ParamsError::bad_maturity);
}

// ---------------------------------------------------------------------------------- difficulty

ConsensusParams scheduled(std::uint32_t bits = 0x1b7fffff) {
    ConsensusParams params;
    params.anchor = {1'000'000'000, bits};
    return params;
}

// Bits for the child of a block at that height whose time is that far behind the schedule.
std::uint32_t bits_behind(const ConsensusParams& params, std::uint64_t height, std::int64_t ms) {
    const std::uint64_t due = params.anchor.time_ms + params.interval_ms * height;
    return next_bits(params, height, due + static_cast<std::uint64_t>(ms));
}

U256 target(std::uint32_t bits) {
    return *from_compact(bits);
}

TEST(Difficulty, stays_on_schedule) {
    const ConsensusParams params = scheduled();
    for (const std::uint64_t height : {0ULL, 1ULL, 1000ULL, 1ULL << 40}) {
        EXPECT_EQ(bits_behind(params, height, 0), params.anchor.bits);
    }
}

TEST(Difficulty, doubles_and_halves_with_each_half_life) {
    const ConsensusParams params = scheduled(0x1b400000);
    const auto half_life = static_cast<std::int64_t>(params.half_life_ms);
    for (const std::uint64_t height : {0ULL, 5000ULL}) {
        EXPECT_EQ(target(bits_behind(params, height, half_life)), U256(0x400000) << (8 * 24 + 1));
        EXPECT_EQ(target(bits_behind(params, height, 10 * half_life)), U256(0x400000)
                                                                           << (8 * 24 + 10));
    }
    EXPECT_EQ(target(bits_behind(params, 5000, -half_life)), U256(0x400000) << (8 * 24 - 1));
}

TEST(Difficulty, moves_by_the_published_cubic_between) {
    const ConsensusParams params = scheduled();
    const auto half = static_cast<std::int64_t>(params.half_life_ms / 2);
    const double up = target(bits_behind(params, 5000, half)).to_double();
    const double down = target(bits_behind(params, 5000, -half)).to_double();
    const double anchor = target(params.anchor.bits).to_double();
    EXPECT_NEAR(up / anchor, 1.41421356, 0.0003);
    EXPECT_NEAR(down / anchor, 0.70710678, 0.0003);
}

TEST(Difficulty, never_moves_the_wrong_way) {
    const ConsensusParams params = scheduled();
    U256 previous;
    for (std::int64_t ms = -3'600'000; ms <= 3'600'000; ms += 9'973) {
        const U256 now = target(bits_behind(params, 100'000, ms));
        EXPECT_GE(now, previous) << ms;
        previous = now;
    }
}

TEST(Difficulty, rounds_the_exponent_toward_minus_infinity) {
    const ConsensusParams params = scheduled();
    // one millisecond ahead of schedule is a whole 65536th step down, one behind it none up
    EXPECT_LT(target(bits_behind(params, 10, -1)), target(params.anchor.bits));
    EXPECT_EQ(bits_behind(params, 10, 1), params.anchor.bits);
}

TEST(Difficulty, stays_within_its_bounds_at_any_time) {
    ConsensusParams params = scheduled();
    params.max_bits = 0x1f00ffff;
    EXPECT_EQ(next_bits(params, 0, UINT64_MAX), params.max_bits);
    EXPECT_EQ(bits_behind(params, 0, 1LL << 50), params.max_bits);
    EXPECT_EQ(next_bits(params, UINT64_MAX - 1, 0), to_compact(U256(1)));
    EXPECT_EQ(next_bits(params, 1ULL << 40, params.anchor.time_ms), to_compact(U256(1)));
    EXPECT_EQ(next_bits(params, 0, 0), next_bits(params, 0, 0));
}

TEST(Difficulty, depends_on_nothing_but_the_parent) {
    // Two histories that meet in one parent time have one difficulty: no window, no memory.
    const ConsensusParams params = scheduled();
    EXPECT_EQ(next_bits(params, 77, 1'000'900'000), next_bits(params, 77, 1'000'900'000));
    EXPECT_NE(next_bits(params, 78, 1'000'900'000), next_bits(params, 77, 1'000'900'000));
}

TEST(Difficulty, follows_a_miner_ten_times_as_fast_and_back) {
    // Expected block time under a rate of `rate` units of work a millisecond, without luck.
    ConsensusParams params = scheduled();
    std::uint64_t time = params.anchor.time_ms;
    std::uint64_t height = 0;
    const double base = block_work(params.anchor.bits).to_double() / 10'000;
    const auto mine = [&](double rate, int blocks) {
        double taken = 0;
        for (int i = 0; i < blocks; ++i) {
            taken = block_work(next_bits(params, height, time)).to_double() / (rate * base);
            time += static_cast<std::uint64_t>(taken + 0.5);
            ++height;
        }
        return taken;
    };
    EXPECT_NEAR(mine(1, 500), 10'000, 5);
    EXPECT_NEAR(mine(10, 6000), 10'000, 50);
    EXPECT_NEAR(mine(0.1, 6000), 10'000, 50);
}

TEST(Difficulty, reads_only_targets_that_the_network_allows) {
    ConsensusParams params = scheduled();
    params.max_bits = 0x1d00ffff;
    EXPECT_EQ(target_of(0x1d00ffff, params), target(0x1d00ffff));
    EXPECT_FALSE(target_of(0x1d010000, params).has_value());
    EXPECT_FALSE(target_of(0, params).has_value());
    EXPECT_FALSE(target_of(0x1d80ffff, params).has_value());
    EXPECT_FALSE(target_of(0x04000001, params).has_value());
}

TEST(Difficulty, work_of_a_block_is_its_expected_flops) {
    EXPECT_EQ(block_work(to_compact(U256(1) << 200)), *checked_sub(U256(1) << 56, U256(1)));
    EXPECT_EQ(block_work(0x207fffff), U256(2));
}

// -------------------------------------------------------------------------------------- rewards

TEST(Reward, halves_on_schedule_and_ends) {
    ConsensusParams params;
    params.halving_blocks = 100;
    EXPECT_TRUE(block_reward(params, 0).is_zero());
    EXPECT_EQ(block_reward(params, 1), params.block_reward);
    EXPECT_EQ(block_reward(params, 99), params.block_reward);
    EXPECT_EQ(block_reward(params, 100).units(), params.block_reward.units() / 2);
    EXPECT_EQ(block_reward(params, 250).units(), params.block_reward.units() / 4);
    EXPECT_TRUE(block_reward(params, 64 * 100).is_zero());
    EXPECT_TRUE(block_reward(params, UINT64_MAX).is_zero());
}

TEST(Reward, pays_hits_in_proportion_to_their_chance_of_winning) {
    const ConsensusParams params;
    const std::uint64_t whole = params.hit_reward.units();
    const Targets usual{U256(1) << 220, U256(64) << 220};
    EXPECT_EQ(hit_reward(params, 1, usual).units(), whole / 64);
    EXPECT_EQ(hit_reward(params, 1, {U256::max(), U256::max()}).units(), whole);
    EXPECT_EQ(hit_reward(params, 1, {U256(0), U256(0)}).units(), whole);
    EXPECT_EQ(hit_reward(params, 1, {U256(3), U256(7)}).units(), whole * 3 / 7);
    EXPECT_TRUE(hit_reward(params, 0, usual).is_zero());
}

TEST(Reward, pays_short_segments_less) {
    const ConsensusParams params;
    const Targets targets{U256(1) << 220, U256(64) << 220};
    const std::uint64_t hit = hit_reward(params, 1, targets).units();
    EXPECT_EQ(segment_reward(params, 1, targets, 10, 128).units(), 10 * hit);
    EXPECT_EQ(segment_reward(params, 1, targets, 10, 4096).units(), 10 * hit);
    EXPECT_EQ(segment_reward(params, 1, targets, 10, 64).units(), 5 * hit);
    EXPECT_EQ(segment_reward(params, 1, targets, 1, 1).units(), hit / 128);
}

TEST(Reward, mints_less_than_the_largest_amount_for_ever) {
    const ConsensusParams params;
    const auto each_halving = checked_add(params.block_reward, params.hit_reward);
    const auto all = checked_mul(*each_halving, 2 * params.halving_blocks);
    EXPECT_TRUE(all.has_value());
}

// --------------------------------------------------------------------------------------- errors

template <class Error>
void expect_described(Error last) {
    std::set<std::string> sentences;
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        const auto error = static_cast<Error>(i);
        EXPECT_TRUE(sentences.insert(std::string(describe(error))).second) << describe(error);
        EXPECT_EQ(describe(RuleError(error)), describe(error));
        EXPECT_EQ(blame(RuleError(error)), blame(error));
    }
    EXPECT_EQ(sentences.size(), static_cast<std::size_t>(last) + 1);
}

TEST(Errors, each_has_a_sentence_and_a_consequence) {
    expect_described(HeaderError::evidence_missing);
    expect_described(SegmentError::replay_missing);
    expect_described(BlockError::wrong_state_root);
}

TEST(Errors, a_wrong_witness_condemns_the_copy_and_a_wrong_replay_the_id) {
    EXPECT_EQ(blame(SegmentError::missing_hit), Consequence::malformed);
    EXPECT_EQ(blame(SegmentError::opening_differs), Consequence::malformed);
    EXPECT_EQ(blame(SegmentError::bad_signature), Consequence::malformed);
    EXPECT_EQ(blame(HeaderError::evidence_differs), Consequence::malformed);
    EXPECT_EQ(blame(SegmentError::replay_differs), Consequence::invalid);
    EXPECT_EQ(blame(SegmentError::untrainable_state), Consequence::invalid);
    EXPECT_EQ(blame(HeaderError::time_too_far), Consequence::not_yet);
    EXPECT_EQ(blame(HeaderError::evidence_missing), Consequence::not_yet);
    EXPECT_EQ(blame(SegmentError::replay_missing), Consequence::ours);
}

}  // namespace
}  // namespace gradient::chain
