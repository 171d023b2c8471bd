#include "tests/unit/node/sync_fixture.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gradient::node {
namespace {

using namespace sync_state;  // NOLINT(google-build-using-namespace)

class Sync : public SyncTest {
  protected:
    /// Blocks asked for by a newcomer that fetches the chain of two peers, over lines of that many
    /// bytes a second.
    std::size_t requests_on_lines_of(std::size_t bytes_per_second, const Blocks& blocks) {
        const auto a = make_node(blocks);
        const auto b = make_node(blocks);
        const auto newcomer = make_node();
        test::SimulatedNetwork::Link slow;
        slow.latency = 300ms;
        slow.bytes_per_second = bytes_per_second;
        simulated_.connect(newcomer->index(), a->index(), slow);
        simulated_.connect(newcomer->index(), b->index(), slow);
        EXPECT_TRUE(reaches(*newcomer, id_of(blocks.back()), 300s));
        EXPECT_TRUE(newcomer->reports.empty());
        return simulated_.sent<GetBlock>();
    }
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

// The headers that may be held of the longer branch have less work than the ledger would admit.
TEST_F(Sync, branch_longer_than_the_headers_held_comes_in_from_a_deep_fork) {
    const auto common = mine(3);
    const auto shorter = mine(30, common, 1);
    const auto longer = mine(40, common, 2);
    SyncLimits limits;
    limits.peer_headers = 8;
    const auto a = make_node(common, limits);
    a->take(shorter);
    const auto b = make_node(common);
    b->take(longer);
    simulated_.connect(a->index(), b->index());
    ASSERT_TRUE(simulated_.run_until([&] { return a->status().headers_held > 0; }, 10s));
    std::size_t most_held = 0;
    ASSERT_TRUE(simulated_.run_until(
        [&] {
            most_held = std::max(most_held, a->status().headers_held);
            return a->tip() == id_of(longer.back());
        },
        60s));
    EXPECT_EQ(most_held, 8U);
    EXPECT_TRUE(a->reports.empty());
    EXPECT_EQ(a->times_received.size(), 40U);
}

TEST_F(Sync, chain_longer_than_the_headers_held_comes_in_piece_by_piece) {
    const auto blocks = mine(50);
    SyncLimits limits;
    limits.peer_headers = 8;
    const auto a = make_node(blocks);
    const auto newcomer = make_node({}, limits);
    simulated_.connect(newcomer->index(), a->index());
    std::size_t most_held = 0;
    ASSERT_TRUE(simulated_.run_until(
        [&] {
            most_held = std::max(most_held, newcomer->status().headers_held);
            return newcomer->tip() == id_of(blocks.back());
        },
        60s));
    EXPECT_EQ(most_held, 8U);
    EXPECT_TRUE(newcomer->reports.empty());
}

TEST_F(Sync, disconnection_in_the_middle_leaves_the_rest_to_others) {
    const auto blocks = mine(40);
    const auto a = make_node(blocks);
    const auto b = make_node(blocks);
    const auto newcomer = make_node();
    const PeerId to_a = simulated_.connect(newcomer->index(), a->index());
    simulated_.connect(newcomer->index(), b->index());
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->height() == 10; }, 60s));
    simulated_.disconnect(to_a);
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    EXPECT_TRUE(newcomer->reports.empty());
    EXPECT_LE(newcomer->blocks_from[to_a], 20U);
}

TEST_F(Sync, goes_on_when_the_peer_leaves_whose_chain_was_fetched) {
    const auto blocks = mine(12);
    const auto other = mine(8, {}, 3);
    const auto a = make_node(blocks);
    const auto b = make_node(other);
    const auto newcomer = make_node();
    const PeerId to_a = simulated_.connect(newcomer->index(), a->index());
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->height() == 2; }, 60s));
    simulated_.connect(newcomer->index(), b->index());
    simulated_.disconnect(to_a);
    ASSERT_TRUE(reaches(*newcomer, id_of(other.back())));
    EXPECT_EQ(newcomer->status().headers_held, 0U);
    EXPECT_EQ(newcomer->status().bytes_held, 0U);
    EXPECT_TRUE(newcomer->reports.empty());
}

TEST_F(Sync, follows_a_peer_that_moves_on) {
    const auto blocks = mine(30);
    const auto a = make_node(std::span(blocks).first(10));
    const auto newcomer = make_node();
    simulated_.connect(newcomer->index(), a->index());
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->height() == 5; }, 60s));
    a->take(std::span(blocks).subspan(10));
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    EXPECT_TRUE(newcomer->reports.empty());
}

TEST_F(Sync, asks_nothing_of_peers_with_as_much_work_or_less) {
    const auto blocks = mine(5);
    const auto other = mine(5, {}, 3);
    const auto a = make_node(blocks);
    const auto b = make_node(other);
    const auto c = make_node(std::span(blocks).first(2));
    simulated_.connect(a->index(), b->index());
    simulated_.connect(b->index(), c->index());
    simulated_.run_for(30s);
    EXPECT_EQ(a->tip(), id_of(blocks.back()));
    EXPECT_EQ(b->tip(), id_of(other.back()));
    // c has caught up; nobody else has asked.
    EXPECT_EQ(c->tip(), id_of(other.back()));
    EXPECT_EQ(simulated_.sent<GetHeaders>(), 1U);
}

TEST_F(Sync, announced_block_on_the_tip_is_left_to_relay_for_a_while) {
    const auto blocks = mine(2);
    const auto a = make_node(std::span(blocks).first(1));
    const auto b = make_node(std::span(blocks).first(1));
    simulated_.connect(b->index(), a->index());
    simulated_.run_for(1s);
    a->take(blocks);
    simulated_.run_for(SyncLimits().relay_time - 1s);
    EXPECT_EQ(simulated_.sent<GetHeaders>(), 0U);
    EXPECT_TRUE(reaches(*b, id_of(blocks.back()), 3s));
}

TEST_F(Sync, block_that_relay_fetches_is_not_fetched_here) {
    const auto blocks = mine(3);
    const auto a = make_node(blocks);
    const auto b = make_node();
    b->sync().left_to_relay(id_of(blocks[1]), simulated_.now());
    simulated_.connect(b->index(), a->index());
    simulated_.run_for(5s);
    EXPECT_EQ(b->height(), 1U);
    EXPECT_EQ(b->times_received.count(id_of(blocks[1])), 0U);
    EXPECT_EQ(b->times_received.count(id_of(blocks[2])), 1U);
    b->take(blocks);  // relay has brought it
    simulated_.run_for(1s);
    EXPECT_EQ(b->times_received[id_of(blocks[2])], 1U);
}

TEST_F(Sync, window_bounds_the_bytes_that_wait) {
    const auto blocks = mine(30);
    const auto a = make_node(blocks);
    const auto b = make_node(blocks);
    SyncLimits limits;
    std::size_t size = 0;
    for (const auto& block : blocks) size = std::max(size, chain::encoded_size(*block));
    limits.window_bytes = 6 * size;
    const auto newcomer = make_node({}, limits);
    newcomer->judging_time = 500ms;  // blocks arrive faster than they are judged
    simulated_.connect(newcomer->index(), a->index());
    simulated_.connect(newcomer->index(), b->index());
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    EXPECT_LE(newcomer->most_held_bytes, 7 * size);
    EXPECT_TRUE(newcomer->reports.empty());
}

TEST_F(Sync, status_names_what_is_waited_for) {
    const auto blocks = mine(12);
    const auto a = make_node(blocks);
    const auto newcomer = make_node();
    newcomer->judging_time = 100ms;
    simulated_.connect(newcomer->index(), a->index());
    const auto sees = [&]<class State>(const State&) {
        return simulated_.run_until([&] { return newcomer->is<State>(); }, 10s);
    };
    EXPECT_TRUE(sees(WaitingForHeaders{}));
    EXPECT_EQ(newcomer->status().best_claimed_height, 12U);
    EXPECT_TRUE(sees(Downloading{}));
    EXPECT_EQ(newcomer->status().best_chain_headers, 12U);
    EXPECT_EQ(newcomer->status().headers_held, 12U);
    EXPECT_TRUE(sees(Verifying{}));
    ASSERT_TRUE(simulated_.run_until([&] { return newcomer->height() == 8; }, 10s));
    EXPECT_NEAR(newcomer->status().blocks_per_second, 10, 2);
    EXPECT_TRUE(sees(InSync{}));
}

TEST_F(Sync, block_that_this_node_could_not_judge_is_judged_again) {
    const auto blocks = mine(4);
    const auto a = make_node(blocks);
    const auto newcomer = make_node();
    newcomer->failures = {chain::StoreError{chain::StoreFault::failed, "busy"},
                          chain::StoreError{chain::StoreFault::failed, "busy"}};
    simulated_.connect(newcomer->index(), a->index());
    EXPECT_TRUE(simulated_.run_until([&] { return newcomer->is<OwnFailure>(); }, 10s));
    ASSERT_TRUE(reaches(*newcomer, id_of(blocks.back())));
    EXPECT_TRUE(newcomer->reports.empty());
    EXPECT_EQ(newcomer->times_received[id_of(blocks.front())], 1U);
    EXPECT_EQ(newcomer->submissions, 6U);
    EXPECT_FALSE(newcomer->is<OwnFailure>());
}

// Everything is late, so blocks are asked of both, and nobody is blamed.
TEST_F(Sync, slow_line_is_no_fault) {
    const auto blocks = mine(12);
    EXPECT_GT(requests_on_lines_of(256, blocks), blocks.size());
}

// Once it is known how slow the lines are, no block is asked of both.
TEST_F(Sync, rate_of_a_line_is_measured) {
    const auto blocks = mine(12);
    EXPECT_EQ(requests_on_lines_of(512, blocks), blocks.size());
}

TEST_F(Sync, headers_ahead_of_the_clock_wait_without_blame) {
    const auto blocks = mine(6);
    const auto a = make_node(blocks);
    const auto newcomer = make_node();
    // Seen from a clock at which the fourth block's time lies too far ahead.
    const std::uint64_t early =
        blocks[3]->header.tmpl.time_ms - network_->params().max_future_ms - 1;
    newcomer->clock_ms = [early] { return early; };
    simulated_.connect(newcomer->index(), a->index());
    EXPECT_TRUE(simulated_.run_until([&] { return newcomer->height() == 3; }, 10s));
    simulated_.run_for(20s);
    EXPECT_EQ(newcomer->height(), 3U);
    EXPECT_TRUE(newcomer->reports.empty());
    newcomer->clock_ms = [early] { return early + 60'000; };
    EXPECT_TRUE(reaches(*newcomer, id_of(blocks.back()), 10s));
}

}  // namespace
}  // namespace gradient::node
