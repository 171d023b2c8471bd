// Who is told of transactions and shares, and asked for them: it depends on how far a peer's tip
// is.

#include "chain/consensus/difficulty.hpp"
#include "tests/unit/node/relay_items_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradient::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

class RelayDistanceTest : public RelayItemsTest {
  protected:
    RelayDistanceTest() { network.extend_all(25); }

    /// The work of the node's tip and so many blocks like it.
    chain::U256 work(std::uint64_t blocks_above) {
        const auto& tip = at().ledger->tip()->index();
        return chain::saturating_add(
            tip.cumulative_work,
            chain::saturating_mul(chain::block_work(tip.header.tmpl.bits), blocks_above));
    }
    Ping claim(const chain::U256& work) { return Ping{7, {0, {}, work}}; }
    std::vector<TipClaim> pinged(PeerId peer) {
        std::vector<TipClaim> claims;
        for (const Message& message : network.to_stranger[peer]) {
            if (const auto* ping = std::get_if<Ping>(&message)) claims.push_back(ping->tip);
        }
        return claims;
    }
};

TEST_F(RelayDistanceTest, a_peer_is_told_what_the_pools_hold_once_it_is_near) {
    const auto first = transaction(0);
    const auto second = transaction(1);
    const auto share = network.make_share(1, 30);
    network.put_transaction(0, first);
    network.put_transaction(0, second);
    network.put_share(0, share);
    const PeerId near = network.add_stranger(0, at().ledger->work_floor());
    EXPECT_THAT(told(near), ElementsAre(item(share), item(first), item(second)));
    EXPECT_EQ(count<Inventory>(near), 1U);
    // A newcomer is told of nothing, old or new, before it is near.
    const PeerId far = network.add_stranger(0);
    const auto third = transaction(2);
    network.put_transaction(0, third);
    network.run(1s);
    EXPECT_THAT(told(near), SizeIs(4));
    EXPECT_THAT(told(far), IsEmpty());
    send(far, claim(chain::U256(1)));
    EXPECT_THAT(told(far), IsEmpty());
    tell(far, {item(second)});
    send(far, claim(at().ledger->work_floor()));
    EXPECT_THAT(told(far), ElementsAre(item(share), item(first), item(third)));
    // Once for a connection; from then on it is told of what is new.
    send(far, claim(chain::U256(1)));
    send(far, claim(work(0)));
    const auto fourth = transaction(3);
    network.put_transaction(0, fourth);
    network.run(1s);
    EXPECT_THAT(told(far), ElementsAre(item(share), item(first), item(third), item(fourth)));
}

TEST_F(RelayDistanceTest, a_peer_that_is_ahead_is_asked_for_nothing_before_it_is_caught_up_with) {
    const PeerId ahead = network.add_stranger(0, work(ItemRelay::kBlocksAhead));
    const auto made = transaction();
    const auto share = network.make_share(1, 30);
    tell(ahead, {item(made), item(share)});
    network.run(5s);
    EXPECT_THAT(asked(ahead), IsEmpty());
    EXPECT_THAT(pinged(ahead), IsEmpty());
    network.extend_all(1);
    EXPECT_THAT(asked(ahead), UnorderedElementsAre(item(made), item(share)));
    // It is told so, once, and hears what this node has caught up to.
    ASSERT_THAT(pinged(ahead), SizeIs(1));
    EXPECT_EQ(pinged(ahead).front().id, at().tip());
    EXPECT_EQ(pinged(ahead).front().cumulative_work, work(0));
    network.extend_all(2);
    EXPECT_THAT(pinged(ahead), SizeIs(1));
}

TEST_F(RelayDistanceTest, a_false_claim_hinders_nobody_but_who_makes_it) {
    send(a, claim(chain::U256::max()));
    const auto made = transaction();
    tell(a, {item(made)});
    tell(b, {item(made)});
    EXPECT_THAT(asked(a), IsEmpty());
    EXPECT_THAT(asked(b), ElementsAre(item(made)));
}

TEST_F(RelayDistanceTest, of_long_pools_as_much_is_told_as_a_peer_remembers) {
    for (std::uint64_t i = 0; i < 60; ++i) network.put_transaction(0, transaction(i));
    const PeerId near = network.add_stranger(0, work(0));
    EXPECT_THAT(told(near), SizeIs(60));
    EXPECT_THAT(at().mempool.ids_by_arrival(10), SizeIs(10));
    EXPECT_EQ(at().mempool.ids_by_arrival(10).front(), item(transaction(0)).id);
}

// A newcomer gets what waits in pools without anything new being told.
TEST(RelayDistance, a_node_that_has_caught_up_gets_what_its_peer_s_pools_hold) {
    test::RelayNetwork network(1);
    network.add_node();
    network.add_node();
    std::vector<SharedBlock> blocks;
    for (int i = 0; i < 25; ++i) {
        blocks.push_back(network.mine(0));
        network.submit(0, blocks.back());
    }
    network.start_ticks();
    const auto made = network.transfer(network.nonce_of_miner(0));
    const auto share = network.make_share(0, 30);
    network.put_transaction(0, made);
    network.put_share(0, share);
    network.connect(0, 1, 20ms);
    network.run(5s);
    EXPECT_EQ(network[0].sent_of<Inventory>().messages, 0U);
    for (const SharedBlock& block : blocks) network.submit(1, block);
    network.run(5s);
    EXPECT_EQ(network[1].mempool.size(), 1U);
    EXPECT_EQ(network[1].shares.size(), 1U);
    EXPECT_EQ(network[0].sent_of<ShareMessage>().messages, 1U);
    EXPECT_THAT(network[0].reports, IsEmpty());
    EXPECT_THAT(network[1].reports, IsEmpty());
}

}  // namespace
}  // namespace gradient::node
