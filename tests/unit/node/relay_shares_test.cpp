// Shares between one node and strangers who may do anything: their order, bad copies, orphans.

#include "tests/unit/node/relay_items_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gradient::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace std::chrono_literals;

Offence rule(chain::SegmentError error) {
    return chain::SubmitError(chain::RuleError(error));
}

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
