// Several miners on one chain: shares are listed, settled and paid.
#include "chain/consensus/reward.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/transition/settle_task.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/coin_audit.hpp"
#include "tests/support/lane_network.hpp"
#include "tests/support/open_lane.hpp"
#include "tests/support/small_text.hpp"
#include "tests/support/test_network.hpp"

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

// Two lanes of one template, the one with all the tools of a forger and no use for them.
TEST(Shares, of_an_open_lane_without_inventions_are_those_of_a_lane) {
    const auto network = test::tiny_network(5);
    const auto ledger = *Ledger::open(network, std::make_unique<MemoryStore>());
    OwnTrainers trainers;
    const SecretKey key = test::tiny_key();
    const auto work =
        *make_template(ledger->tip(), {}, key.public_key(), test::kGenesisTime + 1, trainers);
    model::Trainer& trainer = trainers.trainer_of(ledger->tip()->task());
    Lane lane = work.start_lane(3);
    test::OpenLane open(work, 3);
    for (int i = 0; i < 40; ++i) {
        ASSERT_EQ(lane.step(trainer).value(), open.step(trainer).value());
    }
    const auto expected = *build_segment(lane, key, trainer);
    const auto built = *test::build_segment(open, key, trainer);
    EXPECT_EQ(built.segment, expected.segment);
    EXPECT_EQ(built.header, expected.header);
    EXPECT_EQ(open.chance_unseen(), 1);
}

TEST(Shares, held_back_come_as_many_blocks_late) {
    auto list = miners(4);
    for (auto& miner : list) miner.policy.hold_blocks = 2;
    test::LaneNetwork network(test::make_simulated_network({4, 1}), list);
    std::size_t late = 0;
    for (int i = 0; i < 12; ++i) {
        network.mine_block();
        for (const test::IncludedShare& one : network.included()) {
            EXPECT_EQ(one.lateness, one.is_winner ? 0U : 2U);
            late += one.is_winner ? 0 : 1;
        }
    }
    EXPECT_GT(late, 10U);
    EXPECT_TRUE(test::audit_coins(network.store(), 0).is_conserved());
}

// Lanes that listed what the winner's block leaves out wait for it to come late.
TEST(Shares, left_out_by_one_miner_come_late_with_another) {
    auto list = miners(4);
    list[0].policy.includes = [](std::size_t) { return false; };
    test::LaneNetwork network(test::make_simulated_network({4, 1}), list);
    std::size_t late = 0;
    for (int i = 0; i < 24; ++i) {
        const std::size_t winner = network.mine_block();
        const auto& included = network.included();
        if (winner == 0) {
            EXPECT_EQ(included.size(), 1U);
        }
        for (const test::IncludedShare& one : included) late += one.lateness > 0 ? 1 : 0;
    }
    EXPECT_GT(late, 0U);
    EXPECT_TRUE(test::audit_coins(network.store(), 0).is_conserved());
}

TEST(Shares, with_an_invented_unit_opened_are_refused) {
    auto list = miners(4);
    list[0].policy.before_unit = [](test::OpenLane& lane) { lane.invent(lane.parameters()); };
    test::LaneNetwork network(test::make_simulated_network({4, 1}), list);
    for (int i = 0; i < 24; ++i) network.mine_block();
    const test::LaneCounters& forger = network.counters()[0];
    EXPECT_GT(forger.refused_shares + forger.refused_blocks, 0U);
    EXPECT_LE(forger.refused_shares, forger.handed_in);
}

}  // namespace
}  // namespace gradient::chain
