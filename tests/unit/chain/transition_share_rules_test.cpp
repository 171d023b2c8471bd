// Every rule for shares, by its name: alone, listed and late (chain/SPEC.md sections 10 and 11).
#include "chain/share_check.hpp"
#include "chain/state/state.hpp"
#include "chain/transition/apply.hpp"
#include "chain/transition/settle_task.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/share_chain.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace gradient::chain {
namespace {

using ShareRules = ShareChain;

template <class Change>
SharedSegment altered(const SharedSegment& segment, Change change) {
    Segment copy = *segment;
    change(copy);
    return std::make_shared<const Segment>(std::move(copy));
}

// An honest segment with another list, and a template that commits to it. Its digests and signature
// are no more right, but they are judged later.
SharedSegment listing_ids(const SharedSegment& segment, std::vector<Hash256> ids) {
    return altered(segment, [&](Segment& copy) {
        copy.tmpl.settle_root = settle_root(ids);
        copy.listed = std::move(ids);
    });
}

// A segment of a forger's own: one unit that nobody has trained, a hit, and well signed.
SharedSegment invented(const BlockTemplate& on, std::uint8_t miner) {
    Segment forged{on.tmpl, on.listed, {}};
    forged.tmpl.miner = test::tiny_key(miner).public_key();
    const Hash256 lane = template_hash(forged.tmpl);
    const Hash256 start = lane_digest(lane, on.start.state);
    Hash256 claimed = test::hash_of(1);
    Hash256 last = unit_digest(lane, 1, start, claimed);
    for (std::uint8_t i = 0; on.targets.classify(last) == TicketClass::none; ++i) {
        claimed.bytes[0] = i;
        last = unit_digest(lane, 1, start, claimed);
    }
    forged.body.digests = {claimed};
    const auto& theta = *on.start.parameters;
    forged.body.openings = {{1, {0, {}, encode_delta(theta, theta)}}};
    forged.body.signature = test::tiny_key(miner).sign(segment_message(lane, 1, last));
    return std::make_shared<const Segment>(std::move(forged));
}

// ------------------------------------------------------------------------------------------ rounds

TEST_F(ShareRules, unknown_round) {
    extend();
    const SharedSegment of_two = share(1);
    // Of the round that the block itself would end, and of a later one.
    EXPECT_EQ(verify(of_two).error(), rule(SegmentError::unknown_round));
    refuses(forged_block({of_two}), rule(BlockError::listed_late));
    refuses(forged_block({}, {of_two}), rule(SegmentError::unknown_round));
    extend_by(1);
    EXPECT_TRUE(verify(of_two));
    extend_by(3);
    EXPECT_TRUE(verify(of_two));  // three blocks late
    extend_by(1);
    refuses_late(of_two, SegmentError::unknown_round);
    refuses_late(altered(of_two, [](Segment& copy) { copy.tmpl.height = 0; }),
                 SegmentError::unknown_round);
    refuses_late(altered(of_two, [](Segment& copy) { copy.tmpl.height = UINT64_MAX; }),
                 SegmentError::unknown_round);
}

TEST_F(ShareRules, wrong_share_template) {
    extend();
    const SharedSegment honest = share(1);
    extend();
    const auto listed = [&](auto change) {
        refuses_listed(altered(honest, [&](Segment& copy) { change(copy.tmpl); }),
                       SegmentError::wrong_share_template);
    };
    const auto each_field = [](const auto& expect_refused) {
        expect_refused([](Template& tmpl) { tmpl.version += 1; });
        expect_refused([](Template& tmpl) { tmpl.parent.bytes[5] ^= 1; });
        expect_refused([](Template& tmpl) { tmpl.bits -= 1; });
        expect_refused([](Template& tmpl) { tmpl.state_root.bytes[5] ^= 1; });
        expect_refused([](Template& tmpl) { tmpl.history_root.bytes[5] ^= 1; });
        expect_refused([](Template& tmpl) { tmpl.task = 1; });
    };
    each_field(listed);
    // A share's time is after its parent's, and that is all that is asked of it.
    const std::uint64_t parent_time = honest->tmpl.time_ms - 1'000;
    listed([&](Template& tmpl) { tmpl.time_ms = parent_time; });
    listed([&](Template& tmpl) { tmpl.time_ms = 0; });
    extend();
    const auto late = [&](auto change) {
        refuses_late(altered(honest, [&](Segment& copy) { change(copy.tmpl); }),
                     SegmentError::wrong_share_template);
    };
    each_field(late);
    late([&](Template& tmpl) { tmpl.time_ms = parent_time; });
    // Of another round than it says.
    late([](Template& tmpl) { tmpl.height -= 1; });
    EXPECT_TRUE(verify(honest));
}

TEST_F(ShareRules, a_share_may_have_started_at_any_time_after_its_parent) {
    extend();
    BlockTemplate early = work();
    early.tmpl.time_ms = ledger_->tip()->context().time_ms + 1;
    BlockTemplate future = work();
    future.tmpl.time_ms += std::uint64_t{1} << 50;
    const SharedSegment one = share_of(early, 1);
    const SharedSegment two = share_of(future, 2);
    extend();
    extend(listing({one, two}));
    EXPECT_EQ(entry<Round>(round_key(2)).segments.size(), 3U);
}

TEST_F(ShareRules, a_share_may_commit_to_any_transactions) {
    extend();
    BlockTemplate other = work();
    other.tmpl.transaction_root = test::hash_of(0x99);
    const SharedSegment one = share_of(other, 1);
    extend();
    extend(listing({one}));
    EXPECT_EQ(entry<Round>(round_key(2)).segments.size(), 2U);
}

// ------------------------------------------------------------------------------------------- lanes

TEST_F(ShareRules, lane_included_already) {
    extend();
    const BlockTemplate on = work();
    const SharedSegment one = share_of(on, 1, 5);
    const SharedSegment longer = share_of(on, 1, 5, one->body.units() + 1);  // of the same lane
    ASSERT_EQ(one->tmpl, longer->tmpl);
    const SharedBlock winner = extend();
    extend(listing({one}));
    refuses_late(one, SegmentError::lane_included);
    refuses_late(longer, SegmentError::lane_included);
    // The winner's own lane.
    const auto own =
        std::make_shared<const Segment>(Segment{winner->header.tmpl, {}, winner->winner});
    refuses_late(own, SegmentError::lane_included);
}

TEST_F(ShareRules, the_winner_is_no_share) {
    const SharedBlock winner = extend();
    const auto own =
        std::make_shared<const Segment>(Segment{winner->header.tmpl, {}, winner->winner});
    refuses_listed(own, SegmentError::lane_included);
}

TEST_F(ShareRules, lane_included_twice_by_one_block) {
    extend();
    const BlockTemplate on = work();
    const SharedSegment one = share_of(on, 1, 5);
    const SharedSegment longer = share_of(on, 1, 5, one->body.units() + 1);
    extend();
    refuses(forged_block({one, one}), rule(ListedError{SegmentError::lane_included}));
    refuses(forged_block({one, longer}), rule(ListedError{SegmentError::lane_included}));
    extend();
    refuses(forged_block({}, {one, one}), rule(SegmentError::lane_included));
    refuses(forged_block({}, {longer, one}), rule(SegmentError::lane_included));
    extend(listing({}, {longer}));
}

// The transition alone: a block with as many shares would take long to make.
TEST_F(ShareRules, too_many_shares) {
    extend();
    const SharedSegment share_of_two = share(1);
    extend();
    const SegmentOutcome one = verify(share_of_two)->outcome;
    const auto numbered = [](std::size_t number) {
        Hash256 id = test::hash_of(static_cast<std::uint8_t>(number));
        id.bytes[0] = static_cast<std::uint8_t>(number >> 8U);
        return id;
    };
    // Includes the share after so many of its round, and with so many late ones waiting.
    const auto refused = [&](std::size_t segments, std::size_t waiting) {
        State before(state());
        auto round = entry<Round>(round_key(2));
        for (std::size_t i = round.segments.size(); i < segments; ++i) {
            round.segments.push_back({numbered(i), numbered(i)});
        }
        before.put(round_key(2), round);
        LateList list;
        for (std::size_t i = 0; i < waiting; ++i) list.segments.push_back(numbered(i));
        if (waiting > 0) before.put(late_list_key(kGenesisTask), list);
        BlockOutcome outcome{one, ledger_->tip()->start(), {}, {}, {}};
        outcome.winner.id = test::hash_of(0x77);
        outcome.winner.round = height() + 1;
        if (height() == 2) {
            outcome.listed.push_back(one);
        } else {
            outcome.transactions.emplace_back(one);
        }
        TaskSet tasks;
        tasks.add(ledger_->tip()->task());
        const TransitionContext context{params(), network_->genesis.id, 1, 0, tasks, trainers_};
        const auto diff = apply_block(before, {work().tmpl, 1, {}}, outcome, context);
        return diff ? std::optional<ApplyFailure>() : diff.error();
    };
    const ApplyFailure many = RuleError(SegmentError::too_many_shares);
    EXPECT_EQ(refused(1023, 0), std::nullopt);
    EXPECT_EQ(refused(1024, 0), many);
    extend();
    EXPECT_EQ(refused(1023, 0), std::nullopt);
    EXPECT_EQ(refused(1024, 0), many);
    EXPECT_EQ(refused(1, 255), std::nullopt);
    EXPECT_EQ(refused(1, 256), many);
}

// ------------------------------------------------------------------------------------------- lists

TEST_F(ShareRules, wrong_list) {
    extend();
    const SharedSegment honest = share(1);
    extend();
    const auto with_list = [&](std::vector<Hash256> ids) {
        return altered(honest, [&](Segment& copy) { copy.listed = std::move(ids); });
    };
    // Ids that exist and ids that don't: the list is not the template's, whatever is in it.
    const Hash256 winner = entry<PendingRound>(pending_round_key()).winner;
    refuses_listed(with_list({winner}), SegmentError::wrong_list);
    refuses_listed(with_list({test::hash_of(1)}), SegmentError::wrong_list);
    extend();
    refuses_late(with_list({winner}), SegmentError::wrong_list);
    refuses_late(with_list({test::hash_of(1)}), SegmentError::wrong_list);
    EXPECT_EQ(blame(rule(SegmentError::wrong_list)), Consequence::malformed);
}

TEST_F(ShareRules, list_not_on_branch) {
    const SharedSegment of_one = share(1);
    const SharedSegment unknown = share(2);
    extend();
    const Hash256 winner_one = entry<PendingRound>(pending_round_key()).winner;
    const VerifiedShare one = *verify(of_one);
    const Hash256 unknown_id = verify(unknown)->outcome.id;
    // Round 2 starts from the list of `of_one`, round 3 as well.
    const BlockTemplate on = work(listing({of_one}));
    const SharedSegment honest = share_of(on, 3);
    take(block_of(on));
    const auto check = [&](const auto& refuse) {
        refuse(listing_ids(honest, {test::hash_of(1)}));                // nobody knows it
        refuse(listing_ids(honest, {unknown_id}));                      // not included
        refuse(listing_ids(honest, {one.outcome.id, one.outcome.id}));  // twice
        refuse(listing_ids(honest, {winner_one}));                      // the winner of its round
        refuse(listing_ids(honest, {one.outcome.id, winner_one}));
    };
    check([&](const SharedSegment& segment) {
        refuses_listed(segment, SegmentError::list_not_on_branch);
    });
    const Hash256 winner_two = entry<PendingRound>(pending_round_key()).winner;
    extend(listing({honest}));
    const Hash256 honest_id = entry<Round>(round_key(2)).segments[1].segment;
    const SharedSegment other = share_of(on, 4);
    check([&](const SharedSegment& segment) {
        refuses_late(segment, SegmentError::list_not_on_branch);
    });
    refuses_late(listing_ids(other, {honest_id}), SegmentError::list_not_on_branch);   // of round 2
    refuses_late(listing_ids(other, {winner_two}), SegmentError::list_not_on_branch);  // of round 2
    EXPECT_EQ(blame(rule(SegmentError::list_not_on_branch)), Consequence::invalid);
    extend(listing({}, {other}));
}

TEST_F(ShareRules, round_one_has_nothing_to_list) {
    const SharedSegment honest = share(1);
    extend();
    const Hash256 winner = entry<PendingRound>(pending_round_key()).winner;
    refuses_listed(listing_ids(honest, {winner}), SegmentError::list_not_on_branch);
    // Nor has block 1.
    extend(listing({honest}));
}

TEST_F(ShareRules, a_list_names_no_winner_of_another_task) {
    // The round before trained task 1, the lane trains the genesis task: theta_0 is its model, but
    // the list is judged all the same.
    extend_by(2);
    State changed(state());
    auto pending = entry<PendingRound>(pending_round_key());
    const Round round = entry<Round>(round_key(pending.round));
    pending.task = 1;
    changed.put(pending_round_key(), pending);
    auto contribution = entry<Contribution>(contribution_key(pending.winner));
    const Hash256 other = test::hash_of(0x42);
    changed.put(contribution_key(other), contribution);
    TaskSet tasks;
    tasks.add(ledger_->tip()->task());
    const SettlementContext context{params(), tasks, trainers_};
    const auto starts = [&](std::vector<Hash256> ids) {
        const auto start =
            lane_start(changed, kGenesisTask, round.parent, ids, Contributions(changed), context);
        return start->has_value();
    };
    EXPECT_TRUE(starts({}));
    EXPECT_TRUE(starts({other}));
    EXPECT_FALSE(starts({other, other}));
    EXPECT_FALSE(starts({test::hash_of(0x43)}));
    EXPECT_FALSE(starts({pending.winner}));
    EXPECT_FALSE(starts({other, pending.winner}));
}

// ------------------------------------------------------------------------------------------ blocks

TEST_F(ShareRules, listed_late_and_late_not_late) {
    extend();
    const SharedSegment of_two = share(1);
    extend();
    const SharedSegment of_three = share(1);
    extend();
    refuses(forged_block({of_two}), rule(BlockError::listed_late));
    refuses(forged_block({}, {of_three}), rule(BlockError::late_not_late));
    EXPECT_EQ(blame(rule(BlockError::listed_late)), Consequence::malformed);
    EXPECT_EQ(blame(rule(BlockError::late_not_late)), Consequence::invalid);
    extend(listing({of_three}, {of_two}));
}

TEST_F(ShareRules, wrong_settle_root) {
    extend();
    const SharedSegment one = share(1);
    const SharedSegment two = share(2);
    extend();
    const SharedBlock block = block_of(work(listing({one, two})));
    const auto changed = [&](auto change) {
        Block copy = *block;
        change(copy.listed);
        return std::make_shared<const Block>(std::move(copy));
    };
    const SubmitError expected = rule(BlockError::wrong_settle_root);
    refuses(changed([](auto& listed) { listed.clear(); }), expected);
    refuses(changed([](auto& listed) { listed.pop_back(); }), expected);
    refuses(changed([](auto& listed) { std::swap(listed[0], listed[1]); }), expected);
    refuses(forged_block({one}), expected);
    EXPECT_EQ(blame(expected), Consequence::malformed);
    take(block);
}

TEST_F(ShareRules, a_copy_that_lists_something_else_condemns_no_block) {
    extend();
    const SharedSegment of_two = share(1);
    const SharedSegment other_of_two = share(2);
    extend();
    const BlockTemplate on_two = work();
    const SharedSegment of_three = share_of(on_two, 1);
    extend();
    const SharedBlock block = block_of(work(listing({of_three})));
    const auto with = [&](const SharedSegment& segment) {
        Block copy = *block;
        copy.listed.push_back(*segment);
        return std::make_shared<const Block>(std::move(copy));
    };
    refuses(with(of_two), rule(BlockError::listed_late));
    refuses(with(of_three), rule(ListedError{SegmentError::lane_included}));
    refuses(with(altered(of_three, [](Segment& copy) { copy.tmpl.bits -= 1; })),
            rule(ListedError{SegmentError::wrong_share_template}));
    refuses(with(listing_ids(of_three, {test::hash_of(9)})),
            rule(ListedError{SegmentError::list_not_on_branch}));
    refuses(with(altered(of_three, [](Segment& copy) { copy.listed = {test::hash_of(9)}; })),
            rule(ListedError{SegmentError::wrong_list}));
    refuses(with(invented(on_two, 9)), rule(ListedError{SegmentError::replay_differs}));
    EXPECT_EQ(submit(block), CommitOutcome::extended);
}

TEST_F(ShareRules, a_listed_share_that_is_altered_is_malformed_and_the_true_copy_is_accepted) {
    extend();
    const SharedSegment one = share(1, 0, 3);
    extend();
    const SharedBlock block = block_of(work(listing({one})));
    const auto refuses_copy = [&](SegmentError error, auto change) {
        Block copy = *block;
        change(copy.listed[0].body);
        refuses(std::make_shared<const Block>(std::move(copy)), rule(ListedError{error}));
        EXPECT_EQ(blame(rule(ListedError{error})), Consequence::malformed);
    };
    refuses_copy(SegmentError::bad_signature,
                 [](SegmentBody& body) { body.signature.bytes[0] ^= 1; });
    refuses_copy(SegmentError::bad_signature,
                 [](SegmentBody& body) { body.digests[0].bytes[0] ^= 1; });
    refuses_copy(SegmentError::opening_differs,
                 [](SegmentBody& body) { body.openings.back().before.loss += 1; });
    refuses_copy(SegmentError::bad_delta,
                 [](SegmentBody& body) { body.openings.back().before.delta.push_back(0); });
    refuses_copy(SegmentError::no_units, [](SegmentBody& body) { body.digests.clear(); });
    take(block);
}

TEST_F(ShareRules, a_late_share_that_is_altered_is_malformed_and_the_true_copy_is_accepted) {
    extend();
    const SharedSegment one = share(1, 0, 3);
    extend_by(2);
    const SharedBlock block = block_of(work(listing({}, {one})));
    const auto refuses_copy = [&](const SubmitError& error, auto change) {
        Block copy = *block;
        change(std::get<ShareTransaction>(copy.transactions[0].content).segment);
        refuses(std::make_shared<const Block>(std::move(copy)), error);
        EXPECT_EQ(blame(error), Consequence::malformed);
    };
    refuses_copy(rule(SegmentError::bad_signature),
                 [](Segment& copy) { copy.body.signature.bytes[0] ^= 1; });
    refuses_copy(rule(SegmentError::opening_differs),
                 [](Segment& copy) { copy.body.openings.back().before.loss += 1; });
    refuses_copy(rule(SegmentError::missing_hit),
                 [](Segment& copy) { copy.body.openings.pop_back(); });
    refuses_copy(rule(SegmentError::wrong_list),
                 [](Segment& copy) { copy.listed = {test::hash_of(9)}; });
    refuses_copy(rule(BlockError::wrong_transaction_root),
                 [](Segment& copy) { copy.body.digests[0].bytes[0] ^= 1; });
    refuses_copy(rule(BlockError::wrong_transaction_root),
                 [](Segment& copy) { copy.tmpl.height -= 1; });
    take(block);
}

// ------------------------------------------------------------------------------------------- waves

TEST_F(ShareRules, a_share_may_start_from_another_that_the_same_block_includes) {
    extend();
    const SharedSegment first = share(1);  // of round 2
    extend();
    // Round 3: one miner lists it, the winner does not know of it.
    const SharedSegment second = share_of(work(listing({first})), 2);
    extend();
    // Round 4, which starts from the second.
    EXPECT_EQ(verify(second).error(), rule(SegmentError::list_not_on_branch));
    refuses(forged_block({second}), rule(ListedError{SegmentError::list_not_on_branch}));
    const Hash256 first_id = verify(first)->outcome.id;
    extend({{verify_after(second, first)}, late_transactions({first})});
    EXPECT_EQ(entry<Contribution>(contribution_key(first_id)).lateness, 1U);
    EXPECT_EQ(entry<Round>(round_key(3)).segments.size(), 2U);
    EXPECT_EQ(entry<Round>(round_key(2)).segments.size(), 2U);
}

TEST_F(ShareRules, segments_whose_list_differs_from_the_winners_are_settled_with_it) {
    extend();
    const SharedSegment a = share(1);
    const SharedSegment b = share(2);
    extend();
    // The winner of round 3 lists both; shares list one, the other way round, or nothing.
    const SharedSegment none = share_of(work(), 3);
    const SharedSegment only_b = share_of(work(listing({b})), 4);
    const SharedSegment turned = share_of(work(listing({b, a})), 5);
    extend(listing({a, b}));
    extend(listing({turned, none, only_b}));
    const Round round = entry<Round>(round_key(3));
    ASSERT_EQ(round.segments.size(), 4U);
    EXPECT_EQ(entry<TaskProgress>(progress_key(kGenesisTask)).segments, 1U + 3 + 4);
    // Each has the delta of its own lane: that of the one that lists nothing started elsewhere.
    EXPECT_NE(entry<Contribution>(contribution_key(round.segments[2].segment)).delta,
              entry<Contribution>(contribution_key(round.segments[3].segment)).delta);
    extend();
}

}  // namespace
}  // namespace gradient::chain
