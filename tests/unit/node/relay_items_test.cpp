// Transactions and shares between one node and strangers who may do anything: asked, lost, late,
// floods.

#include "tests/unit/node/relay_items_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradient::node {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace std::chrono_literals;

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
    network.run(SilenceWatch::kPatience - 1s);
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
    network.run(SilenceWatch::kPatience - 1s);
    EXPECT_THAT(at().reports, IsEmpty());
    network.run(2s);
    EXPECT_THAT(at().reports, ElementsAre(Pair(a, Offence(ProtocolOffence::stalled))));
    network.run(SilenceWatch::kPatience);
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
    network.run(10 * SilenceWatch::kPatience);
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

}  // namespace
}  // namespace gradient::node
