// The pool of shares.

#include "chain/pool/share_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Hash256 hash(std::uint8_t kind, std::uint64_t number) {
    Hash256 made;
    made.bytes[0] = kind;
    for (std::size_t i = 0; i < 8; ++i) {
        made.bytes[1 + i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return made;
}

PublicKey miner(std::uint8_t number) {
    PublicKey made;
    made.bytes[0] = number;
    return made;
}

// Share number `number`, of the round with that number on the chain whose blocks are hash('b', n).
VerifiedShare share(std::uint64_t number, std::uint64_t round, std::uint32_t hits,
                    std::size_t size_bytes = 1000, std::uint8_t of = 1) {
    VerifiedShare made;
    made.outcome.id = hash('s', number);
    made.outcome.template_hash = hash('t', number);
    made.outcome.round = round;
    made.outcome.miner = miner(of);
    made.outcome.hits = hits;
    made.outcome.paid_units = 1000;
    made.outcome.units = 1000;
    made.outcome.size_bytes = size_bytes;
    made.outcome.delta = std::make_shared<const std::vector<std::int32_t>>();
    Segment segment;
    segment.tmpl.parent = hash('b', round - 1);
    made.segment = std::make_shared<const Segment>(segment);
    return made;
}

// The same of a lane that started on that block.
VerifiedShare started_on(VerifiedShare share, const Hash256& parent) {
    Segment segment = *share.segment;
    segment.tmpl.parent = parent;
    share.segment = std::make_shared<const Segment>(segment);
    return share;
}

// The same with a delta of so many parameters.
VerifiedShare with_delta(VerifiedShare share, std::size_t parameters) {
    share.outcome.delta = std::make_shared<const std::vector<std::int32_t>>(parameters);
    return share;
}

OpenRound open(std::uint64_t round) {
    return {round, hash('b', round - 1), {}};
}

class SharePoolTest : public testing::Test {
  protected:
    void use(const SharePoolLimits& limits) {
        pool = SharePool(limits);
        pool.set_own_miner(miner(9));
        pool.tip_changed(10);
    }
    void take(const VerifiedShare& made) { EXPECT_TRUE(add(made)); }
    Result<std::vector<RemovedShare>, ShareRefusal> add(const VerifiedShare& made) {
        const std::size_t size = pool.size();
        const std::size_t bytes = pool.size_bytes();
        auto added = pool.add(std::make_shared<const VerifiedShare>(made));
        pool.check_invariants();
        if (!added) {
            EXPECT_EQ(pool.size(), size);
            EXPECT_EQ(pool.size_bytes(), bytes);
        }
        return added;
    }
    ShareRefusal refusal(const VerifiedShare& made) {
        const auto added = add(made);
        EXPECT_FALSE(added);
        return added ? ShareRefusal::already_pooled : added.error();
    }
    std::vector<RemovedShare> evicted(const VerifiedShare& made) {
        auto added = add(made);
        EXPECT_TRUE(added);
        return added ? *std::move(added) : std::vector<RemovedShare>();
    }
    static std::vector<Hash256> ids(const std::vector<SharePool::Share>& shares) {
        std::vector<Hash256> made;
        for (const auto& one : shares) made.push_back(one->outcome.id);
        return made;
    }
    // Whether a share that was removed is that number.
    static auto gone(std::uint64_t number, ShareRemoval reason = ShareRemoval::evicted) {
        return testing::AllOf(
            testing::Field(&RemovedShare::reason, reason),
            testing::ResultOf([](const RemovedShare& one) { return one.share->outcome.id; },
                              hash('s', number)));
    }

    SharePoolTest() { use({}); }
    SharePool pool;  // the next block has height 10, the last round is 9
    ShareBudget plenty{.bytes = 1'000'000'000};
};

TEST_F(SharePoolTest, lists_the_round_that_the_tip_ended_best_pay_a_byte_first) {
    take(share(1, 9, 4, 2000));
    take(share(2, 9, 3, 1000));
    take(share(3, 9, 4, 2000));
    take(share(4, 8, 50));
    take(share(5, 10, 50));
    EXPECT_THAT(ids(pool.listed(open(9), plenty)),
                ElementsAre(hash('s', 2), hash('s', 1), hash('s', 3)));
    EXPECT_EQ(pool.find(hash('s', 2))->outcome.hits, 3U);
    EXPECT_EQ(pool.find(hash('s', 99)), nullptr);
}

TEST_F(SharePoolTest, counts_units_up_to_full_pay) {
    VerifiedShare short_lane = share(1, 9, 4);
    short_lane.outcome.paid_units = 64;
    VerifiedShare long_lane = share(2, 9, 3);
    long_lane.outcome.paid_units = 4096;
    take(short_lane);
    take(long_lane);
    EXPECT_THAT(ids(pool.listed(open(9), plenty)), ElementsAre(hash('s', 2), hash('s', 1)));
}

TEST_F(SharePoolTest, lists_only_what_started_on_the_same_block_and_is_not_included) {
    take(share(1, 9, 4));
    take(share(2, 9, 3));
    take(started_on(share(3, 9, 5), hash('c', 8)));
    OpenRound round = open(9);
    round.included.insert(hash('t', 1));
    EXPECT_THAT(ids(pool.listed(round, plenty)), ElementsAre(hash('s', 2)));
    EXPECT_THAT(ids(pool.listed({9, hash('c', 8), {}}, plenty)), ElementsAre(hash('s', 3)));
    EXPECT_THAT(pool.listed(open(8), plenty), IsEmpty());  // only late any more
}

TEST_F(SharePoolTest, keeps_to_the_budget) {
    take(share(1, 9, 9, 1000));
    take(share(2, 9, 8, 1000));
    take(share(3, 9, 1, 500));
    EXPECT_THAT(ids(pool.listed(open(9), {.bytes = 1600})),
                ElementsAre(hash('s', 1), hash('s', 3)));
    EXPECT_THAT(ids(pool.listed(open(9), {.bytes = 5000, .shares = 1})), ElementsAre(hash('s', 1)));
    for (std::uint64_t i = 0; i < kMaxListedSegments; ++i) {
        take(share(100 + i, 9, 2, 100, static_cast<std::uint8_t>(20 + i % 8)));
    }
    EXPECT_EQ(pool.listed(open(9), {.bytes = plenty.bytes, .shares = 9999}).size(),
              kMaxListedSegments);
}

TEST_F(SharePoolTest, takes_lateness_off_the_pay_of_late_ones) {
    // Rounds 8, 7 and 6 are 1, 2 and 3 late: three, two and one quarter of the pay.
    take(share(1, 8, 4));   // 12
    take(share(2, 7, 7));   // 14
    take(share(3, 6, 13));  // 13
    take(share(4, 9, 99));
    const std::vector<OpenRound> rounds = {open(6), open(7), open(8), open(9)};
    EXPECT_THAT(ids(pool.late(rounds, plenty)),
                ElementsAre(hash('s', 2), hash('s', 3), hash('s', 1)));
}

TEST_F(SharePoolTest, one_lane_yields_one_share) {
    take(share(1, 9, 4));
    EXPECT_EQ(refusal(share(1, 9, 4)), ShareRefusal::already_pooled);
    VerifiedShare second = share(2, 9, 5);
    second.outcome.template_hash = hash('t', 1);
    EXPECT_EQ(refusal(second), ShareRefusal::lane_taken);
    EXPECT_EQ(pool.find_lane(hash('t', 1))->outcome.id, hash('s', 1));
    EXPECT_EQ(pool.find_lane(hash('t', 2)), nullptr);
}

TEST_F(SharePoolTest, keeps_rounds_as_long_as_a_block_may_include_them) {
    EXPECT_EQ(refusal(share(1, 5, 4)), ShareRefusal::too_old);
    take(share(2, 6, 4));
    take(share(3, 12, 4));
    EXPECT_EQ(refusal(share(4, 13, 4)), ShareRefusal::too_far_ahead);
    EXPECT_THAT(pool.tip_changed(10), IsEmpty());
    EXPECT_THAT(pool.tip_changed(11), ElementsAre(gone(2, ShareRemoval::too_old)));
    EXPECT_THAT(pool.tip_changed(16), IsEmpty());
    EXPECT_EQ(pool.tip_changed(17).size(), 1U);
    EXPECT_EQ(pool.size(), 0U);
    EXPECT_EQ(pool.size_bytes(), 0U);
    pool.check_invariants();
}

TEST_F(SharePoolTest, a_reorganisation_loses_none) {
    take(share(1, 8, 4));
    take(share(2, 9, 4));
    pool.tip_changed(11);
    EXPECT_THAT(pool.tip_changed(10), IsEmpty());
    EXPECT_THAT(ids(pool.listed(open(9), plenty)), ElementsAre(hash('s', 2)));
}

TEST_F(SharePoolTest, gives_all_and_keeps_height_limits_and_own_key) {
    SharePoolLimits limits;
    limits.round_shares = 2;
    use(limits);
    take(share(1, 8, 4));
    take(share(2, 9, 4));
    EXPECT_THAT(ids(pool.take_all()), ElementsAre(hash('s', 1), hash('s', 2)));
    EXPECT_EQ(pool.size() + pool.size_bytes(), 0U);
    pool.check_invariants();
    take(share(2, 9, 4, 1000, 9));
    take(share(3, 9, 5));
    EXPECT_THAT(evicted(share(4, 9, 6)), ElementsAre(gone(3)));
    EXPECT_EQ(refusal(share(5, 5, 4)), ShareRefusal::too_old);
}

TEST_F(SharePoolTest, a_round_takes_the_best_of_so_many) {
    SharePoolLimits limits;
    limits.round_shares = 2;
    use(limits);
    take(share(1, 9, 4));
    take(share(2, 9, 6));
    EXPECT_EQ(refusal(share(3, 9, 3)), ShareRefusal::pool_full);
    EXPECT_EQ(refusal(share(4, 9, 4)), ShareRefusal::pool_full);  // came later
    EXPECT_THAT(evicted(share(5, 9, 5)), ElementsAre(gone(1)));
    take(share(6, 8, 1));
}

TEST_F(SharePoolTest, a_round_takes_so_many_bytes) {
    SharePoolLimits limits;
    limits.round_bytes = 3000;
    use(limits);
    take(share(1, 9, 4));
    take(share(2, 9, 6));
    EXPECT_THAT(evicted(with_delta(share(3, 9, 50, 1500), 125)), ElementsAre(gone(1)));
    EXPECT_EQ(pool.size_bytes(), 3000U);
    EXPECT_EQ(refusal(with_delta(share(4, 9, 40, 3000), 1)), ShareRefusal::pool_full);
}

TEST_F(SharePoolTest, one_miner_has_so_many_in_a_round) {
    SharePoolLimits limits;
    limits.miner_shares = 2;
    limits.miner_bytes = 5000;
    use(limits);
    take(share(1, 9, 4));
    take(share(2, 9, 6));
    take(share(3, 9, 2, 1000, 2));
    EXPECT_EQ(refusal(share(4, 9, 3)), ShareRefusal::miner_full);
    // Its own worst goes, not another's that is worse still.
    EXPECT_THAT(evicted(share(5, 9, 5)), ElementsAre(gone(1)));
    EXPECT_EQ(refusal(share(6, 9, 1, 6000, 3)), ShareRefusal::miner_full);
    take(share(7, 8, 3));
    for (std::uint64_t i = 0; i < 5; ++i) take(share(10 + i, 9, 1, 1000, 9));
}

TEST_F(SharePoolTest, the_oldest_rounds_go_first_when_the_pool_is_full) {
    SharePoolLimits limits;
    limits.total_bytes = 3000;
    use(limits);
    take(share(1, 7, 50));
    take(share(2, 8, 5));
    take(share(3, 8, 6));
    EXPECT_THAT(evicted(share(4, 9, 1)), ElementsAre(gone(1)));
    EXPECT_THAT(evicted(share(5, 9, 1)), ElementsAre(gone(2)));
    EXPECT_EQ(refusal(share(6, 7, 50)), ShareRefusal::pool_full);
    EXPECT_EQ(refusal(share(7, 8, 5)), ShareRefusal::pool_full);
    EXPECT_THAT(evicted(share(8, 8, 7)), ElementsAre(gone(3)));
}

TEST_F(SharePoolTest, our_own_are_never_dropped_for_others) {
    SharePoolLimits limits;
    limits.total_bytes = 3000;
    limits.round_shares = 2;
    use(limits);
    take(share(1, 9, 1, 1000, 9));
    take(share(2, 9, 50));
    EXPECT_THAT(evicted(share(3, 9, 60)), ElementsAre(gone(2)));
    EXPECT_THAT(evicted(share(4, 9, 1, 1000, 9)), ElementsAre(gone(3)));
    EXPECT_EQ(refusal(share(5, 9, 99)), ShareRefusal::pool_full);
    EXPECT_THAT(evicted(share(6, 9, 2, 1000, 9)), ElementsAre(gone(4)));
    take(share(7, 10, 99));
    // Even one of an older round.
    EXPECT_THAT(evicted(share(8, 8, 1, 1000, 9)), ElementsAre(gone(7)));
    EXPECT_EQ(refusal(share(9, 10, 99)), ShareRefusal::pool_full);
}

TEST_F(SharePoolTest, refusals_have_a_sentence) {
    for (int i = 0; i <= static_cast<int>(ShareRefusal::pool_full); ++i) {
        EXPECT_FALSE(describe(static_cast<ShareRefusal>(i)).empty());
    }
}

TEST_F(SharePoolTest, stays_whole_in_a_random_game) {
    const std::uint64_t seed = 1;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    SharePoolLimits limits;
    limits.total_bytes = 60'000;
    limits.round_bytes = 25'000;
    limits.round_shares = 15;
    limits.miner_bytes = 12'000;
    limits.miner_shares = 6;
    use(limits);
    std::uint64_t height = 10;
    std::size_t in = 0;
    std::size_t out = 0;
    for (std::uint64_t i = 0; i < 5000; ++i) {
        if (random() % 20 == 0) {
            height += random() % 4 == 0 ? 0U : 1U;
            out += pool.tip_changed(height).size();
        }
        const std::uint64_t round = height - 5 + random() % 9;
        VerifiedShare made =
            share(random() % 4000, round, static_cast<std::uint32_t>(1 + random() % 20),
                  200 + random() % 4000, static_cast<std::uint8_t>(1 + random() % 9));
        if (random() % 4 == 0) made = started_on(made, hash('c', round - 1));
        const auto added = add(made);
        if (added) {
            in += 1;
            out += added->size();
        }
        ASSERT_EQ(pool.size(), in - out);
        const auto listed = pool.listed(open(height - 1), {.bytes = 9000, .shares = 5});
        std::size_t bytes = 0;
        for (std::size_t k = 0; k < listed.size(); ++k) {
            bytes += listed[k]->outcome.size_bytes;
            ASSERT_EQ(listed[k]->segment->tmpl.parent, hash('b', height - 2));
            if (k == 0) continue;
            ASSERT_GE(listed[k - 1]->outcome.hits * listed[k]->outcome.size_bytes,
                      listed[k]->outcome.hits * listed[k - 1]->outcome.size_bytes);
        }
        ASSERT_LE(bytes, 9000U);
        ASSERT_LE(listed.size(), 5U);
    }
    EXPECT_GT(out, 100U);
}

}  // namespace
}  // namespace gradient::chain
