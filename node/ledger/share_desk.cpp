#include "node/ledger/share_desk.hpp"

#include "chain/base/codec.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/state/entries.hpp"
#include "chain/work/digests.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/setup/store_failure.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <span>
#include <string>
#include <utility>

namespace gradient::node {

namespace {

// A share that started from a segment which this branch lacks may be judged once that has come
// late.
bool waits_for_others(const chain::SubmitError& error) {
    const auto* rule = std::get_if<chain::RuleError>(&error);
    return rule != nullptr && *rule == chain::RuleError(chain::SegmentError::list_not_on_branch);
}

ShareVerdict not_judged(const std::string& why) {
    return chain::SubmitError(chain::StoreError{chain::StoreFault::failed, "not judged: " + why});
}

bool is_taken(const ShareVerdict& verdict) {
    const auto* refusal = std::get_if<chain::ShareRefusal>(&verdict);
    return refusal != nullptr && *refusal == chain::ShareRefusal::lane_taken;
}

bool is_refusal(const ShareVerdict& verdict) {
    return std::holds_alternative<chain::SubmitError>(verdict) ||
           std::holds_alternative<chain::ShareRefusal>(verdict);
}

std::string reason_of(const ShareVerdict& verdict) {
    if (const auto* error = std::get_if<chain::SubmitError>(&verdict))
        return chain::describe(*error);
    return std::string(chain::describe(std::get<chain::ShareRefusal>(verdict)));
}

template <class Visit>
void for_each_share(const std::shared_ptr<const chain::Block>& block, const Visit& visit) {
    using Shared = std::shared_ptr<const chain::Segment>;
    for (const auto& segment : block->listed) visit(Shared(block, &segment));
    for (const auto& transaction : block->transactions) {
        const auto* late = std::get_if<chain::ShareTransaction>(&transaction.content);
        if (late) visit(Shared(block, &late->segment));
    }
}

// The segment of a block's own lane, which is an ordinary share once the block has left the chain.
std::shared_ptr<const chain::Segment> winner_of(const MovedBlocks::One& undone,
                                                chain::Ledger& ledger) {
    const chain::Block& block = *undone.block;
    std::vector<chain::Hash256> listed;
    if (!block.listed.empty()) {
        const auto after = require(ledger.state_after(undone.id));
        const auto round = require(chain::require_entry<chain::Round>(
            after->state(), chain::round_key(block.header.tmpl.height - 1)));
        for (const auto& segment : block.listed) {
            const auto lane = chain::template_hash(segment.tmpl);
            const auto found =
                std::ranges::find(round.segments, lane, &chain::RoundSegment::template_hash);
            if (found != round.segments.end()) listed.push_back(found->segment);
        }
    }
    return std::make_shared<const chain::Segment>(
        chain::Segment{block.header.tmpl, std::move(listed), block.winner});
}

}  // namespace

ShareDesk::ShareDesk(const asio::any_io_executor& strand, chain::Ledger& ledger, WorkerPool& pool,
                     TrainerPool& trainers, std::function<void()> judged)
    : strand_(strand),
      ledger_(ledger),
      pool_(pool),
      trainers_(trainers),
      judged_(std::move(judged)),
      checks_(strand, kMaxChecks) {
    shares_.tip_changed(ledger_.tip()->height() + 1);
}

bool ShareDesk::has(const chain::Segment& segment) const {
    const auto is_same = [&](const std::shared_ptr<const chain::Segment>& other) {
        return other.get() == &segment || *other == segment;
    };
    if (std::ranges::any_of(waiting_, is_same, &Waiting::segment)) return true;
    const auto pooled = shares_.find_lane(chain::template_hash(segment.tmpl));
    return pooled && is_same(pooled->segment);
}

// Whether the round has not ended on this node's chain.
bool ShareDesk::is_early(std::uint64_t round) const {
    return round > ledger_.tip()->height();
}

// Whether a block after the next one may still include a share of that round.
bool ShareDesk::is_open(std::uint64_t round) const {
    return ledger_.tip()->height() < round + chain::kMaxLateness;
}

ShareDesk::Told ShareDesk::submit(std::shared_ptr<const chain::Segment> segment,
                                  ShareOrigin origin) {
    const auto told = std::make_shared<Promised<ShareVerdict>>(strand_);
    const std::uint64_t round = segment->tmpl.height;
    const std::size_t bytes = chain::encoded_size(*segment);
    const bool is_full =
        waiting_.size() >= kMaxWaiting || waiting_bytes_ + bytes > kMaxWaitingBytes;
    const auto refuse = [&](chain::ShareRefusal refusal) {
        if (origin == ShareOrigin::own) tell_fate(*segment, SegmentFate::given_up);
        told->set(refusal);
    };
    if (has(*segment)) {
        told->set(ShareKnown{});
    } else if (is_early(round) &&
               round - ledger_.tip()->height() > 1 + chain::SharePoolLimits().rounds_ahead) {
        refuse(chain::ShareRefusal::too_far_ahead);
    } else if (is_full && origin == ShareOrigin::peer) {
        refuse(chain::ShareRefusal::pool_full);
    } else if (const auto share = add_waiting(std::move(segment), origin, nullptr);
               is_early(round)) {
        told->set(ShareHeld{});
    } else {
        start_judging(share, told);
    }
    return told;
}

ShareDesk::WaitingShares::iterator ShareDesk::add_waiting(
    std::shared_ptr<const chain::Segment> segment, ShareOrigin origin,
    chain::SharePool::Share known) {
    const std::size_t bytes = chain::encoded_size(*segment);
    waiting_bytes_ += bytes;
    return waiting_.insert(waiting_.end(),
                           {std::move(segment), origin, std::move(known), bytes, Stage::held});
}

void ShareDesk::start_judging(WaitingShares::iterator share, Told told) {
    share->stage = Stage::judged;
    if (checks_.full()) {
        share->stage = Stage::held;
        if (told) told->set(ShareHeld{});
        return;
    }
    ++judging_;
    checks_.spawn(judge(share, std::move(told)));
}

Task<> ShareDesk::judge(WaitingShares::iterator share, Told told) {
    ShareVerdict verdict;
    try {
        verdict = co_await verdict_on(*share);
    } catch (const std::exception& error) {
        if (!stop_.stop_requested()) spdlog::error("judging a share failed: {}", error.what());
        verdict = not_judged(error.what());
    }
    --judging_;
    leave(share, verdict);
    if (told) told->set(std::move(verdict));
    judged_();
}

Task<ShareVerdict> ShareDesk::verdict_on(const Waiting& share) {
    using Judged = chain::Result<chain::VerifiedShare, chain::SubmitError>;
    for (;;) {
        const std::uint64_t branch = branch_;
        const auto candidate = ledger_.admit_share(share.segment);
        if (!candidate) co_return candidate.error();
        chain::KnownShares known;
        if (share.known) known.add(share.known);
        auto judge = [this, candidate = *candidate,
                      known = std::move(known)](const std::stop_token&) -> Judged {
            LeasedTrainers trainers(trainers_);
            return chain::verify_share(candidate, trainers, known);
        };
        auto verified =
            co_await run_on(pool_, Priority::verify, stop_.get_token(), std::move(judge));
        if (branch != branch_) continue;
        if (verified) co_return keep(*std::move(verified));
        if (waits_for_others(verified.error()) && is_open(share.segment->tmpl.height))
            co_return ShareHeld{};
        co_return verified.error();
    }
}

ShareVerdict ShareDesk::keep(chain::VerifiedShare share) {
    const auto shared = std::make_shared<const chain::VerifiedShare>(std::move(share));
    const auto evicted = shares_.add(shared);
    if (!evicted) {
        if (evicted.error() == chain::ShareRefusal::already_pooled) return ShareKnown{};
        return evicted.error();
    }
    for (const auto& gone : *evicted) tell_fate(*gone.share->segment, SegmentFate::given_up);
    if (on_kept_) on_kept_(shared->segment, shared->outcome.id);
    return ShareKept{shared->outcome.id};
}

void ShareDesk::leave(WaitingShares::iterator share, const ShareVerdict& verdict) {
    if (std::holds_alternative<ShareHeld>(verdict)) {
        share->stage = Stage::held;
        return;
    }
    if (is_refusal(verdict)) {
        if (!stop_.stop_requested()) spdlog::info("a share was refused: {}", reason_of(verdict));
        // Anybody may send a bad share of our lane, and of a lane that is taken the good one waits.
        if (share->origin == ShareOrigin::own && !is_taken(verdict)) {
            tell_fate(*share->segment, SegmentFate::given_up);
        }
    }
    waiting_bytes_ -= share->bytes;
    waiting_.erase(share);
}

void ShareDesk::tell_fate(const chain::Segment& segment, SegmentFate fate) const {
    if (on_share_) on_share_(chain::template_hash(segment.tmpl), fate);
}

void ShareDesk::tell_fates(const MovedBlocks& moved) const {
    if (!on_share_) return;
    const auto tell = [&](const MovedBlocks::One& one, SegmentFate winner, SegmentFate share) {
        on_share_(chain::template_hash(one.block->header.tmpl), winner);
        for_each_share(one.block, [&](const auto& segment) { tell_fate(*segment, share); });
    };
    for (const auto& one : moved.undone) tell(one, SegmentFate::waiting, SegmentFate::waiting);
    for (const auto& one : moved.redone) tell(one, SegmentFate::ended_block, SegmentFate::included);
}

void ShareDesk::tip_changed(const MovedBlocks& moved) {
    tell_fates(moved);
    for (const auto& gone : shares_.tip_changed(ledger_.tip()->height() + 1))
        tell_fate(*gone.share->segment, SegmentFate::given_up);
    if (!moved.undone.empty()) judge_all_again(moved);
    for (auto share = waiting_.begin(); share != waiting_.end();) {
        const auto next = std::next(share);
        if (share->stage == Stage::held && !is_early(share->segment->tmpl.height))
            start_judging(share, nullptr);
        share = next;
    }
}

// What was good on the branch that has been left may not be on this one, and the other way round.
void ShareDesk::judge_all_again(const MovedBlocks& moved) {
    ++branch_;
    const auto add = [&](const std::shared_ptr<const chain::Segment>& segment,
                         const chain::SharePool::Share& known) {
        if (has(*segment)) return;
        const bool is_own = shares_.own_miner() == segment->tmpl.miner;
        add_waiting(segment, is_own ? ShareOrigin::own : ShareOrigin::peer, known);
    };
    for (const auto& share : shares_.take_all()) add(share->segment, share);
    for (const auto& one : moved.undone) {
        for_each_share(one.block, [&](const auto& segment) { add(segment, nullptr); });
        add(winner_of(one, ledger_), nullptr);
    }
}

chain::KnownShares ShareDesk::known_of(const chain::Block& block) const {
    chain::KnownShares known;
    const auto look_up = [&](const chain::Segment& segment) {
        if (auto share = shares_.find_lane(chain::template_hash(segment.tmpl)))
            known.add(std::move(share));
    };
    for (const auto& segment : block.listed) look_up(segment);
    for (const auto& transaction : block.transactions) {
        const auto* late = std::get_if<chain::ShareTransaction>(&transaction.content);
        if (late) look_up(late->segment);
    }
    return known;
}

// The rounds whose shares the next block may include, the one that it settles first.
std::vector<chain::OpenRound> ShareDesk::open_rounds() const {
    std::vector<chain::OpenRound> rounds;
    const auto& state = ledger_.tip()->state();
    const std::uint64_t height = ledger_.tip()->height();
    for (std::uint64_t late = 0; late <= chain::kMaxLateness && late < height; ++late) {
        const std::uint64_t number = height - late;
        const auto entry =
            require(chain::read_entry<chain::Round>(state, chain::round_key(number)));
        if (!entry) continue;
        chain::OpenRound round{number, entry->parent, {}};
        for (const auto& segment : entry->segments) round.included.insert(segment.template_hash);
        rounds.push_back(std::move(round));
    }
    return rounds;
}

void ShareDesk::add_to(chain::TemplateContents& contents, std::size_t& bytes) const {
    const auto rounds = open_rounds();
    const auto pending = require(
        chain::read_entry<chain::PendingRound>(ledger_.tip()->state(), chain::pending_round_key()));
    const auto budget = [&](std::size_t most) {
        return chain::ShareBudget{std::min(bytes, most), chain::kMaxListedSegments};
    };
    const auto take_off = [&](const chain::SharePool::Share& share) {
        bytes -= std::min(bytes, share->outcome.size_bytes);
    };
    if (!rounds.empty() && pending && pending->round == rounds.front().round) {
        for (const auto& share : shares_.listed(rounds.front(), budget(bytes))) {
            take_off(share);
            contents.shares.push_back(*share);
        }
    }
    if (rounds.size() < 2) return;
    const std::span<const chain::OpenRound> earlier(rounds.begin() + 1, rounds.end());
    for (const auto& share : shares_.late(earlier, budget(kLateBytes))) {
        take_off(share);
        contents.transactions.push_back({chain::ShareTransaction{*share->segment}});
    }
}

Task<> ShareDesk::close() {
    stop_.request_stop();
    co_await checks_.close();
}

}  // namespace gradient::node
