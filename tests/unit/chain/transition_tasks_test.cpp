// User tasks on a chain: how often they are drawn, what they pay, and how they end.
#include "chain/base/hash.hpp"
#include "chain/state/state.hpp"
#include "chain/transition/apply.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/share_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace gradient::chain {
namespace {

Hash256 block_id(int number) {
    return tagged_hash("gradient/test-block", test::hash_of(static_cast<std::uint8_t>(number)),
                       test::hash_of(static_cast<std::uint8_t>(number >> 8)));
}

// ------------------------------------------------------------------------------------------- draw

// A state that knows tasks by their pay per hit alone.
class TaskDraw : public testing::Test {
  protected:
    // How often each task is drawn by so many ids.
    std::map<std::uint32_t, int> drawn(const std::vector<std::uint64_t>& pays, int ids = 400) {
        const EmptyState nothing;
        State state(nothing);
        TaskList list;
        for (const std::uint64_t pay : pays) {
            TaskRecord record;
            record.id = list.next_id++;
            record.pay_per_hit = Amount::from_units(pay).value();
            state.put(task_key(record.id), record);
            list.active.push_back(record.id);
        }
        state.put(task_list_key(), list);
        std::map<std::uint32_t, int> counts;
        for (int i = 0; i < ids; ++i) {
            const Hash256 id = block_id(i);
            ++counts[*draw_task(state, id, params_)];
        }
        return counts;
    }

    ConsensusParams params_;
    std::uint64_t weight_ = params_.task_weight.units();
};

TEST_F(TaskDraw, without_user_tasks_the_genesis_task_has_every_block) {
    EXPECT_EQ(drawn({}), (std::map<std::uint32_t, int>{{kGenesisTask, 400}}));
}

TEST_F(TaskDraw, one_task_has_its_weight_beside_the_task_weight) {
    // w / (W + w): a quarter, and at most half, whatever it pays. Four standard deviations.
    EXPECT_NEAR(drawn({weight_ / 3})[1], 100, 35);
    EXPECT_NEAR(drawn({weight_})[1], 200, 40);
    EXPECT_NEAR(drawn({100 * weight_})[1], 200, 40);
    EXPECT_EQ(drawn({1})[1], 0);
}

TEST_F(TaskDraw, tasks_share_half_of_the_blocks_by_their_weights) {
    auto counts = drawn({weight_ / 2, weight_ / 4, weight_, 7 * weight_}, 1600);
    // Weights 2, 1, 4 and 4 of 11 quarters, beside as much for the genesis task.
    EXPECT_NEAR(counts[kGenesisTask], 800, 80);
    EXPECT_NEAR(counts[1], 145, 46);
    EXPECT_NEAR(counts[2], 73, 34);
    EXPECT_NEAR(counts[3], 291, 62);
    EXPECT_NEAR(counts[4], 291, 62);
}

TEST_F(TaskDraw, follows_the_formula) {
    const std::vector<std::uint64_t> weights{weight_ / 2, weight_ / 4, weight_};
    const std::uint64_t users = weights[0] + weights[1] + weights[2];
    std::map<std::uint32_t, int> expected;
    for (int i = 0; i < 400; ++i) {
        const Hash256 id = block_id(i);
        const Hash256 draw = tagged_hash("gradient/task-draw", id);
        std::uint64_t x = 0;
        for (std::size_t byte = 8; byte-- > 0;) x = x << 8U | draw.bytes[byte];
        __extension__ using Wide = unsigned __int128;
        const auto q = static_cast<std::uint64_t>(Wide{x} * (2 * users) >> 64U);
        std::uint32_t task = kGenesisTask;
        for (std::uint64_t sum = users; task < 3 && q >= sum; ++task) sum += weights[task];
        ++expected[task];
    }
    EXPECT_EQ(drawn(weights), expected);
}

// ------------------------------------------------------------------------------------------- life

constexpr std::uint8_t kOwner = 8;  // never mines

class UserTasks : public ShareChain {
  protected:
    // Gives the owner coins and makes a task.
    void create(const std::function<void(CreateTask&)>& change = [](CreateTask&) {}) {
        extend_by(14);
        const Bytes text = test::random_letters(5000, 1);
        extend({{}, {sign(7, Transfer{address(kOwner), Amount::of_coins(100)})}});
        CreateTask made;
        made.shape = test::cheapest_text_shape();
        made.data_bytes = text.size();
        made.chunks = test::chunk_ids(text);
        made.unit_budget = 1'000'000;
        made.pay_per_hit = Amount::of_coins(1);
        made.escrow = Amount::of_coins(50);
        change(made);
        extend({{}, {sign(kOwner, PublishData{text}), sign(kOwner, made, 1)}});
        ASSERT_EQ(account().status, TaskStatus::active);
        ASSERT_EQ(account().escrow, made.escrow);
    }
    TaskAccount account() const { return entry<TaskAccount>(task_account_key(1)); }
    TaskProgress progress() const { return entry<TaskProgress>(progress_key(1)); }
    TaskList list() const { return entry<TaskList>(task_list_key()); }
    bool trains_user_task() const { return ledger_->tip()->context().task == 1; }
    void extend_to_user_task() {
        for (int i = 0; i < 100 && !trains_user_task(); ++i) extend();
        ASSERT_TRUE(trains_user_task());
    }
    void extend_to_end() {
        for (int i = 0; i < 200 && account().status == TaskStatus::active; ++i) extend();
    }

    // From the block that ended it on: drawn no more, refunded after five blocks, kept for ever.
    void expect_ended(TaskStatus status) {
        ASSERT_EQ(account().status, status);
        ASSERT_EQ(account().ended_height, height());
        EXPECT_EQ(list(), (TaskList{2, {}, {1}}));
        const std::uint64_t ended = height();
        while (height() < ended + 4) {
            EXPECT_FALSE(trains_user_task());
            extend();
        }
        const std::uint64_t escrow = account().escrow.units();
        const std::uint64_t before = balance(kOwner).units();
        const Hash256 digest = progress().model_digest;
        extend();
        EXPECT_EQ(balance(kOwner).units(), before + escrow);
        EXPECT_TRUE(account().escrow.is_zero());
        EXPECT_EQ(account().status, status);
        EXPECT_EQ(list(), (TaskList{2, {}, {}}));
        for (const StateKey& key :
             {momentum_key(1), reference_key(1), history_key(1), late_list_key(1)}) {
            EXPECT_FALSE(*state().get(key));
        }
        extend_by(6);
        EXPECT_EQ(model_digest(*require_parameters(state(), model_key(1))), digest);
        EXPECT_EQ(progress().model_digest, digest);
        EXPECT_EQ(entry<TaskRecord>(task_key(1)).id, 1U);
    }
};

TEST_F(UserTasks, are_drawn_trained_and_settled) {
    create();
    const Hash256 digest = progress().model_digest;
    int theirs = 0;
    for (int i = 0; i < 60; ++i) {
        theirs += trains_user_task() ? 1 : 0;
        const std::uint32_t task = ledger_->tip()->context().task;
        const SharedBlock block = extend();
        EXPECT_EQ(block->header.tmpl.task, task);
    }
    EXPECT_NEAR(theirs, 30, 16);
    EXPECT_GT(progress().settled_rounds, 0U);
    EXPECT_NE(progress().model_digest, digest);
    EXPECT_EQ(model_digest(*require_parameters(state(), model_key(1))), progress().model_digest);
}

TEST_F(UserTasks, a_header_of_another_task_than_the_drawn_one_is_refused) {
    create();
    extend_to_user_task();
    BlockTemplate on = work();
    on.tmpl.task = kGenesisTask;
    refuses(block_of(on), rule(HeaderError::wrong_task));
}

TEST_F(UserTasks, pay_on_top_from_their_escrow) {
    create();
    extend_to_user_task();
    const BlockTemplate on = work();
    const SharedSegment now = share_of(on, 1, 0, 9);
    const SharedSegment later = share_of(on, 2, 0, 9);
    const std::uint64_t round = on.tmpl.height;
    std::uint64_t paid = 0;
    const auto expect_pay = [&](std::size_t place, std::uint64_t number, std::uint64_t late) {
        const RoundSegment segment = entry<Round>(round_key(number)).segments.at(place);
        const auto one = entry<Contribution>(contribution_key(segment.segment));
        EXPECT_EQ(one.task, 1U);
        const std::uint64_t on_top =
            one.hits * kCoin * std::min<std::uint64_t>(one.paid_units, 128) / 128 * (4 - late) / 4;
        paid += on_top;
        const std::uint64_t emission = one.hits * 20 * kCoin *
                                       std::min<std::uint64_t>(one.paid_units, 128) / 128 *
                                       (4 - late) / 4;
        const MaturingPay pay =
            entry<MaturingPay>(maturing_pay_key(height() + params().maturity_blocks));
        const auto found = std::find_if(pay.pays.begin(), pay.pays.end(), [&](const Pay& its) {
            return its.segment == segment.segment;
        });
        ASSERT_NE(found, pay.pays.end());
        const SharedSegment& share = late > 0 ? later : now;
        const std::uint64_t fee =
            place == 0 ? 0 : 10 * encoded_size(*share) + 10'000 * share->body.openings.size();
        EXPECT_EQ(found->amount.units(), emission - fee + on_top);
    };
    const auto expect_escrow = [&](std::uint64_t winners) {
        EXPECT_EQ(account().paid.units(), paid + winners);
        EXPECT_EQ(account().escrow.units() + account().paid.units(), 50 * kCoin);
    };
    extend();
    expect_pay(0, round, 0);
    expect_escrow(0);
    extend(listing({now}));
    expect_pay(1, round, 0);
    if (entry<PendingRound>(pending_round_key()).task == 1) expect_pay(0, round + 1, 0);
    expect_escrow(0);
    extend(listing({}, {later}));
    expect_pay(2, round, 1);
    if (entry<PendingRound>(pending_round_key()).task == 1) expect_pay(0, round + 2, 0);
    expect_escrow(0);
}

TEST_F(UserTasks, complete_when_their_budget_is_trained) {
    create([](CreateTask& made) { made.unit_budget = 40; });
    extend_to_end();
    EXPECT_GE(progress().units_claimed, 40U);
    expect_ended(TaskStatus::completed);
}

TEST_F(UserTasks, are_exhausted_when_they_cannot_pay_another_block) {
    create([](CreateTask& made) {
        made.pay_per_hit = Amount::of_coins(10);
        made.escrow = Amount::of_coins(21);
    });
    extend_to_end();
    EXPECT_LT(account().escrow, Amount::of_coins(20));
    expect_ended(TaskStatus::exhausted);
}

TEST_F(UserTasks, are_cancelled_by_their_owner) {
    create();
    extend_to_user_task();
    extend();
    extend({{}, {sign(kOwner, CancelTask{1})}});
    expect_ended(TaskStatus::cancelled);
}

TEST_F(UserTasks, late_shares_of_an_ended_task_are_paid_and_do_not_enter) {
    create();
    extend_to_user_task();
    const SharedSegment late = share(1, 0, 9);
    extend({{}, {sign(kOwner, CancelTask{1})}});
    extend();
    const Amount paid = account().paid;
    extend(listing({}, {late}));
    EXPECT_GT(account().paid, paid);
    EXPECT_FALSE(read_entry<LateList>(state(), late_list_key(1)).value());
    extend_by(4);
    EXPECT_TRUE(account().escrow.is_zero());
}

TEST_F(UserTasks, that_diverge_are_suspended_and_the_chain_goes_on) {
    create([](CreateTask& made) {
        made.shape.x_rate_mantissa = made.shape.y_rate_mantissa = 255;
        made.shape.x_rate_shift = made.shape.y_rate_shift = 0;
        made.shape.x_clip = made.shape.y_clip = 1U << 30U;
    });
    extend_to_user_task();
    EXPECT_EQ(account().status, TaskStatus::active);
    extend();
    expect_ended(TaskStatus::suspended);
}

}  // namespace
}  // namespace gradient::chain
