#pragma once

#include "node/sync/block_sync.hpp"
#include "tests/support/small_network.hpp"
#include "tests/support/sync_node.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace gradient::node {

/// Nodes on a simulated network, and chains for them.
class SyncTest : public testing::Test {
  protected:
    using SharedBlock = test::SharedBlock;
    using Blocks = std::vector<SharedBlock>;

    std::unique_ptr<test::SyncNode> make_node(std::span<const SharedBlock> blocks = {},
                                              const SyncLimits& limits = {}) {
        auto node = std::make_unique<test::SyncNode>(simulated_, network_, trainers_, limits);
        node->take(blocks);
        return node;
    }
    /// Blocks on a chain of blocks; on genesis if there are none.
    Blocks mine(std::size_t count, std::span<const SharedBlock> below = {},
                std::uint8_t miner = 7) {
        const auto ledger = ledger_with(below);
        return test::mine_blocks(*ledger, ledger->tip()->id(), count, trainers_, miner);
    }
    std::unique_ptr<chain::Ledger> ledger_with(std::span<const SharedBlock> blocks) {
        auto ledger = test::open_ledger(network_, std::make_shared<chain::MemoryStore>());
        for (const SharedBlock& block : blocks) {
            EXPECT_TRUE(ledger->submit_block(block, block->header.tmpl.time_ms, trainers_));
        }
        return ledger;
    }

    bool reaches(const test::SyncNode& node, const chain::Hash256& tip,
                 test::SimulatedNetwork::Duration limit = 60s) {
        return simulated_.run_until([&] { return node.tip() == tip; }, limit);
    }
    static chain::Hash256 id_of(const SharedBlock& block) {
        return chain::header_id(block->header);
    }

    std::shared_ptr<const chain::Network> network_ = test::small_network();
    chain::OwnTrainers trainers_;
    test::SimulatedNetwork simulated_;
};

}  // namespace gradient::node
