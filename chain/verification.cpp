#include "chain/verification.hpp"

#include "chain/base/check.hpp"
#include "chain/state/entries.hpp"
#include "chain/transition/apply.hpp"
#include "chain/work/task_model.hpp"

#include <utility>

namespace gradient::chain {

namespace {

std::string_view sentence(LedgerError error) noexcept {
    switch (error) {
        case LedgerError::duplicate:
            return "the block is known already";
        case LedgerError::too_little_work:
            return "the block's branch has too little work beside the tip's";
        case LedgerError::pruned:
            return "the block's branch leaves the chain at a depth that this node has pruned";
        case LedgerError::condemned:
            return "the block or its parent has broken a rule before";
        case LedgerError::halted:
            return "a write to the data directory has failed; start again once its cause is "
                   "removed";
    }
    return "unknown ledger error";
}

Consequence group(LedgerError error) noexcept {
    switch (error) {
        case LedgerError::duplicate:
        case LedgerError::too_little_work:
        case LedgerError::pruned:
            return Consequence::not_yet;
        case LedgerError::condemned:
            return Consequence::invalid;
        case LedgerError::halted:
            return Consequence::ours;
    }
    return Consequence::ours;
}

}  // namespace

std::string describe(const SubmitError& error) {
    if (const auto* ledger = std::get_if<LedgerError>(&error))
        return std::string(sentence(*ledger));
    if (const auto* rule = std::get_if<RuleError>(&error)) return std::string(describe(*rule));
    return std::get<StoreError>(error).message;
}

SubmitError submit_error(ApplyFailure failure) {
    if (const auto* rule = std::get_if<RuleError>(&failure)) return *rule;
    return std::get<StoreError>(std::move(failure));
}

Consequence blame(const SubmitError& error) noexcept {
    if (const auto* ledger = std::get_if<LedgerError>(&error)) return group(*ledger);
    if (const auto* rule = std::get_if<RuleError>(&error)) return blame(*rule);
    return Consequence::ours;
}

namespace {

SubmitError submit_error(const ShareFailure& failure) {
    if (const auto* rule = std::get_if<SegmentError>(&failure)) return RuleError(*rule);
    return std::get<StoreError>(failure);
}

// Replays of all jobs in turn, the last one first: it is that of a segment's unit K.
Result<std::vector<ReplayedUnit>, SubmitError> replay_all(const std::vector<ReplayJob>& jobs,
                                                          Trainers& trainers) {
    std::vector<ReplayedUnit> replays;
    for (std::size_t i = jobs.size(); i-- > 0;) {
        auto replay =
            replay_opening(jobs[i].segment, jobs[i].opening, trainers.trainer_of(jobs[i].task));
        if (!replay) return fail(SubmitError(jobs[i].failure(replay.error())));
        replays.push_back(*std::move(replay));
    }
    return replays;
}

}  // namespace

Candidate::Candidate(const CheckedHeader& header, std::shared_ptr<const Block> block,
                     std::shared_ptr<const ParentState> parent, TaskSet tasks)
    : header_(header),
      block_(std::move(block)),
      parent_(std::move(parent)),
      tasks_(std::make_shared<const TaskSet>(std::move(tasks))) {}

BlockContext Candidate::context(Trainers& trainers) const {
    const Network& network = parent_->network();
    return {parent_->state(),
            parent_->index().state_root,
            parent_->context().time_ms,
            network.genesis.id,
            network.spec.network_id,
            network.params(),
            *tasks_,
            trainers};
}

ShareCandidate::ShareCandidate(std::shared_ptr<const Segment> segment,
                               std::shared_ptr<const ParentState> parent, TaskSet tasks)
    : segment_(std::move(segment)),
      parent_(std::move(parent)),
      tasks_(std::make_shared<const TaskSet>(std::move(tasks))) {}

Result<std::optional<TaskProof>, StoreError> prove_task(const StateView& state,
                                                        const StateTree& tree,
                                                        const Header& header) {
    if (header.tmpl.task == kGenesisTask) return std::nullopt;
    const StateKey key = task_key(header.tmpl.task);
    TRY_ASSIGN(const StateValue entry, state.get(key));
    if (!entry) return fail(bad_entry(key, "it is missing"));
    TRY_ASSIGN(auto proof, tree.prove(key));
    return TaskProof{*entry, std::move(proof)};
}

Result<VerifiedBlock, SubmitError> finish_candidate(const Candidate& candidate,
                                                    JudgedBlock judged) {
    const ParentState& parent = candidate.parent();

    VerifiedBlock verified;
    verified.id_ = candidate.id();
    verified.block_ = candidate.block();
    verified.mean_loss_ = judged.mean_loss;
    TRY_ASSIGN(verified.index_, make_index(parent.state(), parent.index(), candidate.header(),
                                           judged, parent.network().params()));
    TRY_ASSIGN(StateTree tree, parent.tree_after(judged.diff));
    TRY_ASSIGN(verified.index_.state_root, tree.root());
    if (parent.was_tip()) {
        verified.tree_changes_ =
            std::make_shared<const StateTree::Changes>(std::move(tree).take_changes());
    }
    verified.evidence_ = std::move(judged.evidence);
    TRY_ASSIGN(const StateTree before, parent.tree_after({}));
    TRY_ASSIGN(verified.evidence_.task,
               prove_task(parent.state(), before, candidate.header().header()));
    verified.diff_ = std::move(judged.diff);
    verified.included_ = std::move(judged.included);
    return verified;
}

Result<BlockIndex, StoreError> make_index(const StateView& parent_state, const BlockIndex& parent,
                                          const CheckedHeader& header, const JudgedBlock& judged,
                                          const ConsensusParams& params) {
    BlockIndex index;
    index.header = header.header();
    index.cumulative_work = saturating_add(parent.cumulative_work, header.work());
    index.history = parent.history;
    const Template& tmpl = header.header().tmpl;
    const auto appended = index.history.append(
        {header.id(), tmpl.height, tmpl.time_ms, parent.cumulative_work, index.cumulative_work});
    CHECK(appended);  // header rules: heights and times grow, work is positive
    const OverlayView after(parent_state, judged.diff);
    TRY_ASSIGN(index.child_task, draw_task(after, header.id(), params));
    TRY_ASSIGN(const auto record, require_entry<TaskRecord>(after, task_key(index.child_task)));
    index.unit_work = parent.child_unit_work;
    index.child_unit_work = unit_work(record);
    index.hits = judged.hits;
    index.replayed_units = judged.replayed_units;
    index.shares = judged.shares;
    index.share_hits = judged.share_hits;
    index.share_units = judged.share_units;
    return index;
}

Result<VerifiedBlock, SubmitError> verify_candidate(const Candidate& candidate,
                                                    Trainers& trainers) {
    BlockVerifier verifier(candidate.block(), candidate.header(), candidate.context(trainers));
    for (;;) {
        auto jobs = verifier.next();
        if (!jobs) return fail(submit_error(std::move(jobs).error()));
        if (jobs->empty()) break;
        TRY_ASSIGN(auto replays, replay_all(*jobs, trainers));
        auto taken = verifier.take(std::move(replays));
        if (!taken) return fail(submit_error(std::move(taken).error()));
    }
    auto judged = verifier.finish();
    if (!judged) return fail(submit_error(std::move(judged).error()));
    return finish_candidate(candidate, *std::move(judged));
}

Result<VerifiedShare, SubmitError> verify_share(const ShareCandidate& candidate, Trainers& trainers,
                                                const KnownShares& known) {
    const ParentState& parent = candidate.parent();
    const std::shared_ptr<const Segment>& segment = candidate.segment();
    const SettlementContext context{parent.network().params(), candidate.tasks(), trainers};
    ShareChecker checker(parent.state(), parent.height() + 1, context);
    const auto placed = checker.place(segment);
    if (!placed) return fail(submit_error(placed.error()));
    auto ready = checker.is_ready(*placed);
    if (!ready) return fail(SubmitError(std::move(ready).error()));
    if (!*ready) return fail(SubmitError(RuleError(SegmentError::list_not_on_branch)));
    const auto checked = checker.check(*placed);
    if (!checked) return fail(submit_error(checked.error()));
    const Hash256& start = checked->start().state;
    if (const SegmentOutcome* outcome = known.find(*checked, *segment)) {
        return VerifiedShare{segment, *outcome, start};
    }
    const auto proven = verify_segment(*checked, trainers.trainer_of(checker.task_of(*placed)));
    if (!proven) return fail(SubmitError(RuleError(proven.error())));
    return VerifiedShare{segment, outcome_of(*proven, encoded_size(*segment)), start};
}

}  // namespace gradient::chain
