// Shares that were verified before their block came are not replayed again.
#include "chain/block_verifier.hpp"
#include "tests/support/share_chain.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

namespace gradient::chain {
namespace {

class KnownShare : public ShareChain {
  protected:
    struct Judged {
        std::map<Hash256, std::size_t> replays;  // by segment
        Result<JudgedBlock, ApplyFailure> block;
    };

    static KnownShares known(const std::vector<VerifiedShare>& shares) {
        KnownShares made;
        for (const auto& share : shares) made.add(std::make_shared<const VerifiedShare>(share));
        return made;
    }

    Judged judge(const SharedBlock& block, KnownShares known) {
        const auto candidate = ledger_->admit(block, block->header.tmpl.time_ms);
        CHECK(candidate);
        BlockVerifier verifier(block, candidate->header(), candidate->context(trainers_),
                               std::move(known));
        Judged judged{{}, fail(ApplyFailure(RuleError(SegmentError::replay_missing)))};
        for (;;) {
            const auto jobs = verifier.next();
            if (!jobs) {
                judged.block = fail(jobs.error());
                return judged;
            }
            if (jobs->empty()) break;
            std::vector<ReplayedUnit> replays;
            for (const ReplayJob& job : *jobs) {
                ++judged.replays[job.segment.id()];
                replays.push_back(
                    *replay_opening(job.segment, job.opening, trainers_.trainer_of(job.task)));
            }
            CHECK(verifier.take(std::move(replays)));
        }
        judged.block = verifier.finish();
        return judged;
    }

    // Judging with that knowledge replays so many segments, and comes to the same as without any.
    void expect_replayed(const SharedBlock& block, const KnownShares& known, std::size_t segments) {
        const Judged plain = judge(block, {});
        const Judged quick = judge(block, known);
        ASSERT_TRUE(plain.block && quick.block);
        EXPECT_EQ(plain.replays.size(), 1 + block->listed.size() + count_late(*block));
        EXPECT_EQ(quick.replays.size(), segments);
        EXPECT_EQ(quick.block->diff, plain.block->diff);
        EXPECT_EQ(quick.block->replayed_units, plain.block->replayed_units);
        EXPECT_EQ(quick.block->included, plain.block->included);
    }

    static std::size_t count_late(const Block& block) {
        std::size_t count = 0;
        for (const auto& one : block.transactions) {
            if (std::holds_alternative<ShareTransaction>(one.content)) ++count;
        }
        return count;
    }
};

TEST_F(KnownShare, is_not_replayed_again) {
    const SharedSegment late = share(1);
    extend();
    const SharedSegment one = share(2);
    const SharedSegment two = share(3);
    extend();
    const auto block = block_of(work(listing({one, two}, {late})));
    const VerifiedShare known_one = *verify(one);
    const VerifiedShare known_two = *verify(two);
    const VerifiedShare known_late = *verify(late);
    expect_replayed(block, {}, 4);
    expect_replayed(block, known({known_one}), 3);
    expect_replayed(block, known({known_one, known_two, known_late}), 1);
    const Judged quick = judge(block, known({known_one, known_two, known_late}));
    EXPECT_EQ(quick.replays.begin()->second, block->winner.openings.size());
    take(block);
}

TEST_F(KnownShare, may_be_what_another_share_started_from) {
    const SharedSegment first = share(1);
    extend();
    const SharedSegment second = share_of(work(listing({first})), 2);
    extend();
    // The block lists `second`, which started from `first`, which comes late in the same block.
    const VerifiedShare known_first = *verify(first);
    const VerifiedShare known_second = verify_after(second, first);
    TemplateContents contents;
    contents.transactions = late_transactions({first, second});
    extend();
    const auto block = block_of(work(std::move(contents)));
    expect_replayed(block, known({known_first}), 2);
    expect_replayed(block, known({known_second}), 2);
    expect_replayed(block, known({known_first, known_second}), 1);
}

TEST_F(KnownShare, is_taken_for_no_segment_with_other_bytes_or_another_start) {
    const SharedSegment honest = share(1);
    extend();
    const auto block = block_of(work(listing({honest})));
    const VerifiedShare good = *verify(honest);
    VerifiedShare other = good;
    Segment changed = *honest;
    changed.body.signature.bytes[3] ^= 1U;  // a miner may sign twice
    other.segment = std::make_shared<const Segment>(changed);
    expect_replayed(block, known({other}), 2);
    other = good;
    changed = *honest;
    changed.body.openings.front().before.loss += 1;
    other.segment = std::make_shared<const Segment>(changed);
    expect_replayed(block, known({other}), 2);
    other = good;
    other.start = test::hash_of(5);
    expect_replayed(block, known({other}), 2);
    expect_replayed(block, known({good}), 1);
}

TEST_F(KnownShare, does_not_vouch_for_a_copy_with_a_forged_witness) {
    const SharedSegment honest = share(1);
    extend();
    const auto good = block_of(work(listing({honest})));
    const VerifiedShare verified = *verify(honest);
    Block forged = *good;
    forged.listed.front().body.openings.back().before.loss += 1;
    const Judged judged = judge(std::make_shared<const Block>(forged), known({verified}));
    ASSERT_FALSE(judged.block);
    EXPECT_EQ(judged.block.error(),
              ApplyFailure(RuleError(ListedError{SegmentError::opening_differs})));
}

TEST_F(KnownShare, is_still_refused_where_it_may_not_be_included) {
    const SharedSegment one = share(1);
    extend();
    const VerifiedShare verified = *verify(one);
    extend(listing({one}));
    const auto again = forged_block({}, {one});
    const Judged judged = judge(again, known({verified}));
    ASSERT_FALSE(judged.block);
    EXPECT_EQ(judged.block.error(), ApplyFailure(RuleError(SegmentError::lane_included)));
}

TEST_F(KnownShare, that_comes_alone_again_is_known) {
    const SharedSegment one = share(1);
    extend();
    const VerifiedShare verified = *verify(one);
    const auto candidate = ledger_->admit_share(one);
    VerifiedShare marked = verified;
    marked.outcome.hits += 1;  // to see where the outcome comes from
    EXPECT_EQ(verify_share(*candidate, trainers_, known({marked}))->outcome.hits,
              verified.outcome.hits + 1);
    marked.start = test::hash_of(5);
    EXPECT_EQ(verify_share(*candidate, trainers_, known({marked}))->outcome.hits,
              verified.outcome.hits);
}

}  // namespace
}  // namespace gradient::chain
