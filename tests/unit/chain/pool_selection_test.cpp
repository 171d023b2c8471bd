// What a block takes from the pool.

#include "chain/pool/mempool.hpp"
#include "tests/support/pool_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

using test::kTransferBytes;
using test::PoolWorld;
using testing::ElementsAre;

constexpr std::uint64_t kPlenty = 1'000'000'000;

// A state that can't be read.
class BrokenState final : public StateView {
  public:
    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey&) const override {
        return fail(StoreError{StoreFault::unreadable, "no disk"});
    }
};

class SelectionTest : public testing::Test {
  protected:
    SelectionTest() {
        for (std::uint32_t i = 0; i < 8; ++i) world.set_account(i, kPlenty);
    }

    CheckedTransaction take(const CheckedTransaction& transaction) {
        const auto added = pool.add(transaction, world.state, world.context(), 0);
        EXPECT_TRUE(added) << (added ? "" : describe(added.error()));
        return transaction;
    }

    Selection select(std::size_t bytes, std::size_t transactions = kMaxTransactions) {
        auto selection = pool.select(world.state, world.context(),
                                     {.bytes = bytes, .transactions = transactions});
        EXPECT_TRUE(selection);
        pool.check_invariants();
        return selection ? *std::move(selection) : Selection();
    }

    static std::vector<Hash256> ids(const Selection& selection) {
        std::vector<Hash256> ids;
        for (const auto& part : selection.transactions) ids.push_back(transaction_id(*part));
        return ids;
    }

    PoolWorld world;
    Mempool pool;
};

TEST_F(SelectionTest, goes_by_rate_and_keeps_nonces_in_order) {
    const auto a0 = take(world.pay(0, 0, 300));
    const auto a1 = take(world.pay(0, 1, 100));
    const auto b0 = take(world.pay(1, 0, 200));
    const auto b1 = take(world.pay(1, 1, 50));
    const auto selection = select(kPlenty);
    EXPECT_THAT(ids(selection), ElementsAre(a0.id(), b0.id(), a1.id(), b1.id()));
    EXPECT_EQ(selection.fees, PoolWorld::units(650));
    EXPECT_EQ(selection.size_bytes, 4 * kTransferBytes);
    EXPECT_TRUE(selection.skipped.empty());
    EXPECT_EQ(pool.size(), 4U);
}

TEST_F(SelectionTest, a_child_lifts_its_parents) {
    const auto parent = take(world.pay(0, 0, 1));
    const auto middle = take(world.pay(0, 1, 1));
    const auto child = take(world.pay(0, 2, 998));
    take(world.pay(1, 0, 300));
    take(world.pay(2, 0, 320));
    EXPECT_THAT(ids(select(3 * kTransferBytes)), ElementsAre(parent.id(), middle.id(), child.id()));
}

TEST_F(SelectionTest, a_package_ends_where_what_follows_pays_less) {
    const auto a0 = take(world.pay(0, 0, 100));
    const auto a1 = take(world.pay(0, 1, 300));
    const auto a2 = take(world.pay(0, 2, 10));
    const auto b0 = take(world.pay(1, 0, 150));
    EXPECT_THAT(ids(select(kPlenty)), ElementsAre(a0.id(), a1.id(), b0.id(), a2.id()));
}

TEST_F(SelectionTest, equal_rates_of_one_sender_stay_in_the_order_of_nonces) {
    const auto a1 = take(world.pay(0, 1, 100));
    const auto a0 = take(world.pay(0, 0, 100));
    EXPECT_THAT(ids(select(kPlenty)), ElementsAre(a0.id(), a1.id()));
}

TEST_F(SelectionTest, leaves_out_what_a_gap_keeps_back) {
    take(world.pay(0, 1, 1000));
    const auto b0 = take(world.pay(1, 0, 10));
    EXPECT_THAT(ids(select(kPlenty)), ElementsAre(b0.id()));
    EXPECT_EQ(pool.size(), 2U);
}

TEST_F(SelectionTest, keeps_to_bytes_and_number) {
    for (std::uint32_t i = 0; i < 5; ++i) take(world.pay(i, 0, 100));
    EXPECT_EQ(select(3 * kTransferBytes).transactions.size(), 3U);
    EXPECT_EQ(select(3 * kTransferBytes - 1).transactions.size(), 2U);
    EXPECT_EQ(select(kPlenty, 4).transactions.size(), 4U);
    EXPECT_EQ(select(kPlenty, 0).transactions.size(), 0U);
    EXPECT_EQ(select(0).transactions.size(), 0U);
}

TEST_F(SelectionTest, fills_what_is_left_with_parts_of_packages_that_do_not_fit) {
    const auto a0 = take(world.pay(0, 0, 10));
    take(world.publish(0, 1, 100'000, 2000));
    const auto b0 = take(world.pay(1, 0, 5));
    EXPECT_THAT(ids(select(2 * kTransferBytes)), ElementsAre(b0.id(), a0.id()));
}

TEST_F(SelectionTest, is_never_worse_than_taking_single_ones) {
    // The package pays more a byte than either of the others but leaves no room for the second.
    const auto a0 = take(world.publish(0, 0, 0, 1, 'a'));
    const auto a1 = take(world.publish(0, 1, 1000, 1, 'b'));
    const auto b0 = take(world.publish(1, 0, 600, 31, 'c'));
    const auto c0 = take(world.publish(2, 0, 600, 31, 'd'));
    const std::size_t package = a0.size_bytes() + a1.size_bytes();
    const std::size_t budget = b0.size_bytes() + c0.size_bytes();
    ASSERT_GT(1000 * b0.size_bytes(), 600 * package);
    ASSERT_LE(package, budget);
    ASSERT_GT(package + b0.size_bytes(), budget);
    EXPECT_THAT(ids(select(budget)), ElementsAre(b0.id(), c0.id()));
    EXPECT_THAT(ids(select(package + b0.size_bytes())), ElementsAre(a0.id(), a1.id(), b0.id()));
}

TEST_F(SelectionTest, leaves_out_what_the_block_has_made_wrong_and_remembers_it) {
    // Both publish the same chunk; only the better paid one can.
    const auto first = take(world.publish(0, 0, 1000, 100));
    const auto second = take(world.publish(1, 0, 900, 100));
    const auto child = take(world.pay(1, 1, 10));
    const auto other = take(world.pay(2, 0, 1));
    for (int round = 0; round < 2; ++round) {
        const auto selection = select(kPlenty);
        EXPECT_THAT(ids(selection), ElementsAre(first.id(), other.id()));
        ASSERT_EQ(selection.skipped.size(), 1U);
        EXPECT_EQ(selection.skipped[0].id, second.id());
        EXPECT_EQ(selection.skipped[0].error, TransactionError::chunk_known);
    }
    EXPECT_EQ(std::get<Waiting>(pool.status(second.id())).skipped, TransactionError::chunk_known);
    EXPECT_TRUE(pool.contains(child.id()));
}

TEST_F(SelectionTest, a_refused_child_lifts_nobody) {
    const auto parent = take(world.pay(0, 0, 1));
    const auto first = take(world.publish(1, 0, 100'000, 100));
    take(world.publish(0, 1, 50'000, 100));
    const auto better = take(world.pay(2, 0, 50));
    EXPECT_THAT(ids(select(kPlenty)), ElementsAre(first.id(), better.id(), parent.id()));
}

TEST_F(SelectionTest, tries_again_what_a_later_one_may_cure) {
    const auto fund = world.make(0, 1, 1000, FundTask{3, PoolWorld::units(1)});
    const auto parent = take(world.pay(0, 0, 2000));
    take(fund);
    EXPECT_THAT(ids(select(kPlenty)), ElementsAre(parent.id()));
    world.change([&](State& state) {
        TaskAccount account;
        account.owner = world.address(0);
        state.put(task_account_key(3), account);
        state.put(task_list_key(), TaskList{4, {3}, {}});
    });
    EXPECT_THAT(ids(select(kPlenty)), ElementsAre(parent.id(), fund.id()));
    EXPECT_FALSE(std::get<Waiting>(pool.status(fund.id())).skipped);
}

TEST_F(SelectionTest, what_can_not_be_read_fails) {
    take(world.pay(0, 0, 100));
    const BrokenState broken;
    EXPECT_FALSE(pool.select(broken, world.context(), {.bytes = kPlenty}));
    EXPECT_FALSE(pool.add(world.pay(1, 0, 100), broken, world.context(), 0));
    pool.check_invariants();
    EXPECT_EQ(select(kPlenty).transactions.size(), 1U);
}

}  // namespace
}  // namespace gradient::chain
