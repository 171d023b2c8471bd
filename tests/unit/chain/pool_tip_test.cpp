// How the pool follows the chain.

#include "chain/pool/mempool.hpp"
#include "tests/support/pool_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

using test::PoolWorld;
using test::redone;
using test::undone;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPlenty = 1'000'000'000;
using Transactions = std::vector<CheckedTransaction>;

class PoolTipTest : public testing::Test {
  protected:
    PoolTipTest() {
        for (std::uint32_t i = 0; i < 8; ++i) world.set_account(i, kPlenty);
    }

    CheckedTransaction take(const CheckedTransaction& transaction) {
        const auto added = pool->add(transaction, world.state, world.context(), now);
        EXPECT_TRUE(added) << (added ? "" : describe(added.error()));
        return transaction;
    }

    std::vector<Removed> move(const std::vector<UndoneBlock>& back,
                              const std::vector<RedoneBlock>& forth) {
        auto removed = pool->tip_changed(back, forth, world.state, world.context(), now);
        EXPECT_TRUE(removed);
        pool->check_invariants();
        return removed ? *std::move(removed) : std::vector<Removed>();
    }

    bool is_ready(const CheckedTransaction& transaction) {
        const auto status = pool->status(transaction.id());
        const auto* waiting = std::get_if<Waiting>(&status);
        return waiting && waiting->position;
    }

    static Removed gone(const CheckedTransaction& transaction, RemovalReason reason,
                        std::optional<TransactionError> error = {}, const Hash256& by = {}) {
        return {transaction.id(), reason, by, error};
    }

    PoolWorld world;
    std::unique_ptr<Mempool> pool = std::make_unique<Mempool>();
    std::uint64_t now = 1'000'000;
};

TEST_F(PoolTipTest, included_ones_leave_and_their_children_stay) {
    const auto a0 = take(world.pay(0, 0, 100));
    const auto a1 = take(world.pay(0, 1, 100));
    const auto b0 = take(world.pay(1, 0, 100));
    world.apply({a0});
    const auto block = redone(1, {a0});
    EXPECT_THAT(move({}, {block}), ElementsAre(gone(a0, RemovalReason::included, {}, block.id)));
    EXPECT_TRUE(is_ready(a1));
    EXPECT_TRUE(is_ready(b0));
}

TEST_F(PoolTipTest, what_another_took_the_nonce_of_is_conflicting) {
    const auto ours = take(world.pay(0, 0, 100));
    const auto theirs = world.pay(0, 0, 200);
    world.apply({theirs});
    EXPECT_THAT(move({}, {redone(1, {theirs})}),
                ElementsAre(gone(ours, RemovalReason::conflicting, {}, theirs.id())));
    EXPECT_EQ(pool->size(), 0U);
}

TEST_F(PoolTipTest, an_inclusion_from_elsewhere_closes_a_gap) {
    const auto a1 = take(world.pay(0, 1, 100));
    EXPECT_FALSE(is_ready(a1));
    const auto a0 = world.pay(0, 0, 100);
    world.apply({a0});
    EXPECT_THAT(move({}, {redone(1, {a0})}), IsEmpty());
    EXPECT_TRUE(is_ready(a1));
}

TEST_F(PoolTipTest, what_the_balance_no_longer_covers_is_invalidated_from_there_on) {
    world.set_account(0, 1000);
    const auto theirs = world.pay(0, 0, 300, 100);
    const auto a1 = take(world.pay(0, 1, 100, 200));
    const auto a2 = take(world.pay(0, 2, 100, 300));
    const auto a3 = take(world.pay(0, 3, 1, 1));
    world.apply({theirs});
    EXPECT_THAT(
        move({}, {redone(1, {theirs})}),
        ElementsAre(gone(a2, RemovalReason::invalidated, TransactionError::insufficient_balance),
                    gone(a3, RemovalReason::invalidated, TransactionError::insufficient_balance)));
    EXPECT_TRUE(is_ready(a1));
}

TEST_F(PoolTipTest, what_no_longer_admits_is_invalidated) {
    const auto ours = take(world.publish(0, 0, 100, 50));
    const auto child = take(world.pay(0, 1, 100));
    const auto theirs = world.publish(1, 0, 100, 50);
    world.apply({theirs});
    EXPECT_THAT(move({}, {redone(1, {theirs})}),
                ElementsAre(gone(ours, RemovalReason::invalidated, TransactionError::chunk_known)));
    EXPECT_TRUE(pool->contains(child.id()));
    EXPECT_FALSE(is_ready(child));
}

TEST_F(PoolTipTest, costly_ones_are_judged_again_in_turn) {
    MempoolLimits limits;
    limits.costly_judged_a_tip = 1;
    pool = std::make_unique<Mempool>(limits);
    // Admitted as long as something may come before them, which is so for the first one only.
    const auto parent = take(world.pay(1, 0, 100));
    const auto first = take(world.create_task(0, 1, 100));
    const auto second = take(world.create_task(1, 1, 100));
    world.apply({parent});
    EXPECT_EQ(move({}, {redone(1, {parent})}).size(), 1U);
    EXPECT_TRUE(is_ready(second));
    EXPECT_THAT(move({}, {}), ElementsAre(gone(second, RemovalReason::invalidated,
                                               TransactionError::chunk_missing)));
    EXPECT_TRUE(pool->contains(first.id()));
}

TEST_F(PoolTipTest, what_a_selection_skipped_is_tried_on_the_next_tip) {
    const auto first = take(world.publish(0, 0, 1000, 50));
    const auto second = take(world.publish(1, 0, 900, 50));
    ASSERT_TRUE(pool->select(world.state, world.context(), {.bytes = kPlenty}));
    EXPECT_TRUE(std::get<Waiting>(pool->status(second.id())).skipped);
    // The first one is replaced, so that the next block has the second one.
    const auto replacement = take(world.pay(0, 0, 100'000));
    world.apply({replacement});
    move({}, {redone(1, {replacement})});
    EXPECT_FALSE(std::get<Waiting>(pool->status(second.id())).skipped);
    const auto selection = pool->select(world.state, world.context(), {.bytes = kPlenty});
    ASSERT_EQ(selection->transactions.size(), 1U);
    EXPECT_EQ(transaction_id(*selection->transactions[0]), second.id());
}

// ------------------------------------------------------------------------------- reorganisations

TEST_F(PoolTipTest, undone_ones_come_back_before_their_children) {
    const auto a0 = world.pay(0, 0, 100);
    const auto a1 = world.pay(0, 1, 100);
    const auto back0 = world.apply({a0});
    const auto back1 = world.apply({a1});
    const auto a2 = take(world.pay(0, 2, 100));
    world.state.apply(back1);
    world.state.apply(back0);
    EXPECT_THAT(move({undone(2, {a1}), undone(1, {a0})}, {}), IsEmpty());
    for (const auto& part : {a0, a1, a2}) EXPECT_TRUE(is_ready(part));
    EXPECT_EQ(pool->size(), 3U);
}

TEST_F(PoolTipTest, undone_ones_that_the_new_branch_holds_are_included_there) {
    const auto a0 = world.pay(0, 0, 100);
    const auto b0 = world.pay(1, 0, 100);
    const auto back = world.apply({a0, b0});
    world.state.apply(back);
    world.apply({a0});
    const auto block = redone(9, {a0});
    EXPECT_THAT(move({undone(1, {a0, b0})}, {block}),
                ElementsAre(gone(a0, RemovalReason::included, {}, block.id)));
    EXPECT_FALSE(pool->contains(a0.id()));
    EXPECT_TRUE(is_ready(b0));
}

TEST_F(PoolTipTest, undone_ones_with_a_nonce_that_the_new_branch_used_are_conflicting) {
    const auto mine = world.pay(0, 0, 100);
    const auto back = world.apply({mine});
    world.state.apply(back);
    const auto other = world.pay(0, 0, 101);
    world.apply({other});
    EXPECT_THAT(move({undone(1, {mine})}, {redone(2, {other})}),
                ElementsAre(gone(mine, RemovalReason::conflicting)));
}

TEST_F(PoolTipTest, undone_ones_that_no_longer_admit_are_reorganised_away) {
    // Account 0 was paid in the block that left.
    world.set_account(0, 0);
    const auto gift = world.pay(1, 0, 10, 500, 0);
    const auto spent = world.pay(0, 0, 100, 100);
    const auto chunk = world.publish(2, 0, 10, 60);
    const auto back = world.apply({gift, spent, chunk});
    const auto child = take(world.pay(0, 1, 100, 100));
    world.state.apply(back);
    const auto other = world.publish(3, 0, 10, 60);
    world.apply({other});
    EXPECT_THAT(
        move({undone(1, {gift, spent, chunk})}, {redone(2, {other})}),
        testing::UnorderedElementsAre(
            gone(spent, RemovalReason::reorganised_away, TransactionError::insufficient_balance),
            gone(child, RemovalReason::invalidated, TransactionError::insufficient_balance),
            gone(chunk, RemovalReason::reorganised_away, TransactionError::chunk_known)));
    EXPECT_TRUE(is_ready(gift));
}

TEST_F(PoolTipTest, a_balance_that_a_reorganisation_took_invalidates_what_waits_on_it) {
    world.set_account(0, 10);
    const auto gift = world.pay(1, 0, 10, 500, 0);
    const auto back = world.apply({gift});
    const auto spend = take(world.pay(0, 0, 100, 300));
    world.state.apply(back);
    EXPECT_THAT(move({undone(1, {gift})}, {}),
                ElementsAre(gone(spend, RemovalReason::invalidated,
                                 TransactionError::insufficient_balance)));
}

TEST_F(PoolTipTest, undone_ones_keep_to_the_pools_limits) {
    MempoolLimits limits;
    limits.transactions = 2;
    limits.account_transactions = 2;
    pool = std::make_unique<Mempool>(limits);
    const auto a0 = world.pay(0, 0, 10);
    const auto a1 = world.pay(0, 1, 500);
    const auto back = world.apply({a0, a1});
    const auto a2 = take(world.pay(0, 2, 1000));
    const auto b0 = take(world.pay(1, 0, 200));
    world.state.apply(back);
    EXPECT_THAT(move({undone(1, {a0, a1})}, {}),
                ElementsAre(gone(a2, RemovalReason::evicted), gone(b0, RemovalReason::evicted)));
    EXPECT_TRUE(is_ready(a0));
    EXPECT_TRUE(is_ready(a1));
}

TEST_F(PoolTipTest, a_nonce_that_lies_too_far_above_after_a_reorganisation_goes) {
    MempoolLimits limits;
    limits.nonce_gap = 1;
    pool = std::make_unique<Mempool>(limits);
    const auto gift = world.pay(1, 0, 10, 500, 0);
    world.set_account(0, 0);
    Transactions block = {gift};
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce) block.push_back(world.pay(0, nonce, 1));
    const auto back = world.apply(block);
    const auto a3 = take(world.pay(0, 3, 1));
    world.state.apply(back);
    world.set_account(0, 100);
    block.erase(block.begin() + 1);  // and nonce 0 does not come back
    EXPECT_THAT(
        move({undone(1, block)}, {}),
        ElementsAre(gone(a3, RemovalReason::invalidated, TransactionError::nonce_gap),
                    gone(block[2], RemovalReason::invalidated, TransactionError::nonce_gap)));
    EXPECT_TRUE(pool->contains(block[1].id()));
}

TEST_F(PoolTipTest, time_passes_with_the_tips) {
    const auto a0 = take(world.pay(0, 0, 100));
    now += pool->limits().expiry_ms;
    EXPECT_THAT(move({}, {}), ElementsAre(gone(a0, RemovalReason::expired)));
}

TEST_F(PoolTipTest, blocks_are_told_by_their_signed_transactions) {
    const auto a0 = world.pay(0, 0, 100);
    Block block;
    block.header.units = 3;
    block.transactions = {Transaction{a0.transaction()}, Transaction{ShareTransaction{}}};
    const auto forth = redone_block(block);
    EXPECT_EQ(forth.id, header_id(block.header));
    ASSERT_EQ(forth.transactions.size(), 1U);
    EXPECT_EQ(forth.transactions[0].id, a0.id());
    EXPECT_EQ(forth.transactions[0].sender, a0.sender());
    const auto back = undone_block(block, world.context());
    ASSERT_EQ(back.transactions.size(), 1U);
    EXPECT_EQ(back.transactions[0].id(), a0.id());
}

}  // namespace
}  // namespace gradient::chain
