#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/targets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace gradient::chain {
namespace {

Hash256 hash_of(std::uint8_t value) {
    Hash256 hash;
    hash.bytes.fill(value);
    return hash;
}

TEST(Digests, are_the_tagged_hashes_of_the_specification) {
    const std::vector<std::int32_t> parameters{1, -2, 0x01020304};
    const Bytes bytes = *from_hex(
        "01000000"
        "feffffff"
        "04030201");
    EXPECT_EQ(model_digest(parameters), tagged_hash("gradient/model", bytes));
    const Hash256 root = model_digest(parameters);
    const Bytes loss = *from_hex("fbffffffffffffff");
    EXPECT_EQ(state_digest(root, -5, hash_of(1)),
              tagged_hash("gradient/state", root, loss, hash_of(1)));
    EXPECT_EQ(start_digest(root), state_digest(root, 0, Hash256{}));
    const Bytes unit = *from_hex("01020000");
    EXPECT_EQ(unit_seed(hash_of(2), 0x0201, hash_of(3)),
              tagged_hash("gradient/batch", hash_of(2), unit, hash_of(3)));
    EXPECT_EQ(unit_digest(hash_of(2), 0x0201, hash_of(3), hash_of(4)),
              tagged_hash("gradient/unit", hash_of(2), unit, hash_of(3), hash_of(4)));
    EXPECT_EQ(lane_digest(hash_of(2), hash_of(3)),
              tagged_hash("gradient/lane", hash_of(2), hash_of(3)));
    EXPECT_EQ(gradient_digest(bytes), tagged_hash("gradient/gradient", bytes));
    EXPECT_EQ(ticket_of(hash_of(5)).to_big_endian(), tagged_hash("gradient/ticket", hash_of(5)));
}

TEST(Digests, of_a_lane_chain_every_state_before_them) {
    std::vector<Hash256> states{hash_of(1), hash_of(2), hash_of(3)};
    const auto digests = lane_digests(hash_of(9), hash_of(8), states);
    ASSERT_EQ(digests.size(), 4U);
    EXPECT_EQ(digests[0], lane_digest(hash_of(9), hash_of(8)));
    EXPECT_EQ(digests[3], unit_digest(hash_of(9), 3, digests[2], states[2]));
    states[0].bytes[31] ^= 1;
    const auto others = lane_digests(hash_of(9), hash_of(8), states);
    EXPECT_EQ(others[0], digests[0]);
    for (std::size_t i = 1; i < 4; ++i) EXPECT_NE(others[i], digests[i]);
}

TEST(Targets, follow_the_work_of_a_unit) {
    const WorkParams params;
    const Targets one = targets_for(U256(1) << 200, 1 << 20, params);
    EXPECT_EQ(one.win, U256(1) << 220);
    EXPECT_EQ(one.hit, U256(64) << 220);
    const Targets twice = targets_for(U256(1) << 200, 2 << 20, params);
    EXPECT_EQ(twice.win, U256(1) << 221);
}

TEST(Targets, make_no_hit_cheaper_than_a_hundred_units) {
    const WorkParams params;
    const U256 hundredth = divide(U256::max(), U256(100)).quotient;
    EXPECT_EQ(targets_for(U256(1) << 230, 1 << 19, params).hit, hundredth);  // 64 p_win = 1/2
    const Targets below = targets_for(U256(1) << 223, 1 << 20, params);      // 64 p_win = 1/128
    EXPECT_EQ(below.hit, U256(1) << 249);
}

TEST(Targets, every_win_is_a_hit) {
    const WorkParams params;
    const Targets half = targets_for(U256(1) << 235, 1 << 20, params);
    EXPECT_EQ(half.win, U256(1) << 255);
    EXPECT_EQ(half.hit, half.win);
    const Targets all = targets_for(U256::max(), 3, params);
    EXPECT_EQ(all.win, U256::max());
    EXPECT_EQ(all.hit, U256::max());
    const Targets none = targets_for(U256(0), 1 << 20, params);
    EXPECT_TRUE(none.win.is_zero());
    EXPECT_TRUE(none.hit.is_zero());
}

TEST(Targets, include_their_bound) {
    const Hash256 digest = hash_of(5);
    const U256 ticket = ticket_of(digest);
    const U256 below = *checked_sub(ticket, U256(1));
    EXPECT_EQ((Targets{ticket, ticket}.classify(digest)), TicketClass::win);
    EXPECT_EQ((Targets{below, ticket}.classify(digest)), TicketClass::hit);
    EXPECT_EQ((Targets{below, below}.classify(digest)), TicketClass::none);
}

TEST(Guards, are_distinct_ascending_and_no_hits) {
    const std::vector<std::uint32_t> hits{2, 5, 9, 10};
    for (std::uint8_t i = 0; i < 200; ++i) {
        const auto guards = draw_guards(hash_of(i), 10, hits, 3);
        ASSERT_EQ(guards.size(), 3U);
        EXPECT_TRUE(std::ranges::is_sorted(guards));
        EXPECT_EQ(std::set<std::uint32_t>(guards.begin(), guards.end()).size(), 3U);
        for (const std::uint32_t guard : guards) {
            EXPECT_GE(guard, 1U);
            EXPECT_LE(guard, 10U);
            EXPECT_FALSE(std::ranges::binary_search(hits, guard));
        }
    }
}

TEST(Guards, are_fewer_where_fewer_units_are_left) {
    const std::vector<std::uint32_t> all{1, 2, 3};
    EXPECT_TRUE(draw_guards(hash_of(1), 3, all, 2).empty());
    EXPECT_EQ(draw_guards(hash_of(1), 4, all, 2), (std::vector<std::uint32_t>{4}));
    const std::vector<std::uint32_t> last{3};
    EXPECT_EQ(draw_guards(hash_of(1), 3, last, 2), (std::vector<std::uint32_t>{1, 2}));
}

TEST(Guards, fall_on_every_unit_alike) {
    std::map<std::uint32_t, int> counts;
    const std::vector<std::uint32_t> hits{4};
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const Hash256 digest = sha256(encode(i));
        for (const std::uint32_t guard : draw_guards(digest, 6, hits, 2)) ++counts[guard];
    }
    ASSERT_EQ(counts.size(), 5U);
    for (const auto& [unit, count] : counts) EXPECT_NEAR(count, 1200, 150) << unit;
}

}  // namespace
}  // namespace gradient::chain
