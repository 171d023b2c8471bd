// Blocks, shares and transactions on their way through whole networks of nodes.

#include "tests/support/relay_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <set>

namespace gradient::node {
namespace {

using test::RelayNetwork;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr std::size_t kNodes = 20;
constexpr std::uint64_t kSeed = 20'261'124;

// Twenty nodes, four blocks high; the shares and transactions of the next block are on all of them.
class RelayNetworkTest : public testing::Test {
  protected:
    RelayNetworkTest() {
        for (std::size_t i = 0; i < kNodes; ++i) network.add_node();
        network.extend_all(5);
        test::connect_at_random(network, 2);
        network.start_ticks();
    }

    void fill_pools() {
        for (std::uint8_t miner = 20; miner < 26; ++miner) {
            shares.push_back(network.make_share(miner % kNodes, miner));
            network.put_share(miner % kNodes, shares.back());
        }
        const std::uint64_t nonce = network.nonce_of_miner(0);
        for (std::uint64_t i = 0; i < 16; ++i) {
            transactions.push_back(network.transfer(nonce + i));
            network.put_transaction(3, transactions.back());
        }
        network.run(5s);
    }
    chain::TemplateContents contents() const {
        chain::TemplateContents made{shares, {}};
        for (const auto& transaction : transactions) made.transactions.push_back({*transaction});
        return made;
    }
    void expect_all_at(const chain::Hash256& tip) {
        for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(network[i].tip(), tip) << i;
    }
    void expect_no_reports() {
        for (std::size_t i = 0; i < kNodes; ++i) EXPECT_THAT(network[i].reports, IsEmpty()) << i;
    }
    template <class M>
    test::RelayNode::Traffic sent() {
        test::RelayNode::Traffic sum;
        for (std::size_t i = 0; i < kNodes; ++i) {
            const auto own = network[i].sent_of<M>();
            sum.messages += own.messages;
            sum.bytes += own.bytes;
        }
        return sum;
    }

    RelayNetwork network{kSeed};
    std::vector<chain::VerifiedShare> shares;
    std::vector<SharedTransaction> transactions;
};

TEST_F(RelayNetworkTest, items_reach_every_pool_once) {
    fill_pools();
    for (std::size_t i = 0; i < kNodes; ++i) {
        EXPECT_EQ(network[i].mempool.size(), transactions.size()) << i;
        EXPECT_EQ(network[i].shares.size(), shares.size()) << i;
        EXPECT_EQ(network[i].relay->figures().duplicates_received, 0U) << i;
        EXPECT_EQ(network[i].relay->items().fetcher().wanted(), 0U) << i;
    }
    // Every node but the first gets each item once, and nothing is told twice over a link.
    EXPECT_EQ(sent<ShareMessage>().messages, shares.size() * (kNodes - 1));
    EXPECT_EQ(sent<TransactionMessage>().messages, transactions.size() * (kNodes - 1));
    expect_no_reports();
}

TEST_F(RelayNetworkTest, a_block_reaches_all_by_outlines) {
    fill_pools();
    const auto block = network.mine(0, contents());
    const auto id = network.submit(0, block);
    network.run(5s);
    expect_all_at(id);
    expect_no_reports();
    EXPECT_EQ(sent<Outline>().messages, kNodes - 1);
    EXPECT_EQ(sent<Parts>().messages, 0U);
    EXPECT_EQ(sent<BlockMessage>().messages, 0U);
    const std::size_t whole = chain::encoded_size(*block) * (kNodes - 1);
    const std::size_t outlines = sent<Outline>().bytes;
    std::printf("a block of %zu bytes to %zu nodes: %zu bytes as outlines, %zu whole (%.1f %%)\n",
                chain::encoded_size(*block), kNodes - 1, outlines, whole,
                100.0 * static_cast<double>(outlines) / static_cast<double>(whole));
    EXPECT_LT(outlines * 2, whole);
}

TEST_F(RelayNetworkTest, cut_through_is_faster_than_judging_at_each_hop) {
    const auto time_to_all = [&] {
        const auto start = network.now();
        const auto id = network.submit(0, network.mine(0));
        const auto all_there = [&] {
            for (std::size_t i = 0; i < kNodes; ++i) {
                if (network[i].tip() != id) return false;
            }
            return true;
        };
        while (!all_there() && network.now() - start < 60s) network.run(10ms);
        EXPECT_TRUE(all_there());
        return network.now() - start;
    };
    network.judging_time = 400ms;
    const auto judged_first = time_to_all();
    network.cut_through = true;
    const auto cut_through = time_to_all();
    const auto ms = [](auto time) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    };
    std::printf("to %zu nodes, 400 ms of judging: %lld ms, with cut-through relay %lld ms\n",
                kNodes, static_cast<long long>(ms(judged_first)),
                static_cast<long long>(ms(cut_through)));
    EXPECT_LT(cut_through, judged_first);
    expect_no_reports();
}

}  // namespace
}  // namespace gradient::node
