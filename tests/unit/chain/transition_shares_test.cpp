// Several miners on one chain: shares are listed, settled and paid.
#include "chain/consensus/reward.hpp"
#include "chain/state/entries.hpp"
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

}  // namespace
}  // namespace gradient::chain
