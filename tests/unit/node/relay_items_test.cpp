// Transactions and shares between one node and strangers who may do anything.

#include "chain/consensus/difficulty.hpp"
#include "tests/support/relay_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace gradient::node {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

// One node, four blocks high, another one that makes things for it, and strangers.
class RelayItemsTest : public testing::Test {
  protected:
    RelayItemsTest() {
        network.add_node();
        network.add_node();  // connected with nobody
        network.extend_all(5);
        network.start_ticks();
        a = network.add_stranger(0);
        b = network.add_stranger(0);
    }

    test::RelayNode& at() { return network[0]; }
    void tell(PeerId peer, std::vector<ItemId> items) {
        network.deliver(0, peer, Inventory{std::move(items)});
    }
    void send(PeerId peer, Message message) { network.deliver(0, peer, std::move(message)); }

    /// The items that a stranger has been asked for.
    std::vector<ItemId> asked(PeerId peer) {
        std::vector<ItemId> items;
        for (const Message& message : network.to_stranger[peer]) {
            const auto* request = std::get_if<GetItems>(&message);
            if (!request) continue;
            items.insert(items.end(), request->items.begin(), request->items.end());
        }
        return items;
    }
    template <class M>
    std::size_t count(PeerId peer) {
        return static_cast<std::size_t>(std::ranges::count_if(
            network.to_stranger[peer],
            [](const Message& message) { return std::holds_alternative<M>(message); }));
    }
    std::vector<ItemId> told(PeerId peer) {
        std::vector<ItemId> items;
        for (const Message& message : network.to_stranger[peer]) {
            const auto* inventory = std::get_if<Inventory>(&message);
            if (!inventory) continue;
            items.insert(items.end(), inventory->items.begin(), inventory->items.end());
        }
        return items;
    }
    SharedTransaction transaction(std::uint64_t after = 0) {
        return network.transfer(network.nonce_of_miner(0) + after);
    }
    static ItemId item(const SharedTransaction& made) {
        return {ItemKind::transaction, chain::transaction_id(*made)};
    }
    static ItemId item(const chain::VerifiedShare& made) {
        return {ItemKind::share, made.outcome.id};
    }
    /// An id that nothing has.
    static ItemId nothing(std::uint64_t number, ItemKind kind = ItemKind::transaction) {
        ItemId made{kind, {}};
        for (std::size_t i = 0; i < 8; ++i) {
            made.id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
        }
        made.id.bytes[31] = 1;
        return made;
    }
    chain::Segment corrupted(const chain::VerifiedShare& made) {
        chain::Segment segment = *made.segment;
        segment.body.signature.bytes[5] ^= 1U;
        return segment;
    }

    test::RelayNetwork network{1};
    PeerId a{};
    PeerId b{};
};

Offence rule(chain::SegmentError error) {
    return chain::SubmitError(chain::RuleError(error));
}

TEST_F(RelayItemsTest, asks_one_peer_and_tells_only_those_who_do_not_know) {
    const PeerId c = network.add_stranger(0);
    const auto made = transaction();
    tell(a, {item(made)});
    tell(b, {item(made)});
    EXPECT_THAT(asked(a), ElementsAre(item(made)));
    EXPECT_THAT(asked(b), IsEmpty());
    send(a, TransactionMessage{*made});
    network.run(1s);
    EXPECT_TRUE(at().mempool.contains(item(made).id));
    EXPECT_THAT(told(c), ElementsAre(item(made)));
    EXPECT_THAT(told(a), IsEmpty());
    EXPECT_THAT(told(b), IsEmpty());
    // Whatever happens next, it is not told again.
    at().relay->item_accepted(item(made), std::nullopt, network.now());
    tell(c, {item(made)});
    network.run(1s);
    EXPECT_THAT(told(c), SizeIs(1));
    EXPECT_THAT(asked(c), IsEmpty());
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayItemsTest, transactions_are_told_together_and_shares_at_once) {
    for (std::uint64_t i = 0; i < 5; ++i) network.put_transaction(0, transaction(i));
    EXPECT_EQ(count<Inventory>(a), 0U);
    network.run(ItemAnnouncer::kBatchTime + 2 * kRelayTick);
    EXPECT_EQ(count<Inventory>(a), 1U);
    EXPECT_THAT(told(a), SizeIs(5));
    network.put_share(0, network.make_share(1, 30));
    EXPECT_EQ(count<Inventory>(a), 2U);
}

TEST_F(RelayItemsTest, a_lost_answer_is_asked_of_another_and_taken_late) {
    const auto first = transaction(0);
    const auto second = transaction(1);
    tell(a, {item(first), item(second)});
    tell(b, {item(first), item(second)});
    network.run(ItemFetcher::kTimeout + 2 * kRelayTick);
    EXPECT_THAT(asked(b), ElementsAre(item(second), item(first)));
    // The late answer is taken, and that of the other peer is no offence either.
    send(a, TransactionMessage{*first});
    send(b, TransactionMessage{*first});
    send(b, TransactionMessage{*second});
    network.run(1s);
    EXPECT_EQ(at().mempool.size(), 2U);
    EXPECT_EQ(at().judged_transactions, 2U);
    EXPECT_EQ(at().relay->figures().duplicates_received, 1U);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayItemsTest, a_late_answer_is_welcome_where_nobody_else_has_the_item) {
    const auto made = transaction();
    const auto share = network.make_share(1, 30);
    tell(a, {item(made), item(share)});
    network.run(ItemFetcher::kPatience - 1s);
    send(a, TransactionMessage{*made});
    send(a, ShareMessage{*share.segment});
    network.run(1s);
    EXPECT_TRUE(at().mempool.contains(item(made).id));
    EXPECT_TRUE(at().shares.find(share.outcome.id));
    EXPECT_EQ(at().relay->figures().items_timed_out, 2U);
    EXPECT_EQ(at().relay->items().fetcher().wanted(), 0U);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayItemsTest, each_peer_that_is_late_with_an_item_gives_the_next_one_twice_the_time) {
    const PeerId c = network.add_stranger(0);
    const auto made = transaction();
    for (const PeerId peer : {a, b, c}) tell(peer, {item(made)});
    network.run(ItemFetcher::kTimeout + 2 * kRelayTick);
    EXPECT_THAT(asked(b), SizeIs(1));
    network.run(2 * ItemFetcher::kTimeout - 4 * kRelayTick);
    EXPECT_THAT(asked(c), IsEmpty());
    network.run(4 * kRelayTick);
    EXPECT_THAT(asked(c), SizeIs(1));
}

// A line that is slow, or filled with a long block, is nobody's fault.
TEST_F(RelayItemsTest, only_a_peer_that_sends_next_to_nothing_for_long_has_stalled) {
    const std::vector<ItemId> filler(kMaxInventoryItems, nothing(0));  // some 33 kB
    tell(a, {nothing(1), nothing(2)});
    for (int i = 0; i < 60; ++i) {
        network.run(5s);
        tell(a, filler);
    }
    EXPECT_THAT(at().reports, IsEmpty());
    // An answer sets it right, whatever it is.
    send(a, NotFound{{nothing(1)}});
    network.run(ItemFetcher::kPatience - 1s);
    EXPECT_THAT(at().reports, IsEmpty());
    network.run(2s);
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::stalled))));
    network.run(ItemFetcher::kPatience);
    EXPECT_THAT(at().reports, SizeIs(2));
    // A ping now and then is not enough.
    tell(b, {nothing(3)});
    at().reports.clear();
    for (int i = 0; i < 60; ++i) {
        network.run(1s);
        send(b, Ping{});
    }
    EXPECT_THAT(at().reports, Contains(Pair(b, Offence(ProtocolOffence::stalled))));
    // Nor is anything held against whoever owes nothing.
    send(a, NotFound{{nothing(2), nothing(0)}});
    send(b, NotFound{{nothing(3)}});
    at().reports.clear();
    network.run(10 * ItemFetcher::kPatience);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayItemsTest, a_peer_that_is_late_with_many_is_asked_for_nothing_more) {
    std::vector<ItemId> many;
    for (std::uint64_t i = 0; i < ItemFetcher::kMaxLate; ++i) many.push_back(nothing(i));
    tell(a, many);
    network.run(ItemFetcher::kTimeout + 2 * kRelayTick);
    const auto made = transaction();
    tell(a, {item(made)});
    EXPECT_THAT(asked(a), SizeIs(ItemFetcher::kMaxLate));
    send(a, NotFound{{many.front()}});
    EXPECT_THAT(asked(a).back(), item(made));
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayItemsTest, what_a_peer_lacks_or_leaves_behind_is_asked_of_others) {
    const auto first = transaction(0);
    const auto second = transaction(1);
    tell(a, {item(first), item(second)});
    tell(b, {item(first), item(second)});
    send(a, NotFound{{item(first)}});
    EXPECT_THAT(asked(b), ElementsAre(item(first)));
    network.leave(0, a);
    EXPECT_THAT(asked(b), ElementsAre(item(first), item(second)));
    EXPECT_THAT(at().reports, IsEmpty());
    // Nobody is left to ask.
    network.leave(0, b);
    EXPECT_EQ(at().relay->items().fetcher().wanted(), 0U);
}

TEST_F(RelayItemsTest, answers_to_nothing_and_wrong_answers_are_reported) {
    const auto made = transaction(0);
    const auto other = transaction(1);
    send(a, TransactionMessage{*made});
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::unsolicited))));
    at().reports.clear();
    send(a, ShareMessage{*network.make_share(1, 30).segment});
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::unsolicited))));
    at().reports.clear();
    tell(a, {item(made)});
    tell(b, {item(made)});
    send(a, TransactionMessage{*other});
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::wrong_answer))));
    EXPECT_THAT(asked(b), ElementsAre(item(made)));
    EXPECT_EQ(at().judged_transactions, 0U);
    at().reports.clear();
    tell(a, {{ItemKind::block, item(made).id}});
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(chain::CodecError::bad_value))));
}

TEST_F(RelayItemsTest, a_refused_transaction_is_not_asked_for_again) {
    auto bad = std::make_shared<chain::SignedTransaction>(*transaction());
    bad->signature.bytes[0] ^= 1U;
    const SharedTransaction made = bad;
    tell(a, {item(made)});
    send(a, TransactionMessage{*made});
    network.run(1s);
    EXPECT_THAT(
        at().reports,
        ElementsAre(Pair(a, Offence(chain::PoolError(chain::TransactionError::bad_signature)))));
    tell(b, {item(made)});
    network.extend_all(1);
    tell(b, {item(made)});
    EXPECT_THAT(asked(b), IsEmpty());
    EXPECT_THAT(told(b), IsEmpty());
}

TEST_F(RelayItemsTest, what_hangs_on_the_tip_is_nobodys_fault_and_tried_again_at_the_next) {
    const std::uint64_t nonce = network.nonce_of_miner(0);
    const auto used = network.transfer(nonce - 1 + 100);  // far above what is missing
    tell(a, {item(used)});
    send(a, TransactionMessage{*used});
    network.run(1s);
    EXPECT_EQ(at().mempool.size(), 0U);
    EXPECT_THAT(at().reports, IsEmpty());
    tell(b, {item(used)});
    EXPECT_THAT(asked(b), IsEmpty());
    network.extend_all(1);
    tell(b, {item(used)});
    EXPECT_THAT(asked(b), ElementsAre(item(used)));
}

TEST_F(RelayItemsTest, what_a_block_has_included_is_not_asked_for) {
    const auto made = transaction();
    const auto block = network.mine(1, {{}, {{*made}}});
    network.submit(0, block);
    tell(a, {item(made)});
    EXPECT_THAT(asked(a), IsEmpty());
}

TEST_F(RelayItemsTest, what_a_block_includes_is_wanted_no_more) {
    const auto made = transaction();
    const auto share = network.make_share(1, 30);
    const auto late = network.make_share(1, 31);
    const auto orphan = network.make_share(1, 32);
    for (const PeerId peer : {a, b}) tell(peer, {item(made), item(share), item(late)});
    chain::Segment unknown = *orphan.segment;
    unknown.tmpl.parent = nothing(1).id;
    tell(a, {item(orphan)});
    send(a, NotFound{{item(share), item(late)}});
    send(a, ShareMessage{unknown});
    EXPECT_EQ(at().relay->items().orphans().size(), 1U);
    const std::size_t asked_before = asked(b).size();
    const auto block = network.mine(1, {{share, orphan}, {{*made}}});
    for (std::size_t node = 0; node < 2; ++node) network.submit(node, block);
    EXPECT_EQ(at().relay->items().fetcher().wanted(), 1U);
    EXPECT_EQ(at().relay->items().orphans().size(), 0U);
    network.leave(0, a);  // what it was asked for goes to nobody
    network.run(ItemFetcher::kTimeout);
    EXPECT_EQ(asked(b).size(), asked_before);
    // Nor is it if it is told of again, on this tip or a later one.
    for (int i = 0; i < 3; ++i) {
        const PeerId peer = network.add_stranger(0);
        tell(peer, {item(made), item(share), item(orphan)});
        EXPECT_THAT(asked(peer), IsEmpty());
        network.extend_all(1);
    }
    EXPECT_THAT(at().reports, IsEmpty());
}

// ---- who is told, and asked

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

// ---- shares

TEST_F(RelayItemsTest, shares_are_told_from_one_another_by_the_order_asked) {
    const auto one = network.make_share(1, 30);
    const auto two = network.make_share(1, 31);
    const auto three = network.make_share(1, 32);
    tell(a, {item(one), item(two), item(three)});
    EXPECT_THAT(asked(a), ElementsAre(item(one), item(two), item(three)));
    send(a, NotFound{{item(one)}});
    send(a, ShareMessage{*two.segment});
    send(a, ShareMessage{*three.segment});
    network.run(1s);
    EXPECT_TRUE(at().shares.find(two.outcome.id));
    EXPECT_TRUE(at().shares.find(three.outcome.id));
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_THAT(told(b), ElementsAre(item(two), item(three)));
}

TEST_F(RelayItemsTest, another_share_than_the_one_asked_for_is_a_wrong_answer) {
    const auto one = network.make_share(1, 30);
    const auto two = network.make_share(1, 31);
    tell(a, {item(one)});
    tell(b, {item(one)});
    send(a, ShareMessage{*two.segment});
    network.run(1s);
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::wrong_answer))));
    // It is good all the same; and the one that was asked for is asked of the other peer.
    EXPECT_THAT(told(b), ElementsAre(item(two)));
    EXPECT_THAT(asked(b), ElementsAre(item(one)));
    at().reports.clear();
    tell(a, {nothing(1, ItemKind::share)});
    send(a, ShareMessage{*two.segment});
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::wrong_answer))));
    EXPECT_EQ(at().judged_shares, 1U);
}

TEST_F(RelayItemsTest, a_bad_copy_condemns_its_sender_and_not_the_share) {
    const auto made = network.make_share(1, 30);
    tell(a, {item(made)});
    tell(b, {item(made)});
    send(a, ShareMessage{corrupted(made)});
    network.run(1s);
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, rule(chain::SegmentError::bad_signature))));
    EXPECT_THAT(asked(b), ElementsAre(item(made)));
    send(b, ShareMessage{*made.segment});
    network.run(1s);
    EXPECT_TRUE(at().shares.find(made.outcome.id));
    EXPECT_THAT(at().reports, SizeIs(1));
}

TEST_F(RelayItemsTest, what_the_bytes_of_a_share_show_takes_no_judgement) {
    const auto made = network.make_share(1, 30);
    chain::Segment other_list = *made.segment;
    other_list.listed.push_back(nothing(1).id);
    tell(a, {item(made)});
    send(a, ShareMessage{other_list});
    chain::Segment other_root = *made.segment;
    other_root.tmpl.state_root.bytes[0] ^= 1U;
    tell(b, {item(made)});
    send(b, ShareMessage{other_root});
    EXPECT_EQ(at().judged_shares, 0U);
    EXPECT_THAT(at().reports,
                ElementsAre(Pair(a, rule(chain::SegmentError::wrong_list)),
                            Pair(b, rule(chain::SegmentError::wrong_share_template))));
}

TEST_F(RelayItemsTest, at_most_so_many_shares_of_a_peer_are_in_judgement) {
    network.judge = false;
    std::vector<ItemId> many;
    for (std::uint64_t i = 0; i < 100; ++i) many.push_back(nothing(i, ItemKind::share));
    tell(a, many);
    EXPECT_THAT(asked(a), SizeIs(ItemRelay::kMaxSharesInJudgement));
    for (std::uint8_t i = 0; i < 20; ++i) {
        send(a, ShareMessage{*network.make_share(1, static_cast<std::uint8_t>(40 + i)).segment});
    }
    EXPECT_EQ(at().judged_shares, ItemRelay::kMaxSharesInJudgement);
    EXPECT_THAT(asked(a), SizeIs(ItemRelay::kMaxSharesInJudgement));
    // Another peer has its own turns.
    tell(b, {nothing(1000, ItemKind::share)});
    EXPECT_THAT(asked(b), SizeIs(1));
}

TEST_F(RelayItemsTest, a_peer_whose_shares_keep_failing_loses_its_turn) {
    std::vector<ItemId> many;
    for (std::uint64_t i = 0; i < 100; ++i) many.push_back(nothing(i, ItemKind::share));
    const auto made = network.make_share(1, 30);
    tell(a, many);
    std::size_t sent = 0;
    for (int round = 0; round < 20; ++round) {
        while (sent < asked(a).size()) {
            send(a, ShareMessage{corrupted(made)});
            ++sent;
        }
        network.run(100ms);
    }
    EXPECT_LE(sent, 2 * ItemRelay::kMaxSharesInJudgement);
    network.run(ItemRelay::kShareRest);
    EXPECT_EQ(asked(a).size(), sent + 1);
}

TEST_F(RelayItemsTest, an_orphan_is_judged_when_its_parent_has_come) {
    // Two blocks that the node lacks; a share of a lane on the first of them.
    const auto first = network.mine(1);
    network.submit(1, first);
    const auto second = network.mine(1);
    network.submit(1, second);
    const auto made = network.make_share(1, 30);
    tell(a, {item(made)});
    send(a, ShareMessage{*made.segment});
    EXPECT_EQ(at().judged_shares, 0U);
    EXPECT_EQ(at().relay->items().orphans().size(), 1U);
    tell(b, {item(made)});
    EXPECT_THAT(asked(b), IsEmpty());
    network.submit(0, first);
    EXPECT_EQ(at().relay->items().orphans().size(), 0U);
    EXPECT_EQ(at().judged_shares, 1U);
    network.submit(0, second);  // before the share is judged: its round has ended
    network.run(1s);
    EXPECT_TRUE(at().shares.find(made.outcome.id));
    EXPECT_THAT(told(b), IsEmpty());  // it has told of the share itself
    EXPECT_THAT(at().reports, IsEmpty());
}

// Whoever is asked first for a share may send any other that can't be judged now, or is too old.
TEST_F(RelayItemsTest, a_share_can_not_be_kept_away_by_sending_others_in_its_place) {
    const auto old = network.make_share(1, 29);
    network.extend_all(6);
    const auto made = network.make_share(1, 30);
    tell(a, {item(made)});
    tell(b, {item(made)});
    send(a, ShareMessage{*old.segment});
    network.run(1s);
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_THAT(asked(b), ElementsAre(item(made)));

    chain::Segment orphan = *network.make_share(1, 31).segment;
    const auto second = network.make_share(1, 32);
    orphan.tmpl.parent = nothing(1).id;
    tell(a, {item(second)});
    tell(b, {item(second)});
    send(a, ShareMessage{orphan});
    EXPECT_EQ(at().relay->items().orphans().size(), 1U);
    EXPECT_THAT(asked(b), SizeIs(1));
    network.run(ItemFetcher::kParkTime - 100ms);
    EXPECT_THAT(asked(b), SizeIs(1));
    network.run(200ms);
    EXPECT_THAT(asked(b), ElementsAre(item(made), item(second)));
}

TEST_F(RelayItemsTest, a_share_that_nobody_can_judge_is_fetched_a_few_times_only) {
    const auto old = network.make_share(1, 29);
    network.extend_all(6);
    for (int i = 0; i < 6; ++i) {
        const PeerId peer = network.add_stranger(0);
        tell(peer, {item(old)});
        EXPECT_EQ(asked(peer).size(), i < ItemRelay::kMaxTries ? 1U : 0U) << i;
        if (i < ItemRelay::kMaxTries) send(peer, ShareMessage{*old.segment});
        network.run(1s);
    }
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayItemsTest, a_share_of_the_coming_round_is_told_when_the_ledger_takes_it) {
    // The tip of node 1 is one ahead: its shares are of a round that has not ended here.
    const auto block = network.mine(1);
    network.submit(1, block);
    const auto made = network.make_share(1, 30);
    tell(a, {item(made)});
    send(a, ShareMessage{*made.segment});
    network.run(1s);
    EXPECT_EQ(at().judged_shares, 1U);
    tell(b, {item(made)});
    EXPECT_THAT(asked(b), IsEmpty());
    EXPECT_THAT(at().reports, IsEmpty());
    network.submit(0, block);
    network.put_share(0, made);  // as the ledger would
    EXPECT_EQ(at().relay->items().fetcher().wanted(), 0U);
    network.run(5s);
    EXPECT_THAT(asked(b), IsEmpty());
}

// ---- floods

TEST_F(RelayItemsTest, a_flood_of_inventories_is_bounded) {
    network.judge = false;
    for (std::uint64_t k = 0; k < 50; ++k) {
        std::vector<ItemId> many;
        for (std::uint64_t i = 0; i < kMaxInventoryItems; ++i) {
            many.push_back(nothing(k * kMaxInventoryItems + i));
        }
        tell(a, many);
    }
    EXPECT_EQ(at().relay->items().fetcher().offers_of(a), ItemFetcher::kMaxOffers);
    EXPECT_EQ(at().relay->items().fetcher().wanted(), ItemFetcher::kMaxOffers);
    EXPECT_EQ(at().relay->figures().items_ignored,
              50 * kMaxInventoryItems - ItemFetcher::kMaxOffers);
    EXPECT_THAT(asked(a), SizeIs(ItemFetcher::kMaxRequests));
    // A peer that answers nothing is soon asked for nothing.
    network.run(60s);
    EXPECT_THAT(asked(a), SizeIs(ItemFetcher::kMaxRequests));
    // Others are not hindered.
    const auto made = transaction();
    tell(b, {item(made)});
    EXPECT_THAT(asked(b), ElementsAre(item(made)));
}

TEST_F(RelayItemsTest, what_is_not_there_any_more_is_forgotten_and_nobody_blamed) {
    std::vector<ItemId> many;
    for (std::uint64_t i = 0; i < 100; ++i) many.push_back(nothing(i));
    tell(a, many);
    send(a, NotFound{many});
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_EQ(at().relay->items().fetcher().wanted(), 0U);
}

TEST_F(RelayItemsTest, serving_is_bounded_by_a_budget_and_by_the_queue) {
    const auto share = network.make_share(1, 30);
    network.put_share(0, share);
    const std::size_t bytes = chain::encoded_size(*share.segment) + ItemAnnouncer::kRequestBytes;
    const GetItems request{std::vector<ItemId>(kMaxItemsPerRequest, item(share))};
    for (std::size_t i = 0; i < 2 * ServeBudget::kBurstBytes / bytes; i += kMaxItemsPerRequest) {
        send(a, request);
    }
    EXPECT_LE(count<ShareMessage>(a) * bytes, ServeBudget::kBurstBytes);
    EXPECT_GT(at().relay->figures().items_missing, 0U);
    send(b, GetItems{{item(share), nothing(1), item(share)}});
    EXPECT_EQ(count<ShareMessage>(b), 2U);
    // The answers come in the order asked.
    ASSERT_THAT(network.to_stranger[b], testing::Not(IsEmpty()));
    std::vector<std::size_t> kinds;
    for (const Message& message : network.to_stranger[b]) {
        if (!std::holds_alternative<Inventory>(message)) kinds.push_back(message.index());
    }
    EXPECT_THAT(kinds, ElementsAre(Message(ShareMessage{}).index(), Message(NotFound{}).index(),
                                   Message(ShareMessage{}).index()));
}

// ---- the orphan pool

TEST(ShareOrphans, every_peer_and_all_together_are_bounded) {
    ShareOrphans pool;
    const auto segment = std::make_shared<const chain::Segment>();
    std::uint64_t number = 0;
    const auto add = [&](std::uint64_t peer, std::size_t bytes, SteadyTime since = {}) {
        OrphanShare orphan{PeerId{peer}, {}, segment, bytes, since, 0};
        ++number;
        for (std::size_t i = 0; i < 8; ++i) {
            orphan.id.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
        }
        return pool.add(orphan);
    };
    for (std::size_t i = 0; i < 100; ++i) add(1, 10);
    EXPECT_EQ(pool.size_of(PeerId{1}), ShareOrphans::kMaxPeerShares);
    for (std::size_t i = 0; i < 10; ++i) add(2, chain::kMaxBlockBytes);
    EXPECT_EQ(pool.size_of(PeerId{2}), 2U);
    // The peers with the most bytes make room, those with few keep theirs.
    for (std::uint64_t peer = 3; peer < 40; ++peer) {
        add(peer, chain::kMaxBlockBytes);
        add(peer, chain::kMaxBlockBytes);
    }
    EXPECT_LE(pool.size_bytes(), ShareOrphans::kMaxBytes);
    EXPECT_EQ(pool.size_of(PeerId{1}), ShareOrphans::kMaxPeerShares);
    for (std::uint64_t peer = 100; peer < 200; ++peer) {
        for (int i = 0; i < 10; ++i) add(peer, 1);
    }
    EXPECT_LE(pool.size(), ShareOrphans::kMaxShares);
    EXPECT_EQ(pool.expire(SteadyTime{} + ShareOrphans::kMaxAge - 1s), 0U);
    pool.expire(SteadyTime{} + ShareOrphans::kMaxAge);
    EXPECT_EQ(pool.size(), 0U);
    EXPECT_EQ(pool.size_bytes(), 0U);
}

TEST(RollingSet, forgets_the_oldest) {
    RollingSet set(2);
    const auto id = [](std::uint8_t number) { return test::hash_of(number); };
    EXPECT_TRUE(set.insert(id(1)));
    EXPECT_FALSE(set.insert(id(1)));
    EXPECT_TRUE(set.insert(id(2)));
    EXPECT_TRUE(set.insert(id(3)));
    EXPECT_FALSE(set.contains(id(1)));
    EXPECT_TRUE(set.contains(id(2)) && set.contains(id(3)));
    EXPECT_EQ(set.size(), 2U);
}

}  // namespace
}  // namespace gradient::node
