// Blocks between one node and strangers who may do anything.

#include "tests/unit/node/relay_strangers_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace gradient::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace std::chrono_literals;

// With a block that the other node has made, of shares and transactions.
class RelayBlocksTest : public RelayStrangersTest {
  protected:
    RelayBlocksTest() {
        for (std::uint8_t miner = 20; miner < 24; ++miner) {
            shares.push_back(network.make_share(1, miner));
        }
        for (std::uint64_t i = 0; i < 4; ++i) {
            transactions.push_back(network.transfer(network.nonce_of_miner(1) + i));
        }
        chain::TemplateContents contents{shares, {}};
        for (const auto& made : transactions) contents.transactions.push_back({*made});
        block = network.mine(1, contents);
        id = network.submit(1, block);
        const auto stored = network[1].ledger->outline(id);
        outline = make_outline(*block, (*stored)->segments);
    }

    Announce announcement() {
        return {block->header, (*network[1].ledger->index(id))->cumulative_work};
    }
    AnnounceOutcome announce(PeerId peer) {
        send(peer, announcement());
        return at().announced.back();
    }
    /// The whole block, part of it: what is in no pool.
    Parts all_parts() { return {id, block->listed, block->transactions}; }
    /// Half of the shares and transactions wait in the pools.
    void fill_half() {
        for (std::size_t i = 0; i < 2; ++i) network.put_share(0, shares[i]);
        for (std::size_t i = 0; i < 2; ++i) network.put_transaction(0, transactions[i]);
    }
    void fill() {
        for (const auto& made : shares) network.put_share(0, made);
        for (const auto& made : transactions) network.put_transaction(0, made);
    }
    /// What the node relays to a peer of this kind.
    void expect_blamed(PeerId peer, const Offence& offence) {
        EXPECT_THAT(at().reports, ElementsAre(Pair(peer, offence)));
        at().reports.clear();
    }

    std::vector<chain::VerifiedShare> shares;
    std::vector<SharedTransaction> transactions;
    SharedBlock block;
    chain::Hash256 id;
    Outline outline;
};

TEST_F(RelayBlocksTest, what_the_pools_lack_is_asked_for_by_its_places) {
    fill_half();
    EXPECT_EQ(announce(a), AnnounceOutcome::fetching);
    EXPECT_THAT(all<GetOutline>(a), ElementsAre(GetOutline{id}));
    send(a, outline);
    EXPECT_THAT(all<GetParts>(a), ElementsAre(GetParts{id, {2, 3}, {2, 3}}));
    const auto parts = take_parts(*block, all<GetParts>(a).front());
    ASSERT_TRUE(parts);
    send(a, *parts);
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
    // It is told on, but not to where it came from.
    EXPECT_THAT(all<Announce>(a), IsEmpty());
    EXPECT_THAT(all<Announce>(b), ElementsAre(announcement()));
    EXPECT_EQ(announce(b), AnnounceOutcome::known);
    EXPECT_EQ(at().relay->blocks().fetches(), 0U);
}

TEST_F(RelayBlocksTest, a_lost_outline_is_asked_of_another) {
    fill();
    announce(a);
    announce(b);
    EXPECT_THAT(all<GetOutline>(b), IsEmpty());
    network.run(BlockRelay::kOutlineTimeout + 2 * kRelayTick);
    EXPECT_THAT(all<GetOutline>(b), SizeIs(1));
    // To be late is no fault. The late one is as good, and the second no offence.
    send(a, outline);
    send(b, outline);
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_EQ(at().judged_blocks, 1U);
    EXPECT_EQ(at().relay->figures().duplicates_received, 1U);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, a_slow_peer_brings_its_block_when_there_is_no_other) {
    announce(a);
    network.run(10s);
    EXPECT_THAT(all<GetOutline>(a), SizeIs(1));
    send(a, outline);
    network.run(15s);
    send(a, all_parts());
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, a_block_that_nobody_sends_is_left_to_sync) {
    announce(a);
    announce(b);
    network.run(BlockRelay::kFetchTimeout + 2 * kRelayTick);
    EXPECT_EQ(at().relay->blocks().fetches(), 0U);
    EXPECT_THAT(at().reports, IsEmpty());
    send(a, outline);  // too late for anything, and still no offence
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_THAT(all<GetParts>(a), IsEmpty());
}

TEST_F(RelayBlocksTest, beside_one_that_was_late_another_is_asked_at_once) {
    fill();
    announce(a);
    network.run(BlockRelay::kOutlineTimeout + 2 * kRelayTick);
    EXPECT_THAT(all<GetOutline>(a), SizeIs(1));
    announce(b);
    EXPECT_THAT(all<GetOutline>(b), SizeIs(1));
    send(b, outline);
    network.run(1s);
    ASSERT_EQ(at().tip(), id);
    // Its next block too.
    const auto next = network.mine(1);
    network.submit(1, next);
    const Announce told{
        next->header, (*network[1].ledger->index(chain::header_id(next->header)))->cumulative_work};
    send(a, told);
    send(b, told);
    EXPECT_THAT(all<GetOutline>(a), SizeIs(2));
    EXPECT_THAT(all<GetOutline>(b), SizeIs(2));
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, parts_that_are_late_come_from_another) {
    fill_half();
    announce(a);
    announce(b);
    send(a, outline);
    ASSERT_THAT(all<GetParts>(a), SizeIs(1));
    network.run(8s);
    ASSERT_THAT(all<GetParts>(b), SizeIs(1));
    EXPECT_EQ(all<GetParts>(a).front(), all<GetParts>(b).front());
    send(b, *take_parts(*block, all<GetParts>(b).front()));
    send(a, *take_parts(*block, all<GetParts>(a).front()));
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, who_leaves_or_lacks_a_block_is_replaced) {
    const PeerId c = network.add_stranger(0);
    announce(a);
    announce(b);
    announce(c);
    send(a, outline);
    EXPECT_THAT(all<GetParts>(a), SizeIs(1));
    network.leave(0, a);
    EXPECT_THAT(all<GetOutline>(b), SizeIs(1));
    send(b, NotFound{{{ItemKind::block, id}}});
    EXPECT_THAT(all<GetBlock>(b), SizeIs(1));  // it may have no outline yet
    send(b, NotFound{{{ItemKind::block, id}}});
    EXPECT_THAT(all<GetOutline>(c), SizeIs(1));
    send(c, outline);
    send(c, all_parts());
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, answers_to_nothing_are_reported) {
    send(a, outline);
    expect_blamed(a, ProtocolOffence::unsolicited);
    send(a, all_parts());
    expect_blamed(a, ProtocolOffence::unsolicited);
    BlockMessage whole{*block};
    EXPECT_EQ(at().relay->on_block(a, whole), Asked::no);
    EXPECT_EQ(whole.block, *block);
    // Another block's outline than the one asked for.
    announce(a);
    announce(b);
    Outline other = outline;
    other.header.tmpl.lane ^= 1U;
    send(a, other);
    expect_blamed(a, ProtocolOffence::wrong_answer);
    EXPECT_THAT(all<GetOutline>(b), SizeIs(1));
}

TEST_F(RelayBlocksTest, an_outline_that_is_no_blocks_is_its_senders_fault) {
    const auto refused = [&](const Outline& bad) {
        const PeerId peer = network.add_stranger(0);
        announce(peer);
        send(peer, bad);
        expect_blamed(peer, ProtocolOffence::wrong_answer);
        EXPECT_THAT(all<GetParts>(peer), IsEmpty());
        EXPECT_EQ(at().judged_blocks, 0U);
        EXPECT_EQ(at().relay->blocks().fetches(), 0U);
    };
    Outline bad = outline;
    bad.listed[0].bytes[0] ^= 1U;  // not behind the settle root
    refused(bad);
    bad = outline;
    std::swap(bad.listed[0], bad.listed[1]);
    refused(bad);
    bad = outline;
    bad.transactions[1] = bad.transactions[0];
    refused(bad);
    bad = outline;
    bad.transactions[0].kind = ItemKind::block;
    refused(bad);
    bad = outline;
    bad.winner.digests.pop_back();
    refused(bad);
}

TEST_F(RelayBlocksTest, wrong_parts_are_their_senders_fault) {
    const auto refused = [&](const Parts& bad) {
        const PeerId peer = network.add_stranger(0);
        announce(peer);
        send(peer, outline);
        send(peer, bad);
        expect_blamed(peer, ProtocolOffence::wrong_answer);
        EXPECT_EQ(at().judged_blocks, 0U);
    };
    Parts bad = all_parts();
    bad.listed.pop_back();
    refused(bad);
    bad = all_parts();
    bad.transactions.push_back(bad.transactions[0]);
    refused(bad);
    bad = all_parts();
    std::swap(bad.transactions[0], bad.transactions[1]);
    refused(bad);
    bad = all_parts();
    bad.transactions[0] = {chain::ShareTransaction{*shares[0].segment}};
    refused(bad);
}

TEST_F(RelayBlocksTest, a_bad_witness_is_the_fault_of_whoever_sent_it) {
    announce(a);
    announce(b);
    send(a, outline);
    Parts bad = all_parts();
    bad.listed[1].body.signature.bytes[3] ^= 1U;
    send(a, bad);
    network.run(1s);
    expect_blamed(a, chain::SubmitError(
                         chain::RuleError(chain::ListedError{chain::SegmentError::bad_signature})));
    // The block itself is good.
    EXPECT_THAT(all<GetOutline>(b), SizeIs(1));
    send(b, outline);
    send(b, all_parts());
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, another_winner_is_its_senders_fault) {
    fill();
    announce(a);
    announce(b);
    Outline bad = outline;
    bad.winner.signature.bytes[0] ^= 1U;
    send(a, bad);
    network.run(1s);
    // Pools had a hand in it, so the whole block is asked for before anybody is blamed.
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_THAT(all<GetBlock>(a), ElementsAre(GetBlock{id}));
    chain::Block whole = *block;
    whole.winner.signature.bytes[0] ^= 1U;
    send(a, BlockMessage{whole});
    network.run(1s);
    expect_blamed(a, chain::SubmitError(chain::RuleError(chain::SegmentError::bad_signature)));
    send(b, outline);
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

// A bad witness in this node's own pool can't come to be; if it does all the same, the sender of a
// good outline is not blamed for it.
TEST_F(RelayBlocksTest, an_own_bad_witness_is_nobodys_fault) {
    auto forged = shares;
    auto segment = std::make_shared<chain::Segment>(*shares[0].segment);
    segment->body.signature.bytes[3] ^= 1U;
    forged[0].segment = segment;
    network.put_share(0, forged[0]);
    announce(a);
    send(a, outline);
    Parts parts = *take_parts(*block, all<GetParts>(a).front());
    EXPECT_THAT(parts.listed, SizeIs(3));
    send(a, parts);
    network.run(1s);
    EXPECT_NE(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_THAT(all<GetBlock>(a), SizeIs(1));
    send(a, BlockMessage{*block});
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

// The ids of late shares are a hint. An honest node may have a false one from whoever sent it the
// block, as long as it has not judged it.
TEST_F(RelayBlocksTest, a_false_id_of_a_late_share_is_nobodys_fault) {
    chain::TemplateContents contents;
    contents.transactions = {{chain::ShareTransaction{*shares[0].segment}}};
    network.submit(0, block);
    const auto next = network.mine(1, {});
    network.submit(1, next);
    network.submit(0, next);
    // Neither of the two is included by what follows; the node has the second in its pool.
    const auto first = network.make_share(1, 40);
    const auto second = network.make_share(1, 41);
    const auto between = network.mine(1);
    network.submit(1, between);
    network.submit(0, between);
    network.put_share(0, second);
    contents.transactions = {{chain::ShareTransaction{*first.segment}}};
    block = network.mine(1, contents);
    id = network.submit(1, block);
    announce(a);
    Outline hint = make_outline(*block, (*network[1].ledger->outline(id))->segments);
    EXPECT_THAT(hint.transactions, ElementsAre(ItemId{ItemKind::share, first.outcome.id}));
    hint.transactions[0].id = second.outcome.id;
    send(a, hint);
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_THAT(all<GetBlock>(a), SizeIs(1));
    send(a, BlockMessage{*block});
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(at().reports, IsEmpty());
}

// ---- announcements

TEST_F(RelayBlocksTest, headers_that_break_a_rule_or_claim_too_much_are_refused) {
    Announce bad = announcement();
    bad.header.tmpl.bits ^= 1U;
    send(a, bad);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::refused);
    EXPECT_THAT(at().reports, SizeIs(1));
    at().reports.clear();
    bad = announcement();
    bad.cumulative_work = chain::saturating_add(bad.cumulative_work, chain::U256(1));
    send(a, bad);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::refused);
    expect_blamed(a, ProtocolOffence::false_claim);
    // The block itself is not held responsible.
    EXPECT_EQ(announce(b), AnnounceOutcome::fetching);
}

TEST_F(RelayBlocksTest, without_the_parent_headers_are_needed_if_enough_work_is_claimed) {
    const auto next = network.mine(1);
    network.submit(1, next);
    Announce message{next->header, network[1].ledger->tip()->index().cumulative_work};
    send(a, message);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::headers_needed);
    message.cumulative_work = chain::U256();
    send(a, message);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::ignored);
    EXPECT_THAT(at().reports, IsEmpty());
}

TEST_F(RelayBlocksTest, a_child_waits_for_its_parent_that_is_under_way) {
    const auto next = network.mine(1);
    const auto next_id = network.submit(1, next);
    const Announce message{next->header, network[1].ledger->tip()->index().cumulative_work};
    announce(a);
    send(a, message);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::waiting);
    send(a, outline);
    send(a, all_parts());
    network.run(1s);
    EXPECT_EQ(at().tip(), id);
    EXPECT_THAT(all<GetOutline>(a), ElementsAre(GetOutline{id}, GetOutline{next_id}));
    send(a, make_outline(*next, {}));
    network.run(1s);
    EXPECT_EQ(at().tip(), next_id);
    EXPECT_THAT(at().reports, IsEmpty());
}

// A header costs a few thousand hashes to invent: whoever invents many keeps nobody else away.
TEST_F(RelayBlocksTest, a_flood_of_announcements_is_bounded) {
    const auto& params = network.network->params();
    const auto parent = *at().ledger->index(block->header.tmpl.parent);
    const auto context = chain::make_parent_context(block->header.tmpl.parent, *parent);
    Announce forged = announcement();
    const auto invent = [&] {
        do {
            ++forged.header.last_digest.bytes[network.random() % 32];
        } while (!chain::validate_header(forged.header, context, params, network.now_ms()));
        return forged;
    };
    for (std::size_t i = 0; i < 50; ++i) send(a, invent());
    EXPECT_EQ(at().relay->blocks().fetches(), BlockRelay::kMaxPeerFetches);
    for (std::size_t k = 0; k < 20; ++k) {
        const PeerId peer = network.add_stranger(0);
        for (std::size_t i = 0; i < 5; ++i) send(peer, invent());
    }
    EXPECT_EQ(at().relay->blocks().fetches(), BlockRelay::kMaxFetches);
    EXPECT_EQ(announce(b), AnnounceOutcome::fetching);
    EXPECT_EQ(at().relay->blocks().fetches(), BlockRelay::kMaxFetches);
    network.run(BlockRelay::kFetchTimeout + 2 * kRelayTick);
    EXPECT_EQ(at().relay->blocks().fetches(), 0U);
    // One of each of many: as soon as they are late, others come in.
    for (std::size_t k = 0; k < BlockRelay::kMaxFetches; ++k)
        send(network.add_stranger(0), invent());
    EXPECT_EQ(at().relay->blocks().fetches(), BlockRelay::kMaxFetches);
    forged = invent();
    const PeerId late = network.add_stranger(0);
    send(late, forged);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::ignored);
    network.run(BlockRelay::kOutlineTimeout + 2 * kRelayTick);
    send(late, forged);
    EXPECT_EQ(at().announced.back(), AnnounceOutcome::fetching);
}

TEST_F(RelayBlocksTest, a_peer_with_more_work_is_not_told_of_less) {
    const PeerId ahead = network.add_stranger(0);
    Announce far = announcement();
    far.header.tmpl.parent = test::hash_of(1);
    far.cumulative_work = chain::U256::max();
    send(ahead, far);
    network.submit(0, block);
    EXPECT_THAT(all<Announce>(ahead), IsEmpty());
    EXPECT_THAT(all<Announce>(b), SizeIs(1));
}

// ---- serving

TEST_F(RelayBlocksTest, serves_outlines_parts_and_blocks) {
    network.submit(0, block);
    send(a, GetOutline{id});
    EXPECT_THAT(all<Outline>(a), ElementsAre(outline));
    send(a, GetParts{id, {1, 3}, {0}});
    EXPECT_THAT(
        all<Parts>(a),
        ElementsAre(Parts{id, {block->listed[1], block->listed[3]}, {block->transactions[0]}}));
    send(a, GetBlock{id});
    EXPECT_THAT(all<BlockMessage>(a), SizeIs(1));
    send(a, GetOutline{test::hash_of(1)});
    EXPECT_THAT(all<NotFound>(a), SizeIs(1));
    for (const GetParts& bad :
         {GetParts{id, {1, 1}, {}}, GetParts{id, {4}, {}}, GetParts{id, {}, {2, 1}}}) {
        send(b, bad);
        expect_blamed(b, ProtocolOffence::unordered_request);
    }
    EXPECT_THAT(all<Parts>(b), IsEmpty());
}

TEST_F(RelayBlocksTest, serving_is_bounded_by_the_budget_and_by_the_cache) {
    network.submit(0, block);
    const std::size_t bytes = chain::encoded_size(all_parts()) + OutlineServer::kRequestBytes;
    std::vector<std::uint32_t> all_places(4);
    std::iota(all_places.begin(), all_places.end(), 0U);
    const GetParts request{id, all_places, all_places};
    for (std::size_t i = 0; i < 2 * ServeBudget::kBurstBytes / bytes; ++i) send(a, request);
    EXPECT_EQ(all<Parts>(a).size(), ServeBudget::kBurstBytes / bytes);
    EXPECT_FALSE(all<NotFound>(a).empty());
    send(b, request);
    EXPECT_THAT(all<Parts>(b), SizeIs(1));
    EXPECT_EQ(at().relay->on_get_block(a, {id}, network.now()), Served::no);
    EXPECT_EQ(at().relay->on_get_block(b, {id}, network.now()), Served::yes);
    EXPECT_EQ(at().relay->on_get_block(b, {test::hash_of(1)}, network.now()), Served::no);
}

TEST_F(RelayBlocksTest, a_proven_block_is_told_and_served_until_it_fails) {
    at().relay->block_proven(block);
    EXPECT_THAT(all<Announce>(a), ElementsAre(announcement()));
    send(a, GetOutline{id});
    EXPECT_THAT(all<NotFound>(a), SizeIs(1));  // its shares' ids are not known
    send(a, GetBlock{id});
    EXPECT_THAT(all<BlockMessage>(a), SizeIs(1));
    fill();
    send(b, GetOutline{id});
    EXPECT_THAT(all<Outline>(b), ElementsAre(outline));  // the pools know them
    at().relay->block_judged(
        a, id,
        chain::fail(chain::SubmitError(chain::RuleError(chain::BlockError::wrong_state_root))),
        network.now(), network.now_ms());
    send(b, GetBlock{id});
    EXPECT_THAT(all<BlockMessage>(b), IsEmpty());
    // Judged good after all, it is not told again.
    network.submit(0, block);
    EXPECT_THAT(all<Announce>(a), SizeIs(1));
}

// Whoever relays a block has proved its work only. What shows after that is its miner's fault.
TEST_F(RelayBlocksTest, only_what_shows_before_the_proof_is_held_against_the_sender) {
    network.judge = false;
    const chain::SubmitError error = chain::RuleError(chain::SegmentError::replay_differs);
    const auto judge = [&] {
        at().relay->block_judged(a, id, chain::fail(error), network.now(), network.now_ms());
    };
    announce(a);
    send(a, outline);
    send(a, all_parts());
    at().relay->block_proven(block);
    judge();
    EXPECT_THAT(at().reports, IsEmpty());
    EXPECT_EQ(announce(b), AnnounceOutcome::refused);
}

TEST_F(RelayBlocksTest, an_invalid_block_without_proof_is_its_senders_fault) {
    network.judge = false;
    const chain::SubmitError error = chain::RuleError(chain::SegmentError::replay_differs);
    announce(a);
    send(a, outline);
    send(a, all_parts());
    at().relay->block_judged(a, id, chain::fail(error), network.now(), network.now_ms());
    expect_blamed(a, error);
    EXPECT_EQ(announce(b), AnnounceOutcome::refused);
    EXPECT_THAT(at().reports, IsEmpty());  // who only tells of it may not know
}

}  // namespace
}  // namespace gradient::node
