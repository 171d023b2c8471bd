#include "chain/base/hash.hpp"
#include "chain/state/genesis_state.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/types/data.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/lane.hpp"
#include "tests/support/test_network.hpp"
#include "tests/support/transaction_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace gradient::chain {
namespace {

using Error = TransactionError;

// A text is on the chain.
class TaskFixture : public test::TransactionFixture {
  public:
    TaskFixture() { publish(text_); }

    // Makes a task of Alice's and returns its id.
    std::uint32_t created() {
        expect_applied(from_alice(create_task(text_)));
        return task_list().active.back();
    }
    // The same task with one thing changed.
    template <class Change>
    [[nodiscard]] SignedTransaction changed(Change change) const {
        CreateTask create = create_task(text_);
        change(create);
        return from_alice(create);
    }

  protected:
    Bytes text_ = test::random_letters(5000, 1);
};
using CreateRules = TaskFixture;
using FundRules = TaskFixture;
using CancelRules = TaskFixture;
using TaskEnd = TaskFixture;

// ----------------------------------------------------------------------------------- create: check

TEST_F(CreateRules, refuses_a_bad_shape) {
    expect_refused(changed([](auto& c) { c.shape.rows = 31; }), Error::bad_task_shape);
    expect_refused(changed([](auto& c) { c.shape.width = 0; }), Error::bad_task_shape);
    expect_refused(changed([](auto& c) { c.shape.steps_per_unit = 0; }), Error::bad_task_shape);
    expect_refused(changed([](auto& c) { c.shape.jitter = 0; }), Error::bad_task_shape);
    expect_refused(changed([](auto& c) { c.shape.x_rate_shift = 41; }), Error::bad_task_shape);
    params_.max_unit_work = model::unit_work(to_model(create_task(text_).shape)) - 1;
    expect_refused(from_alice(create_task(text_)), Error::bad_task_shape);
    params_.max_unit_work += 1;
}

TEST_F(CreateRules, refuses_a_model_of_which_no_lane_fits_into_a_segment) {
    const std::size_t parameters = 128 * 128 + 256 * 64;
    const auto least = static_cast<std::uint32_t>(least_segment_bytes(params_.work, parameters));
    params_.work.max_segment_bytes = least - 1;
    expect_refused(from_alice(create_task(text_)), Error::bad_task_shape);
    params_.work.max_segment_bytes = least;
    expect_applied(from_alice(create_task(text_)));
}

TEST_F(CreateRules, refuses_data_bytes_and_chunks_that_do_not_fit_together) {
    const auto expect_bad = [&](std::uint64_t bytes, std::size_t chunks) {
        expect_refused(changed([&](auto& c) {
                           c.data_bytes = bytes;
                           c.chunks.resize(chunks);
                       }),
                       Error::bad_task_data);
    };
    expect_bad(0, 0);
    expect_bad(0, 1);
    expect_bad(5000, 0);
    expect_bad(5000, 2);
    expect_bad(kDataChunkBytes, 2);
    expect_bad(kDataChunkBytes + 1, 1);
    expect_bad(kMaxDataBytes + 1, kMaxDataChunks + 1);
    expect_bad(UINT64_MAX, kMaxDataChunks);
}

TEST_F(CreateRules, the_largest_data_pass_the_check) {
    expect_refused(changed([&](auto& c) {
                       c.data_bytes = kMaxDataBytes;
                       c.chunks.assign(kMaxDataChunks, parent_);
                   }),
                   Error::chunk_missing);
}

TEST_F(CreateRules, refuses_bad_terms) {
    expect_refused(changed([](auto& c) { c.unit_budget = 0; }), Error::bad_task_terms);
    expect_refused(changed([](auto& c) { c.pay_per_hit = Amount(); }), Error::bad_task_terms);
    expect_refused(changed([](auto& c) { c.escrow = Amount(); }), Error::bad_task_terms);
    // Four hits a block at one coin each.
    expect_refused(changed([](auto& c) { c.escrow = Amount::of_units(4 * kCoin - 1); }),
                   Error::bad_task_terms);
    expect_refused(changed([](auto& c) {
                       c.pay_per_hit = kMaxAmount;
                       c.escrow = kMaxAmount;
                   }),
                   Error::bad_task_terms);
    expect_applied(changed([](auto& c) { c.escrow = Amount::of_coins(4); }));
}

TEST_F(CreateRules, refuses_an_escrow_that_overflows_with_the_fee) {
    expect_refused(changed([](auto& c) { c.escrow = kMaxAmount; }), Error::amount_overflow);
}

// ----------------------------------------------------------------------------------- create: admit

TEST_F(CreateRules, refuses_an_escrow_beyond_the_balance) {
    expect_refused(changed([](auto& c) { c.escrow = Amount::of_coins(1000); }),
                   Error::insufficient_balance);
}

TEST_F(CreateRules, refuses_more_creations_than_a_block_may_have) {
    params_.max_task_creations = 2;
    created();
    created();
    expect_refused(from_alice(create_task(text_)), Error::too_many_creations);
    next_block(10);
    created();
}

TEST_F(CreateRules, refuses_more_active_tasks_than_there_may_be) {
    params_.max_task_creations = 64;
    for (std::size_t i = 0; i < kMaxActiveTasks; ++i) created();
    next_block(10);
    expect_refused(from_alice(create_task(text_)), Error::too_many_tasks);
    expect_applied(from_alice(CancelTask{17}));
    EXPECT_EQ(created(), kMaxActiveTasks + 1);
}

TEST_F(CreateRules, refuses_when_ids_are_used_up) {
    TaskList list;
    list.next_id = UINT32_MAX;
    state_->put(task_list_key(), list);
    expect_refused(from_alice(create_task(text_)), Error::too_many_tasks);
}

TEST_F(CreateRules, refuses_a_chunk_that_is_not_on_the_chain) {
    expect_refused(from_alice(create_task(test::random_letters(5000, 2))), Error::chunk_missing);
}

TEST_F(CreateRules, data_may_be_published_earlier_in_the_same_block) {
    const Bytes other = test::random_letters(5000, 2);
    expect_applied(from_alice(PublishData{other}));
    expect_applied(from_alice(create_task(other)));
}

TEST_F(CreateRules, refuses_chunks_of_wrong_sizes) {
    const Bytes large = test::random_letters(kDataChunkBytes + 4500, 3);
    publish(large);
    expect_applied(from_alice(create_task(large)));
    // The short chunk first.
    expect_refused(changed([&](auto& c) {
                       c.data_bytes = large.size();
                       c.chunks = test::chunk_ids(large);
                       std::swap(c.chunks[0], c.chunks[1]);
                   }),
                   Error::data_unfit);
    // A last chunk that is longer or shorter than what is left.
    expect_refused(changed([](auto& c) { c.data_bytes -= 1; }), Error::data_unfit);
    expect_refused(changed([](auto& c) { c.data_bytes += 1; }), Error::data_unfit);
}

TEST_F(CreateRules, refuses_data_that_cannot_be_trained_on) {
    const Bytes short_text = test::random_letters(4095, 4);
    publish(short_text);
    expect_refused(from_alice(create_task(short_text)), Error::data_unfit);
    // A text has rows of 128 columns.
    expect_refused(changed([](auto& c) { c.shape.width = 112; }), Error::data_unfit);
}

TEST_F(CreateRules, refuses_data_without_substance) {
    const Bytes constant(5000, 'a');
    publish(constant);
    expect_refused(from_alice(create_task(constant)), Error::data_unfit);
    Bytes repeated;
    while (repeated.size() < 6000)
        repeated.insert(repeated.end(), text_.begin(), text_.begin() + 50);
    publish(repeated);
    expect_refused(from_alice(create_task(repeated)), Error::data_unfit);
}

// ----------------------------------------------------------------------------------- create: apply

TEST_F(CreateRules, makes_all_entries_of_a_task) {
    const SignedTransaction transaction = from_alice(create_task(text_));
    expect_applied(transaction);

    const auto record = require_entry<TaskRecord>(*state_, task_key(1));
    ASSERT_TRUE(record);
    TaskRecord wanted;
    wanted.id = 1;
    wanted.shape = test::cheapest_text_shape();
    wanted.data_root = data_root(text_);
    wanted.data_bytes = text_.size();
    wanted.initial_seed = tagged_hash("gradient/task-seed", parent_, transaction_id(transaction));
    wanted.unit_budget = 1000;
    wanted.pay_per_hit = Amount::of_coins(1);
    EXPECT_EQ(*record, wanted);

    const auto theta = initial_parameters(wanted);
    EXPECT_EQ(*require_parameters(*state_, model_key(1)), theta);
    TaskProgress progress;
    progress.model_digest = model_digest(theta);
    EXPECT_EQ(*require_entry<TaskProgress>(*state_, progress_key(1)), progress);
    EXPECT_EQ(task_account(1),
              (TaskAccount{alice(), Amount::of_coins(10), Amount(), TaskStatus::active, 9, 0}));
    EXPECT_EQ(*require_entry<TaskData>(*state_, task_data_key(1)),
              TaskData{test::chunk_ids(text_)});
    EXPECT_EQ(task_list(), (TaskList{2, {1}, {}}));
    EXPECT_EQ(tally_.creations, 1U);
    EXPECT_EQ(account(alice()).balance, *checked_sub(Amount::of_coins(990), transaction.fee));
}

TEST_F(CreateRules, the_initial_parameters_depend_on_parent_and_transaction) {
    created();
    created();  // the same but for the nonce
    const auto first = require_entry<TaskRecord>(*state_, task_key(1));
    const auto second = require_entry<TaskRecord>(*state_, task_key(2));
    EXPECT_NE(first->initial_seed, second->initial_seed);
    restart();
    publish(text_);
    parent_.bytes.fill(0x51);
    created();
    EXPECT_NE(require_entry<TaskRecord>(*state_, task_key(1))->initial_seed, first->initial_seed);
}

TEST_F(CreateRules, a_created_task_can_be_trained) {
    const std::uint32_t task = created();
    const auto record = require_entry<TaskRecord>(*state_, task_key(task));
    const auto data = task_data(*state_, task);
    ASSERT_TRUE(data);
    EXPECT_EQ(*data, text_);
    const auto runtime = make_task_runtime(*record, *data);
    ASSERT_TRUE(runtime);
    EXPECT_TRUE((*runtime)->make_trainer());
}

// ------------------------------------------------------------------------------------------- fund

TEST_F(FundRules, refuses_zero_amount) {
    const std::uint32_t task = created();
    expect_refused(from_alice(FundTask{task, Amount()}), Error::zero_amount);
}

TEST_F(FundRules, refuses_an_unknown_task_and_the_genesis_task) {
    const std::uint32_t task = created();
    expect_refused(from_alice(FundTask{task + 1, Amount::of_coins(1)}), Error::unknown_task);
    expect_refused(from_alice(FundTask{kGenesisTask, Amount::of_coins(1)}), Error::unknown_task);
}

TEST_F(FundRules, refuses_a_task_that_has_ended) {
    const std::uint32_t task = created();
    expect_applied(from_alice(CancelTask{task}));
    expect_refused(from_alice(FundTask{task, Amount::of_coins(1)}), Error::task_ended);
}

TEST_F(FundRules, anybody_may_add_to_the_escrow) {
    const std::uint32_t task = created();
    expect_applied(from_alice(Transfer{bob(), Amount::of_coins(5)}));
    expect_applied(from_bob(FundTask{task, Amount::of_coins(2)}));
    EXPECT_EQ(task_account(task).escrow, Amount::of_coins(12));
    EXPECT_EQ(task_account(task).owner, alice());
}

// ----------------------------------------------------------------------------------------- cancel

TEST_F(CancelRules, refuses_an_unknown_task) {
    expect_refused(from_alice(CancelTask{1}), Error::unknown_task);
    expect_refused(from_alice(CancelTask{kGenesisTask}), Error::unknown_task);
}

TEST_F(CancelRules, refuses_everybody_but_the_owner) {
    const std::uint32_t task = created();
    expect_applied(from_alice(Transfer{bob(), Amount::of_coins(5)}));
    expect_refused(from_bob(CancelTask{task}), Error::not_task_owner);
}

TEST_F(CancelRules, refuses_a_second_time) {
    const std::uint32_t task = created();
    expect_applied(from_alice(CancelTask{task}));
    expect_refused(from_alice(CancelTask{task}), Error::task_ended);
}

TEST_F(CancelRules, ends_the_task_and_keeps_the_escrow) {
    const std::uint32_t first = created();
    const std::uint32_t second = created();
    expect_applied(from_alice(CancelTask{first}));
    EXPECT_EQ(task_account(first),
              (TaskAccount{alice(), Amount::of_coins(10), Amount(), TaskStatus::cancelled, 9, 9}));
    EXPECT_EQ(task_list(), (TaskList{3, {second}, {first}}));
}

// -------------------------------------------------------------------------------------------- end

TEST_F(TaskEnd, the_escrow_is_refunded_to_the_owner_after_the_delay) {
    const std::uint32_t task = created();
    expect_applied(from_alice(Transfer{bob(), Amount::of_coins(5)}));
    expect_applied(from_bob(FundTask{task, Amount::of_coins(2)}));
    ASSERT_TRUE(end_task(*state_, task, TaskStatus::exhausted, 9));
    EXPECT_EQ(task_account(task).status, TaskStatus::exhausted);
    const Amount before = account(alice()).balance;

    next_block(9 + kRefundDelay - 1);
    ASSERT_TRUE(refund_ended_tasks(*state_, height_));
    EXPECT_EQ(*state_->diff(), StateDiff{});

    next_block(9 + kRefundDelay);
    ASSERT_TRUE(refund_ended_tasks(*state_, height_));
    EXPECT_EQ(account(alice()).balance, *checked_add(before, Amount::of_coins(12)));
    EXPECT_TRUE(task_account(task).escrow.is_zero());
    EXPECT_EQ(task_list(), (TaskList{2, {}, {}}));

    next_block(9 + kRefundDelay + 1);  // and never again
    ASSERT_TRUE(refund_ended_tasks(*state_, height_));
    EXPECT_EQ(*state_->diff(), StateDiff{});
}

TEST_F(TaskEnd, tasks_are_refunded_in_the_order_in_which_they_ended) {
    for (int i = 0; i < 3; ++i) created();
    ASSERT_TRUE(end_task(*state_, 3, TaskStatus::completed, 20));
    ASSERT_TRUE(end_task(*state_, 1, TaskStatus::suspended, 21));
    ASSERT_TRUE(end_task(*state_, 2, TaskStatus::completed, 25));
    EXPECT_EQ(task_list(), (TaskList{4, {}, {3, 1, 2}}));
    ASSERT_TRUE(refund_ended_tasks(*state_, 21 + kRefundDelay));
    EXPECT_EQ(task_list(), (TaskList{4, {}, {2}}));
}

TEST_F(TaskEnd, forgets_what_only_further_rounds_need) {
    const std::uint32_t task = created();
    const auto bytes = [] { return std::make_shared<const Bytes>(4); };
    Hash256 late;
    late.bytes.fill(0x77);
    for (const StateKey& key :
         {momentum_key(task), reference_key(task), history_key(task), late_key(late)}) {
        state_->set(key, bytes());
    }
    state_->put(late_list_key(task), LateList{{late}});
    state_->set(momentum_key(kGenesisTask), bytes());
    ASSERT_TRUE(end_task(*state_, task, TaskStatus::completed, 9));
    EXPECT_NE(*state_->get(momentum_key(task)), nullptr);
    ASSERT_TRUE(refund_ended_tasks(*state_, 9 + kRefundDelay));
    for (const StateKey& key : {momentum_key(task), reference_key(task), history_key(task),
                                late_list_key(task), late_key(late)}) {
        EXPECT_EQ(*state_->get(key), nullptr);
    }
    for (const StateKey& key :
         {task_key(task), progress_key(task), model_key(task), task_data_key(task),
          task_account_key(task), momentum_key(kGenesisTask)}) {
        EXPECT_NE(*state_->get(key), nullptr);
    }
}

TEST_F(TaskEnd, a_list_without_an_active_task_is_damage) {
    const std::uint32_t task = created();
    state_->put(task_list_key(), TaskList{2, {}, {}});
    const auto ended = end_task(*state_, task, TaskStatus::completed, 9);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().fault, StoreFault::corrupt);
}

TEST(GenesisState, has_an_empty_task_list) {
    MemoryState state;
    state.apply(make_genesis(test::tiny_spec()).state);
    EXPECT_EQ(*require_entry<TaskList>(state, task_list_key()), TaskList{});
    EXPECT_EQ(*read_task_list(EmptyState()), TaskList{});
}

}  // namespace
}  // namespace gradient::chain
