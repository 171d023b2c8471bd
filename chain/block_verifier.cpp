#include "chain/block_verifier.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/block_rules.hpp"
#include "chain/state/entries.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

template <class Rule>
auto broken(Rule rule) {
    return fail(ApplyFailure(RuleError(rule)));
}

// The header commits to the transactions, but to the listed segments by their ids alone, which
// can't be told before each of them has been judged.
RuleError share_error(SegmentError rule, bool listed) {
    if (listed) return ListedError{rule};
    return rule;
}

ApplyFailure share_failure(const ShareFailure& failure, bool listed) {
    if (const auto* rule = std::get_if<SegmentError>(&failure)) return share_error(*rule, listed);
    return std::get<StoreError>(failure);
}

}  // namespace

Result<std::vector<std::uint32_t>, StoreError> required_tasks(const StateView& view,
                                                              const Block& block) {
    TRY_ASSIGN(auto tasks, tasks_of_open_rounds(view, block.header.tmpl.height));
    tasks.push_back(block.header.tmpl.task);
    for (const Transaction& transaction : block.transactions) {
        const auto* one = std::get_if<SignedTransaction>(&transaction.content);
        const auto task = one ? required_task(*one) : std::nullopt;
        if (task) tasks.push_back(*task);
    }
    return tasks;
}

BlockVerifier::BlockVerifier(std::shared_ptr<const Block> block, const CheckedHeader& header,
                             const BlockContext& context, KnownShares known)
    : block_(std::move(block)),
      header_(header),
      context_(context),
      settlement_context_{context_.params, context_.tasks, context_.trainers},
      checker_(context_.view, header.header().tmpl.height, settlement_context_),
      known_(std::move(known)) {
    CHECK(block_->header == header.header());
}

Result<std::vector<ReplayJob>, ApplyFailure> BlockVerifier::next() {
    switch (stage_) {
        case Stage::form:
            TRY(check_form());
            collect_shares();
            stage_ = Stage::shares;
            [[fallthrough]];
        case Stage::shares: {
            TRY_ASSIGN(auto jobs, next_shares());
            if (!jobs.empty()) return jobs;
            stage_ = Stage::winner;
            return start_winner();
        }
        case Stage::winner: {
            stage_ = Stage::winner_rest;
            auto jobs = jobs_of(*winner_, context_.tasks.find(header_.header().tmpl.task), false);
            jobs.pop_back();  // unit K's has been taken
            if (!jobs.empty()) return jobs;
            TRY(take({}));
            return jobs;
        }
        case Stage::winner_rest:
        case Stage::done:
            break;
    }
    return std::vector<ReplayJob>();
}

// Everything that needs neither state nor replay; signatures last.
Result<void, ApplyFailure> BlockVerifier::check_form() {
    const Block& block = *block_;
    if (const auto form = check_block_form(block, context_.params); !form) {
        return broken(form.error());
    }
    if (block.header.tmpl.state_root != context_.state_root) {
        return broken(BlockError::wrong_state_root);
    }
    const TransactionContext context{
        context_.params,          context_.genesis, context_.network_id, block.header.tmpl.height,
        block.header.tmpl.parent, &context_.tasks,  &context_.trainers};
    for (const Transaction& transaction : block.transactions) {
        const auto* one = std::get_if<SignedTransaction>(&transaction.content);
        if (!one) continue;
        auto checked =
            check_transaction(std::shared_ptr<const SignedTransaction>(block_, one), context);
        if (!checked) return broken(checked.error());
        signed_.push_back(*std::move(checked));
    }
    return {};
}

void BlockVerifier::collect_shares() {
    for (std::size_t i = 0; i < block_->listed.size(); ++i) {
        const std::shared_ptr<const Segment> segment(block_, &block_->listed[i]);
        shares_.push_back({segment, i, true, {}, {}, {}, {}});
    }
    for (std::size_t i = 0; i < block_->transactions.size(); ++i) {
        const auto* late = std::get_if<ShareTransaction>(&block_->transactions[i].content);
        if (!late) continue;
        const std::shared_ptr<const Segment> segment(block_, &late->segment);
        shares_.push_back({segment, i, false, {}, {}, {}, {}});
    }
}

Result<void, ApplyFailure> BlockVerifier::place(Share& share) {
    if (share.placed) return {};
    const bool is_of_settled = share.segment->tmpl.height == header_.header().tmpl.height - 1;
    if (share.listed && !is_of_settled) return broken(BlockError::listed_late);
    if (!share.listed && is_of_settled) return broken(BlockError::late_not_late);
    auto placed = checker_.place(share.segment);
    if (!placed) return fail(share_failure(placed.error(), share.listed));
    share.placed = *std::move(placed);
    return {};
}

// The shares that can be checked now: those that started from segments that are known by now. One
// that needs no replay may be what others wait for.
Result<std::vector<ReplayJob>, ApplyFailure> BlockVerifier::next_shares() {
    waiting_.clear();
    for (;;) {
        const Share* left = nullptr;
        bool is_any_known = false;
        std::vector<ReplayJob> jobs;
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            Share& share = shares_[i];
            if (share.outcome) continue;
            TRY_ASSIGN(const bool is_checked, check_share(share));
            if (!is_checked) {
                if (!left) left = &share;
                continue;
            }
            if (const auto* outcome = known_.find(*share.checked, *share.segment)) {
                share_proven(share, *outcome);
                is_any_known = true;
                continue;
            }
            waiting_.push_back(i);
            for (ReplayJob& job :
                 jobs_of(*share.checked, checker_.task_of(*share.placed), share.listed)) {
                jobs.push_back(std::move(job));
            }
        }
        if (!jobs.empty() || !left) return jobs;
        if (!is_any_known) {
            return broken(share_error(SegmentError::list_not_on_branch, left->listed));
        }
    }
}

// Checks a share if it is ready.
Result<bool, ApplyFailure> BlockVerifier::check_share(Share& share) {
    TRY(place(share));
    auto ready = checker_.is_ready(*share.placed);
    if (!ready) return fail(ApplyFailure(std::move(ready).error()));
    if (!*ready) return false;
    auto checked = checker_.check(*share.placed);
    if (!checked) return fail(share_failure(checked.error(), share.listed));
    share.checked = *std::move(checked);
    if (is_second_of_lane(share)) {
        return broken(share_error(SegmentError::lane_included, share.listed));
    }
    return true;
}

Result<std::vector<ReplayJob>, ApplyFailure> BlockVerifier::start_winner() {
    const std::vector<Hash256> listed = listed_ids();
    if (settle_root(listed) != header_.header().tmpl.settle_root) {
        return broken(BlockError::wrong_settle_root);
    }
    TRY_ASSIGN(start_, settle(listed));
    const SegmentContext segment{*start_, header_.targets(), TicketClass::win,
                                 &header_.header().last_digest};
    const std::shared_ptr<const SegmentBody> body(block_, &block_->winner);
    auto checked = check_segment(header_.header().tmpl, listed, body, segment, context_.params);
    if (!checked) return broken(checked.error());
    winner_ = *std::move(checked);
    // Unit K's replay first and alone: it is what a forger lacks.
    const SharedTask task = context_.tasks.find(header_.header().tmpl.task);
    return std::vector<ReplayJob>{{*winner_, winner_->opening_count() - 1, task, false}};
}

std::vector<Hash256> BlockVerifier::listed_ids() const {
    std::vector<Hash256> listed;
    for (const Share& share : shares_) {
        if (share.listed) listed.push_back(share.outcome->id);
    }
    return listed;
}

// Settles the pending round with the listed segments; gives theta_0 of the winner's lane.
Result<LaneStart, ApplyFailure> BlockVerifier::settle(const std::vector<Hash256>& listed) {
    const Template& tmpl = header_.header().tmpl;
    auto pending = read_entry<PendingRound>(context_.view, pending_round_key());
    if (!pending) return fail(ApplyFailure(std::move(pending).error()));
    if (*pending) {
        auto settled = settle_pending(context_.view, **pending, tmpl.parent, listed,
                                      checker_.contributions(), settlement_context_);
        if (!settled) return fail(ApplyFailure(std::move(settled).error()));
        if (!*settled) return broken(SegmentError::list_not_on_branch);
        settlement_ = **std::move(settled);
        if (settlement_->task == tmpl.task) {
            return LaneStart(std::make_shared<const std::vector<std::int32_t>>(settlement_->theta));
        }
    } else if (!listed.empty()) {
        return broken(SegmentError::unknown_round);
    }
    auto theta = require_parameters(context_.view, model_key(tmpl.task));
    if (!theta) return fail(ApplyFailure(std::move(theta).error()));
    return LaneStart(std::make_shared<const std::vector<std::int32_t>>(*std::move(theta)));
}

bool BlockVerifier::is_second_of_lane(const Share& share) const {
    return std::any_of(shares_.begin(), shares_.end(), [&](const Share& other) {
        return &other != &share && other.checked &&
               other.checked->template_hash() == share.checked->template_hash();
    });
}

std::vector<ReplayJob> BlockVerifier::jobs_of(const CheckedSegment& segment, const SharedTask& task,
                                              bool listed) const {
    std::vector<ReplayJob> jobs;
    for (std::size_t i = 0; i < segment.opening_count(); ++i) {
        jobs.push_back({segment, i, task, listed});
    }
    return jobs;
}

Result<void, ApplyFailure> BlockVerifier::take(std::vector<ReplayedUnit> replays) {
    if (stage_ == Stage::shares) {
        for (ReplayedUnit& replay : replays) {
            for (const std::size_t i : waiting_) {
                if (shares_[i].checked->id() == replay.segment()) {
                    shares_[i].replays.push_back(std::move(replay));
                    break;
                }
            }
        }
        for (const std::size_t i : waiting_) TRY(prove_share(shares_[i]));
        waiting_.clear();
        return {};
    }
    for (ReplayedUnit& replay : replays) winner_replays_.push_back(std::move(replay));
    is_work_proven_ = true;
    if (stage_ != Stage::winner_rest) return {};
    auto proven = prove_segment(*winner_, std::move(winner_replays_));
    if (!proven) return broken(proven.error());
    proven_winner_ = *std::move(proven);
    proven_.push_back(proven_winner_->checked());
    stage_ = Stage::done;
    return {};
}

Result<void, ApplyFailure> BlockVerifier::prove_share(Share& share) {
    auto proven = prove_segment(*share.checked, std::move(share.replays));
    if (!proven) return broken(share_error(proven.error(), share.listed));
    share_proven(share, outcome_of(*proven, encoded_size(*share.segment)));
    return {};
}

void BlockVerifier::share_proven(Share& share, SegmentOutcome outcome) {
    share.outcome = std::move(outcome);
    checker_.add_proven(*share.outcome);
    proven_.push_back(*share.checked);
}

BlockOutcome BlockVerifier::collect_outcome() const {
    BlockOutcome outcome{
        outcome_of(*proven_winner_, encoded_size(block_->winner)), *start_, {}, {}, settlement_};
    auto next_signed = signed_.begin();
    for (const Share& share : shares_) {
        if (share.listed) outcome.listed.push_back(*share.outcome);
    }
    for (std::size_t i = 0; i < block_->transactions.size(); ++i) {
        if (std::holds_alternative<SignedTransaction>(block_->transactions[i].content)) {
            outcome.transactions.emplace_back(*next_signed++);
            continue;
        }
        for (const Share& share : shares_) {
            if (!share.listed && share.place == i) {
                outcome.transactions.emplace_back(*share.outcome);
            }
        }
    }
    return outcome;
}

Result<JudgedBlock, ApplyFailure> BlockVerifier::finish() {
    CHECK(stage_ == Stage::done);
    const BlockOutcome outcome = collect_outcome();
    JudgedBlock judged;
    TRY_ASSIGN(judged.diff,
               apply_block(context_.view, header_.header(), outcome,
                           {context_.params, context_.genesis, context_.network_id,
                            context_.parent_time_ms, context_.tasks, context_.trainers}));
    judged.hits = outcome.winner.hits;
    judged.replayed_units = outcome.winner.replays;
    judged.mean_loss = proven_winner_->mean_loss();
    judged.evidence = make_standalone_evidence(*winner_);
    for (const Share& share : shares_) {
        judged.shares += 1;
        judged.share_hits += share.outcome->hits;
        judged.share_units += share.outcome->units;
        judged.replayed_units += share.outcome->replays;
        auto& ids = share.listed ? judged.included.listed : judged.included.late;
        ids.push_back(share.outcome->id);
    }
    return judged;
}

}  // namespace gradient::chain
