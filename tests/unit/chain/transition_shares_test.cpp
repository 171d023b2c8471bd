// Several miners on one chain: shares are listed, settled and paid.
#include "chain/consensus/reward.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/transition/settle_task.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/lane_network.hpp"

#include <gtest/gtest.h>

#include <map>

namespace gradient::chain {
namespace {

std::vector<test::SimulatedMiner> miners(std::size_t count) {
    std::vector<test::SimulatedMiner> list;
    for (std::size_t i = 0; i < count; ++i) {
        list.push_back({static_cast<std::uint8_t>(i + 1), 100});
    }
    return list;
}

TEST(Shares, of_lanes_that_did_not_win_are_listed_and_settled) {
    test::LaneNetwork network(test::tiny_network(5), miners(4));
    for (int i = 0; i < 12; ++i) network.mine_block();
    const auto& state = network.ledger().tip()->state();
    const auto progress = *require_entry<TaskProgress>(state, progress_key(kGenesisTask));
    EXPECT_EQ(progress.settled_rounds, 11U);
    EXPECT_GT(progress.segments, 12U);
    const auto model = *require_parameters(state, model_key(kGenesisTask));
    EXPECT_EQ(progress.model_digest, model_digest(model));
}

TEST(Shares, a_history_that_no_settlement_leaves_is_a_damaged_state) {
    test::LaneNetwork network(test::tiny_network(5), miners(2));
    for (int i = 0; i < 3; ++i) network.mine_block();
    const auto tip = network.ledger().tip();
    TaskSet tasks;
    tasks.add(tip->task());
    const SettlementContext context{tip->network().params(), tasks, network.trainers()};
    const auto start_with = [&](const SettlementHistory& history) {
        State state(tip->state());
        state.put(history_key(kGenesisTask), history);
        return lane_start(state, kGenesisTask, tip->id(), {}, Contributions(state), context);
    };
    EXPECT_TRUE(start_with({{{1, 5}}, {7}}));
    for (const SettlementHistory& history : {SettlementHistory{{{0, 5}}, {7}}, {{{1, 5}}, {0}}}) {
        const auto start = start_with(history);
        ASSERT_FALSE(start);
        EXPECT_EQ(start.error(),
                  bad_entry(history_key(kGenesisTask), "no settlement leaves such numbers"));
    }
}

TEST(Shares, every_64th_model_that_is_not_worse_becomes_the_reference) {
    test::LaneNetwork network(test::tiny_network(2), miners(1));
    const auto& ledger = network.ledger();
    const auto initial = *require_parameters(ledger.tip()->state(), model_key(kGenesisTask));
    const auto settle_until = [&](std::uint64_t rounds) {
        for (;;) {
            const auto progress =
                *require_entry<TaskProgress>(ledger.tip()->state(), progress_key(kGenesisTask));
            if (progress.settled_rounds == rounds) return;
            network.mine_block();
        }
    };
    const auto reference = [&] {
        return *require_parameters(ledger.tip()->state(), reference_key(kGenesisTask));
    };
    settle_until(kReferenceInterval - 1);
    EXPECT_EQ(reference(), initial);
    settle_until(kReferenceInterval);
    const auto model = *require_parameters(ledger.tip()->state(), model_key(kGenesisTask));
    EXPECT_NE(model, initial);
    EXPECT_EQ(reference(), model);
    settle_until(kReferenceInterval + 1);
    EXPECT_EQ(reference(), model);
}

}  // namespace
}  // namespace gradient::chain
