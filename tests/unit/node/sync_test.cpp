#include "node/sync/block_sync.hpp"
#include "tests/support/small_network.hpp"
#include "tests/support/sync_node.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gradient::node {
namespace {

using test::SharedBlock;
using test::SimulatedNetwork;
using test::SyncNode;
using namespace sync_state;  // NOLINT(google-build-using-namespace)

class Sync : public testing::Test {
  protected:
    std::unique_ptr<SyncNode> make_node(std::span<const SharedBlock> blocks = {},
                                        const SyncLimits& limits = {}) {
        auto node = std::make_unique<SyncNode>(simulated_, network_, trainers_, limits);
        node->take(blocks);
        return node;
    }
    /// Blocks on a chain of blocks; on genesis if there are none.
    std::vector<SharedBlock> mine(std::size_t count, std::span<const SharedBlock> below = {},
                                  std::uint8_t miner = 7) {
        const auto ledger = test::open_ledger(network_, std::make_shared<chain::MemoryStore>());
        for (const SharedBlock& block : below) {
            EXPECT_TRUE(ledger->submit_block(block, block->header.tmpl.time_ms, trainers_));
        }
        return test::mine_blocks(*ledger, ledger->tip()->id(), count, trainers_, miner);
    }

    bool reaches(const SyncNode& node, const chain::Hash256& tip,
                 SimulatedNetwork::Duration limit = 60s) {
        return simulated_.run_until([&] { return node.tip() == tip; }, limit);
    }
    static chain::Hash256 id_of(const SharedBlock& block) {
        return chain::header_id(block->header);
    }

    std::shared_ptr<const chain::Network> network_ = test::small_network();
    chain::OwnTrainers trainers_;
    SimulatedNetwork simulated_;
};

TEST_F(Sync, newcomer_catches_up_from_all_its_peers_and_fetches_each_block_once) {
    const auto blocks = mine(60);
    const auto a = make_node(blocks);
    const auto b = make_node(blocks);
    const auto c = make_node(blocks);
    const auto newcomer = make_node();
    EXPECT_TRUE(newcomer->is<NoPeers>());
    for (const auto* peer : {&a, &b, &c}) simulated_.connect(newcomer->index(), (*peer)->index());
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    EXPECT_EQ(newcomer->blocks_from.size(), 3U);
    for (const auto& [peer, count] : newcomer->blocks_from) EXPECT_GE(count, 10U);
    for (const auto& [id, count] : newcomer->times_received) EXPECT_EQ(count, 1U);
    EXPECT_EQ(newcomer->times_received.size(), 60U);
    EXPECT_TRUE(newcomer->reports.empty());
    EXPECT_TRUE(newcomer->is<InSync>());
    EXPECT_EQ(newcomer->status().headers_held, 0U);
    EXPECT_EQ(newcomer->status().bytes_held, 0U);
}

TEST_F(Sync, two_partitions_heal_from_their_fork) {
    const auto common = mine(3);
    const auto shorter = mine(22, common, 1);
    const auto longer = mine(25, common, 2);
    const auto a = make_node(common);
    a->take(shorter);
    const auto b = make_node(common);
    b->take(longer);
    simulated_.connect(a->index(), b->index());
    ASSERT_TRUE(reaches(*a, id_of(longer.back())));
    EXPECT_EQ(a->times_received.size(), 25U);
    EXPECT_TRUE(b->blocks_from.empty());
    EXPECT_TRUE(a->reports.empty());
    EXPECT_TRUE(b->reports.empty());
}

}  // namespace
}  // namespace gradient::node
