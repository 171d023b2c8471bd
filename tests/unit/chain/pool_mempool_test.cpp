// One transaction at a time: what the pool takes, replaces, refuses and evicts.

#include "chain/pool/mempool.hpp"
#include "tests/support/pool_fixture.hpp"

#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

using test::kTransferBytes;
using test::PoolWorld;

constexpr std::uint32_t kSenders = 8;
constexpr std::uint64_t kPlenty = 1'000'000'000;

class MempoolTest : public testing::Test {
  protected:
    MempoolTest() {
        for (std::uint32_t i = 0; i < kSenders; ++i) world.set_account(i, kPlenty);
    }

    void use(const MempoolLimits& limits) { pool = std::make_unique<Mempool>(limits); }

    // Takes it; says what went for it.
    std::vector<Removed> take(const CheckedTransaction& transaction) {
        auto added = pool->add(transaction, world.state, world.context(), now);
        EXPECT_TRUE(added) << (added ? "" : describe(added.error()));
        pool->check_invariants();
        return added ? added->removed : std::vector<Removed>();
    }

    // Refuses it, and nothing changes.
    PoolError refusal(const CheckedTransaction& transaction) {
        const std::string before = test::snapshot(*pool, world, kSenders, now);
        const bool was_in = pool->contains(transaction.id());
        auto added = pool->add(transaction, world.state, world.context(), now);
        pool->check_invariants();
        EXPECT_FALSE(added);
        EXPECT_EQ(test::snapshot(*pool, world, kSenders, now), before);
        EXPECT_EQ(pool->contains(transaction.id()), was_in);
        return added ? PoolError() : added.error();
    }

    std::vector<Hash256> waiting(std::uint32_t sender) {
        std::vector<Hash256> ids;
        for (const auto& part : pool->of_sender(world.address(sender))) ids.push_back(part.id());
        return ids;
    }

    std::optional<std::uint64_t> position(const CheckedTransaction& transaction) {
        return std::get<Waiting>(pool->status(transaction.id())).position;
    }

    Removed removed_status(const CheckedTransaction& transaction) {
        const auto status = pool->status(transaction.id());
        const auto* removed = std::get_if<Removed>(&status);
        EXPECT_TRUE(removed);
        return removed ? *removed : Removed();
    }

    PoolWorld world;
    std::unique_ptr<Mempool> pool = std::make_unique<Mempool>();
    std::uint64_t now = 1'000'000;
};

TEST_F(MempoolTest, takes_a_transaction_and_tells_its_place) {
    const auto first = world.pay(0, 0, 100);
    const auto better = world.pay(1, 0, 200);
    EXPECT_EQ(first.size_bytes(), kTransferBytes);
    EXPECT_TRUE(take(first).empty());
    EXPECT_EQ(position(first), 1U);
    take(better);
    EXPECT_EQ(position(better), 1U);
    EXPECT_EQ(position(first), 2U);
    EXPECT_EQ(pool->size(), 2U);
    EXPECT_EQ(pool->size_bytes(), 2 * kTransferBytes);
    EXPECT_EQ(pool->find(first.id()), first.shared());
    EXPECT_EQ(pool->find(Hash256()), nullptr);
    EXPECT_TRUE(std::holds_alternative<Unknown>(pool->status(Hash256())));
}

TEST_F(MempoolTest, orders_equal_rates_by_arrival) {
    const auto first = world.pay(1, 0, 100);
    const auto second = world.pay(0, 0, 100);
    take(first);
    take(second);
    EXPECT_EQ(position(first), 1U);
    EXPECT_EQ(position(second), 2U);
}

TEST_F(MempoolTest, compares_rates_exactly) {
    // Both round to the same rate in 64 bits and in a double.
    for (const std::uint32_t i : {0U, 1U}) world.set_account(i, kMaxAmountUnits);
    const auto lower = world.pay(0, 0, kMaxAmountUnits - 2);
    const auto higher = world.pay(1, 0, kMaxAmountUnits - 1);
    take(lower);
    take(higher);
    EXPECT_EQ(position(higher), 1U);
}

TEST_F(MempoolTest, refuses_what_waits_already) {
    const auto transaction = world.pay(0, 0, 100);
    take(transaction);
    EXPECT_EQ(refusal(transaction), PoolError(PoolRefusal::already_pooled));
}

TEST_F(MempoolTest, refuses_a_used_nonce) {
    world.set_account(0, kPlenty, 5);
    EXPECT_EQ(refusal(world.pay(0, 4, 100)), PoolError(TransactionError::nonce_used));
    take(world.pay(0, 5, 100));
}

TEST_F(MempoolTest, queues_nonces_up_to_the_gap_and_lets_them_go_when_it_closes) {
    const std::uint64_t gap = pool->limits().nonce_gap;
    EXPECT_EQ(refusal(world.pay(0, gap + 1, 100)), PoolError(PoolRefusal::nonce_too_far));
    const auto far = world.pay(0, gap, 100);
    take(far);
    EXPECT_FALSE(position(far));
    for (std::uint64_t nonce = 1; nonce < gap; ++nonce) take(world.pay(0, nonce, 100));
    EXPECT_EQ(pool->next_nonce(world.address(0), world.state).value(), 0U);
    EXPECT_FALSE(position(far));
    take(world.pay(0, 0, 100));
    EXPECT_EQ(position(far), gap + 1);
    EXPECT_EQ(pool->next_nonce(world.address(0), world.state).value(), gap + 1);
    take(world.pay(0, gap + 1, 100));
}

TEST_F(MempoolTest, counts_the_gap_without_overflow) {
    constexpr std::uint64_t kLast = UINT64_MAX;
    world.set_account(0, kPlenty, kLast - 3);
    EXPECT_EQ(refusal(world.pay(0, 3, 100)), PoolError(TransactionError::nonce_used));
    take(world.pay(0, kLast - 1, 100));
    take(world.pay(0, kLast - 3, 100));
}

TEST_F(MempoolTest, refuses_what_the_balance_does_not_cover) {
    world.set_account(0, 300);
    EXPECT_EQ(refusal(world.pay(0, 0, 100, 201)),
              PoolError(TransactionError::insufficient_balance));
    take(world.pay(0, 0, 100, 100));
    EXPECT_EQ(refusal(world.pay(0, 1, 100, 1)), PoolError(PoolRefusal::account_overdrawn));
    EXPECT_EQ(refusal(world.pay(0, 0, 120, 181)),
              PoolError(TransactionError::insufficient_balance));
    take(world.pay(0, 1, 99, 1));
}

TEST_F(MempoolTest, sees_what_a_sender_has_received_since) {
    world.set_account(0, 300);
    take(world.pay(0, 0, 100, 200));
    EXPECT_EQ(refusal(world.pay(0, 1, 100)), PoolError(PoolRefusal::account_overdrawn));
    world.set_account(0, 401);
    take(world.pay(0, 1, 100));
}

TEST_F(MempoolTest, replaces_for_a_tenth_more) {
    MempoolLimits limits;
    limits.relay_increment = 0;
    use(limits);
    const auto old = world.pay(0, 0, 1001);
    take(old);
    EXPECT_EQ(refusal(world.pay(0, 0, 1101)), PoolError(PoolRefusal::replacement_fee_too_low));
    const auto fresh = world.pay(0, 0, 1102);
    const std::vector<Removed> expected = {{old.id(), RemovalReason::replaced, fresh.id(), {}}};
    EXPECT_EQ(take(fresh), expected);
    EXPECT_EQ(removed_status(old), expected[0]);
    EXPECT_EQ(pool->size(), 1U);
}

TEST_F(MempoolTest, replaces_for_what_relaying_costs_at_least) {
    take(world.pay(0, 0, 10));
    const std::uint64_t least = 10 + kTransferBytes * pool->limits().relay_increment;
    EXPECT_EQ(refusal(world.pay(0, 0, least - 1)), PoolError(PoolRefusal::replacement_fee_too_low));
    EXPECT_EQ(take(world.pay(0, 0, least)).size(), 1U);
}

TEST_F(MempoolTest, does_not_replace_by_a_lower_rate) {
    take(world.pay(0, 0, 1000));
    EXPECT_EQ(refusal(world.publish(0, 0, 5000, 1000)),
              PoolError(PoolRefusal::replacement_fee_too_low));
    take(world.publish(0, 0, 9000, 1000));
}

TEST_F(MempoolTest, lets_a_replacement_cost_no_more_than_the_sender_has) {
    world.set_account(0, 3000);
    take(world.pay(0, 0, 1000, 500));
    const auto child = world.pay(0, 1, 1000, 400);
    take(child);
    EXPECT_EQ(refusal(world.pay(0, 0, 1200, 401)), PoolError(PoolRefusal::account_overdrawn));
    take(world.pay(0, 0, 1200, 400));
    EXPECT_EQ(position(child), 2U);
}

TEST_F(MempoolTest, refuses_what_is_too_large) {
    MempoolLimits limits;
    limits.transaction_bytes = 500;
    use(limits);
    const auto probe = world.publish(0, 0, 100, 300);
    const std::size_t overhead = probe.size_bytes() - 300;
    EXPECT_EQ(refusal(world.publish(0, 0, 100, 501 - overhead)), PoolError(PoolRefusal::too_large));
    take(world.publish(0, 0, 100, 500 - overhead));
}

TEST_F(MempoolTest, takes_so_many_of_one_sender) {
    MempoolLimits limits;
    limits.account_transactions = 3;
    use(limits);
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce) take(world.pay(0, nonce, 100));
    EXPECT_EQ(refusal(world.pay(0, 3, 100'000)), PoolError(PoolRefusal::account_full));
    // A replacement is none more.
    take(world.pay(0, 1, 1000));
    take(world.pay(1, 0, 100));
}

TEST_F(MempoolTest, takes_so_many_bytes_of_one_sender) {
    MempoolLimits limits;
    limits.account_bytes = 3 * kTransferBytes - 1;
    use(limits);
    take(world.pay(0, 0, 100));
    take(world.pay(0, 1, 100));
    EXPECT_EQ(refusal(world.pay(0, 2, 100'000)), PoolError(PoolRefusal::account_full));
    EXPECT_EQ(refusal(world.publish(0, 1, 100'000, 300)), PoolError(PoolRefusal::account_full));
}

TEST_F(MempoolTest, lets_a_lower_nonce_crowd_out_the_highest) {
    MempoolLimits limits;
    limits.account_transactions = 3;
    use(limits);
    const auto last = world.pay(0, 4, 100'000);
    take(world.pay(0, 2, 100));
    take(world.pay(0, 3, 100));
    take(last);
    const auto first = world.pay(0, 0, 1);
    EXPECT_EQ(take(first), (std::vector<Removed>{{last.id(), RemovalReason::evicted, {}, {}}}));
    EXPECT_EQ(position(first), 1U);
}

TEST_F(MempoolTest, takes_so_many_costly_ones) {
    MempoolLimits limits;
    limits.costly_transactions = 1;
    use(limits);
    world.params.replay_fee = Amount();
    CreateTask create;
    create.shape = test::cheapest_text_shape();
    create.data_bytes = 100;
    create.chunks = {Hash256()};
    create.unit_budget = 1;
    create.pay_per_hit = PoolWorld::units(1);
    create.escrow = PoolWorld::units(1'000'000);
    // What waits before it may still publish the data.
    take(world.make(0, 1, 100, create));
    EXPECT_EQ(refusal(world.make(1, 1, 100, create)), PoolError(PoolRefusal::too_many_costly));
    take(world.make(0, 1, 1000, create));
    EXPECT_EQ(pool->size(), 1U);
}

TEST_F(MempoolTest, judges_other_actions_as_if_those_before_them_were_paid) {
    const auto fund = FundTask{5, PoolWorld::units(10)};
    EXPECT_EQ(refusal(world.make(0, 0, 100, fund)), PoolError(TransactionError::unknown_task));
    // What waits before it may create the task.
    take(world.pay(0, 0, 100));
    take(world.make(0, 1, 100, fund));
    const auto chunk = world.publish(1, 0, 100, 50);
    take(chunk);
    world.apply({chunk});
    EXPECT_EQ(refusal(world.publish(2, 3, 100, 50)), PoolError(TransactionError::chunk_known));
}

// ------------------------------------------------------------------------------------- eviction

TEST_F(MempoolTest, evicts_the_lowest_rate_when_too_many_wait) {
    MempoolLimits limits;
    limits.transactions = 3;
    use(limits);
    const auto lowest = world.pay(1, 0, 10);
    take(world.pay(0, 0, 20));
    take(lowest);
    take(world.pay(2, 0, 30));
    EXPECT_EQ(refusal(world.pay(3, 0, 9)), PoolError(PoolRefusal::pool_full));
    EXPECT_EQ(refusal(world.pay(3, 0, 10)), PoolError(PoolRefusal::pool_full));  // came later
    EXPECT_EQ(take(world.pay(3, 0, 11)),
              (std::vector<Removed>{{lowest.id(), RemovalReason::evicted, {}, {}}}));
    EXPECT_EQ(removed_status(lowest).reason, RemovalReason::evicted);
}

TEST_F(MempoolTest, evicts_as_much_as_makes_room_for_the_bytes) {
    MempoolLimits limits;
    limits.total_bytes = 4 * kTransferBytes;
    limits.relay_increment = 0;
    use(limits);
    std::vector<CheckedTransaction> waiting;
    for (std::uint32_t i = 0; i < 4; ++i) waiting.push_back(world.pay(i, 0, 10 + i));
    for (const auto& part : waiting) take(part);
    const auto large = world.publish(4, 0, 1000, kTransferBytes + 40);
    const auto removed = take(large);
    ASSERT_EQ(removed.size(), 2U);
    EXPECT_EQ(removed[0].id, waiting[0].id());
    EXPECT_EQ(removed[1].id, waiting[1].id());
    // One that would have to evict better ones is refused as a whole.
    EXPECT_EQ(refusal(world.publish(5, 0, 300, 3 * kTransferBytes)),
              PoolError(PoolRefusal::pool_full));
}

TEST_F(MempoolTest, evicts_whole_packages_so_that_a_child_keeps_its_parent) {
    MempoolLimits limits;
    limits.transactions = 3;
    use(limits);
    const auto parent = world.pay(0, 0, 1);
    const auto child = world.pay(0, 1, 1001);
    const auto single = world.pay(1, 0, 400);
    take(parent);
    take(child);
    take(single);
    // Parent and child pay 501 each, so that the single one goes.
    EXPECT_EQ(take(world.pay(2, 0, 600))[0].id, single.id());
    const auto removed = take(world.pay(3, 0, 700));
    ASSERT_EQ(removed.size(), 2U);
    EXPECT_EQ(removed[0].id, child.id());
    EXPECT_EQ(removed[1].id, parent.id());
}

TEST_F(MempoolTest, evicts_descendants_before_ancestors) {
    MempoolLimits limits;
    limits.transactions = 3;
    use(limits);
    const auto child = world.pay(0, 1, 10);
    take(world.pay(0, 0, 20));
    take(child);
    take(world.pay(1, 0, 15));
    EXPECT_EQ(take(world.pay(2, 0, 30))[0].id, child.id());
    EXPECT_EQ(waiting(0).size(), 1U);
}

TEST_F(MempoolTest, evicts_what_a_gap_keeps_back_first) {
    MempoolLimits limits;
    limits.transactions = 3;
    use(limits);
    const auto queued = world.pay(0, 1, 1'000'000);
    take(queued);
    take(world.pay(1, 0, 10));
    take(world.pay(2, 0, 10));
    EXPECT_EQ(take(world.pay(3, 0, 5))[0].id, queued.id());
    EXPECT_EQ(refusal(world.pay(0, 1, 1'000'000)), PoolError(PoolRefusal::pool_full));
    // That was no bid: the minimum stands where it was.
    EXPECT_EQ(pool->minimum_rate(now), 0U);
}

TEST_F(MempoolTest, asks_for_more_than_it_has_evicted_and_ever_less_with_time) {
    MempoolLimits limits;
    limits.transactions = 1;
    use(limits);
    take(world.pay(0, 0, kTransferBytes * 10));
    take(world.pay(1, 0, kTransferBytes * 20));
    EXPECT_EQ(pool->minimum_rate(now), 11'000U);
    EXPECT_EQ(refusal(world.pay(2, 0, kTransferBytes * 11 - 1)),
              PoolError(PoolRefusal::fee_rate_too_low));
    // Enough for the minimum, not for a place.
    EXPECT_EQ(refusal(world.pay(2, 0, kTransferBytes * 11)), PoolError(PoolRefusal::pool_full));
    EXPECT_EQ(pool->minimum_rate(now), 11'000U);
    std::uint64_t last = 11'000;
    for (std::uint64_t at = 0; at <= 20; ++at) {
        const std::uint64_t rate = pool->minimum_rate(now + at * limits.minimum_half_life_ms / 4);
        EXPECT_LE(rate, last);
        EXPECT_TRUE(at % 4 != 0 || rate == 11'000U >> (at / 4)) << at;
        last = rate;
    }
    EXPECT_EQ(pool->minimum_rate(now + limits.minimum_half_life_ms / 2), 8'250U);
    EXPECT_EQ(pool->minimum_rate(now + 1000 * limits.minimum_half_life_ms), 0U);
    EXPECT_EQ(pool->minimum_rate(now - 1), 11'000U);
}

TEST_F(MempoolTest, a_refused_newcomer_leaves_what_it_would_have_replaced) {
    MempoolLimits limits;
    limits.total_bytes = 3 * kTransferBytes;
    use(limits);
    const auto old = world.pay(0, 0, 10);
    take(old);
    take(world.pay(1, 0, 10'000));
    take(world.pay(2, 0, 10'000));
    EXPECT_EQ(refusal(world.publish(0, 0, 1000, 100)), PoolError(PoolRefusal::pool_full));
    EXPECT_TRUE(pool->contains(old.id()));
}

// --------------------------------------------------------------------------------------- expiry

TEST_F(MempoolTest, drops_what_has_waited_too_long) {
    const auto old = world.pay(0, 0, 100);
    take(old);
    now += 1000;
    const auto child = world.pay(0, 1, 100);
    take(child);
    EXPECT_TRUE(pool->expire(now - 1001 + pool->limits().expiry_ms).empty());
    EXPECT_EQ(pool->expire(now - 1000 + pool->limits().expiry_ms),
              (std::vector<Removed>{{old.id(), RemovalReason::expired, {}, {}}}));
    pool->check_invariants();
    EXPECT_FALSE(position(child));  // its nonce must wait
    EXPECT_EQ(pool->expire(now + pool->limits().expiry_ms).size(), 1U);
    EXPECT_EQ(pool->size(), 0U);
    EXPECT_EQ(pool->size_bytes(), 0U);
}

TEST_F(MempoolTest, drops_with_an_expired_one_what_then_lies_too_far_above) {
    MempoolLimits limits;
    limits.nonce_gap = 2;
    use(limits);
    take(world.pay(0, 0, 100));
    now += 1000;
    for (std::uint64_t nonce = 1; nonce < 5; ++nonce) take(world.pay(0, nonce, 100));
    const auto removed = pool->expire(now - 1000 + limits.expiry_ms);
    pool->check_invariants();
    ASSERT_EQ(removed.size(), 3U);
    EXPECT_EQ(removed[0].reason, RemovalReason::expired);
    EXPECT_EQ(removed[1].reason, RemovalReason::invalidated);
    EXPECT_EQ(removed[1].error, TransactionError::nonce_gap);
    EXPECT_EQ(waiting(0).size(), 2U);
}

// ------------------------------------------------------------------------------------- the log

TEST_F(MempoolTest, remembers_the_last_removals) {
    MempoolLimits limits;
    limits.remembered = 2;
    limits.relay_increment = 0;
    use(limits);
    std::vector<CheckedTransaction> bids;
    for (std::uint64_t i = 0; i < 4; ++i) bids.push_back(world.pay(0, 0, 1000 << i));
    for (const auto& bid : bids) take(bid);
    EXPECT_TRUE(std::holds_alternative<Unknown>(pool->status(bids[0].id())));
    EXPECT_EQ(removed_status(bids[1]).by, bids[2].id());
    EXPECT_EQ(removed_status(bids[2]).by, bids[3].id());
    EXPECT_TRUE(std::holds_alternative<Waiting>(pool->status(bids[3].id())));
}

TEST(RemovalLog, keeps_the_latest_removal_of_one_that_came_back) {
    RemovalLog log(2);
    Hash256 id;
    log.add({id, RemovalReason::evicted, {}, {}});
    log.add({id, RemovalReason::expired, {}, {}});
    Hash256 other;
    other.bytes[0] = 1;
    log.add({other, RemovalReason::evicted, {}, {}});
    EXPECT_EQ(log.find(id)->reason, RemovalReason::expired);
    log.add({other, RemovalReason::replaced, {}, {}});
    EXPECT_FALSE(log.find(id));
    EXPECT_EQ(log.find(other)->reason, RemovalReason::replaced);
}

TEST(PoolErrors, have_a_sentence_and_blame_nobody_for_the_pools_limits) {
    for (int i = 0; i <= static_cast<int>(PoolRefusal::pool_full); ++i) {
        const auto refusal = static_cast<PoolRefusal>(i);
        EXPECT_FALSE(describe(refusal).empty());
        EXPECT_EQ(blame(PoolError(refusal)), Consequence::not_yet);
    }
    for (int i = 0; i <= static_cast<int>(RemovalReason::reorganised_away); ++i) {
        EXPECT_FALSE(to_string(static_cast<RemovalReason>(i)).empty());
    }
    EXPECT_EQ(blame(PoolError(TransactionError::bad_signature)),
              blame(TransactionError::bad_signature));
    EXPECT_EQ(blame(PoolError(StoreError{})), Consequence::ours);
}

}  // namespace
}  // namespace gradient::chain
