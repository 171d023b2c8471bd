#include "chain/transition/apply.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/fraud_rules.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/transition/pay.hpp"
#include "chain/transition/rounds.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/task_model.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace gradient::chain {

namespace {

using Applied = Result<void, ApplyFailure>;

// A failure of one of the narrower families.
ApplyFailure widened(const StoreError& error) {
    return error;
}
ApplyFailure widened(const TransactionFailure& failure) {
    if (const auto* rule = std::get_if<TransactionError>(&failure)) return RuleError(*rule);
    return std::get<StoreError>(failure);
}

// The value of a narrower result, or its failure as one of the transition.
template <class E>
Applied widen(const Result<void, E>& result) {
    if (!result) return fail(widened(result.error()));
    return {};
}
template <class T, class E>
Result<T, ApplyFailure> widen(Result<T, E> result) {
    if (!result) return fail(widened(result.error()));
    return *std::move(result);
}

// The state transition of one block, step by step.
class Transition {
  public:
    Transition(const StateView& parent, const Header& header, const BlockOutcome& outcome,
               const TransitionContext& context)
        : state_(parent),
          header_(header),
          outcome_(outcome),
          context_(context),
          height_(header.tmpl.height),
          pay_(state_, context.params, height_) {}

    Result<StateDiff, ApplyFailure> run() {
        TRY(widen(archive_round(state_, height_, header_.tmpl.task)));
        if (height_ > kRoundWindow) TRY(widen(forget_round(state_, height_ - kRoundWindow)));
        TRY(settle());
        TRY(widen(release_pay()));
        TRY(widen(refund_ended_tasks(state_, height_)));
        TRY(widen(close_fraud_agenda(state_, height_, context_.params)));
        TRY(apply_transactions());
        TRY(widen(start_round()));
        TRY(widen(pay_.finish(address_of(header_.tmpl.miner), tally_.fees)));
        TRY(widen(end_tasks()));
        TRY(widen(probe()));
        return widen(state_.diff());
    }

  private:
    Applied settle() {
        if (outcome_.settlement) {
            TRY(widen(write_settlement(state_, *outcome_.settlement, height_)));
        }
        for (const SegmentOutcome& segment : outcome_.listed) TRY(include(segment, 0));
        return {};
    }

    // Enters a share in its round and pays it.
    Applied include(const SegmentOutcome& share, std::uint32_t lateness) {
        TRY_ASSIGN(auto round, widen(require_entry<Round>(state_, round_key(share.round))));
        const auto is_lane = [&](const RoundSegment& included) {
            return included.template_hash == share.template_hash;
        };
        if (std::any_of(round.segments.begin(), round.segments.end(), is_lane)) {
            return fail(ApplyFailure(RuleError(SegmentError::lane_included)));
        }
        if (round.segments.size() >= kMaxRoundSegments) {
            return fail(ApplyFailure(RuleError(SegmentError::too_many_shares)));
        }
        round.segments.push_back({share.template_hash, share.id});
        state_.put(round_key(share.round), round);
        const Contribution contribution = contribution_of(share, lateness);
        state_.put(contribution_key(share.id), contribution);
        if (lateness > 0) TRY(let_wait(share, contribution));
        return widen(pay_.add_share(share, lateness));
    }

    // A late contribution waits for its task's next settlement; that of a task that has ended is
    // only paid.
    Applied let_wait(const SegmentOutcome& share, const Contribution& contribution) {
        if (share.task != kGenesisTask) {
            TRY_ASSIGN(const auto account,
                       widen(require_entry<TaskAccount>(state_, task_account_key(share.task))));
            if (account.status != TaskStatus::active) return {};
        }
        const StateKey key = late_list_key(share.task);
        TRY_ASSIGN(auto found, widen(read_entry<LateList>(state_, key)));
        LateList list = std::move(found).value_or(LateList{});
        if (list.segments.size() >= kMaxLateContributions) {
            return fail(ApplyFailure(RuleError(SegmentError::too_many_shares)));
        }
        list.segments.push_back(share.id);
        state_.put(key, list);
        state_.put(late_key(share.id), contribution);
        return {};
    }

    Result<void, StoreError> release_pay() {
        const StateKey key = maturing_pay_key(height_);
        TRY_ASSIGN(const auto maturing, read_entry<MaturingPay>(state_, key));
        if (!maturing) return {};
        for (const Pay& pay : maturing->pays) {
            TRY(credit(state_, pay.payee, pay.amount));
            if (!pay.segment.is_zero()) state_.erase(segment_key(pay.segment));
        }
        state_.erase(key);
        return {};
    }

    Applied apply_transactions() {
        TransactionContext context{context_.params,   context_.genesis,    context_.network_id,
                                   height_,           header_.tmpl.parent, &context_.tasks,
                                   &context_.trainers};
        for (const auto& transaction : outcome_.transactions) {
            if (const auto* share = std::get_if<SegmentOutcome>(&transaction)) {
                TRY(include(*share, static_cast<std::uint32_t>(height_ - share->round - 1)));
                continue;
            }
            const auto& checked = std::get<CheckedTransaction>(transaction);
            TRY_ASSIGN(const auto admitted,
                       widen(admit_transaction(state_, checked, context, tally_)));
            TRY(widen(apply_transaction(state_, admitted, context, tally_)));
        }
        return {};
    }

    Result<void, StoreError> start_round() {
        const SegmentOutcome& winner = outcome_.winner;
        Round round = round_of(header_, context_.parent_time_ms);
        round.segments.push_back({winner.template_hash, winner.id});
        state_.put(round_key(height_), round);
        state_.put(contribution_key(winner.id), contribution_of(winner, 0));
        state_.put(pending_round_key(), PendingRound{height_, winner.task, winner.id});
        return pay_.add_winner(winner);
    }

    // User tasks whose budget is trained, or which can't pay the hits of another block, end.
    Result<void, StoreError> end_tasks() {
        TRY_ASSIGN(const auto list, read_entry<TaskList>(state_, task_list_key()));
        if (!list) return {};
        for (const std::uint32_t task : list->active) {
            TRY_ASSIGN(const auto record, require_entry<TaskRecord>(state_, task_key(task)));
            TRY_ASSIGN(const auto progress,
                       require_entry<TaskProgress>(state_, progress_key(task)));
            TRY_ASSIGN(const auto account,
                       require_entry<TaskAccount>(state_, task_account_key(task)));
            const auto hits = checked_mul(record.pay_per_hit, context_.params.work.hits_per_win);
            if (progress.units_claimed >= record.unit_budget) {
                TRY(end_task(state_, task, TaskStatus::completed, height_));
            } else if (!hits || account.escrow < *hits) {
                TRY(end_task(state_, task, TaskStatus::exhausted, height_));
            }
        }
        return {};
    }

    // A task whose units would be dead, diverged or degenerate is drawn no more; the genesis task
    // starts again from parameters drawn anew.
    Result<void, StoreError> probe() {
        static const TaggedHasher seeds("gradient/probe");
        static const TaggedHasher redraws("gradient/redraw");
        const Hash256& parent = header_.tmpl.parent;
        const std::uint32_t id = header_.tmpl.task;
        const SharedTask task = context_.tasks.find(id);
        CHECK(task);
        const auto counts = context_.trainers.trainer_of(task).probe_unit(
            *outcome_.start.parameters, seeds(parent).bytes);
        if (counts && counts->is_healthy()) return {};
        if (id != kGenesisTask) {
            TRY_ASSIGN(const auto account,
                       require_entry<TaskAccount>(state_, task_account_key(id)));
            if (account.status != TaskStatus::active) return {};
            return end_task(state_, id, TaskStatus::suspended, height_);
        }
        TaskRecord redrawn = task->record;
        redrawn.initial_seed = redraws(parent);
        return restart_task(redrawn);
    }

    Result<void, StoreError> restart_task(const TaskRecord& record) {
        const auto theta = initial_parameters(record);
        state_.set(model_key(record.id), std::make_shared<const Bytes>(encode_parameters(theta)));
        TRY_ASSIGN(auto progress, require_entry<TaskProgress>(state_, progress_key(record.id)));
        progress.model_digest = model_digest(theta);
        state_.put(progress_key(record.id), progress);
        state_.erase(momentum_key(record.id));
        state_.erase(reference_key(record.id));
        state_.erase(history_key(record.id));
        TRY_ASSIGN(const auto late, read_entry<LateList>(state_, late_list_key(record.id)));
        if (late) {
            for (const Hash256& segment : late->segments) state_.erase(late_key(segment));
            state_.erase(late_list_key(record.id));
        }
        // The round that this block ends started from the dead model: it is paid, not settled.
        state_.erase(pending_round_key());
        return {};
    }

    State state_;
    const Header& header_;
    const BlockOutcome& outcome_;
    const TransitionContext& context_;
    std::uint64_t height_;
    BlockPay pay_;
    BlockTally tally_;
};

}  // namespace

Result<StateDiff, ApplyFailure> apply_block(const StateView& parent, const Header& header,
                                            const BlockOutcome& outcome,
                                            const TransitionContext& context) {
    return Transition(parent, header, outcome, context).run();
}

Result<std::uint32_t, StoreError> draw_task(const StateView& view, const Hash256& block,
                                            const ConsensusParams& params) {
    static const TaggedHasher hasher("gradient/task-draw");
    TRY_ASSIGN(const auto list, read_entry<TaskList>(view, task_list_key()));
    if (!list || list->active.empty()) return kGenesisTask;
    std::vector<std::uint64_t> weights;
    std::uint64_t users = 0;
    for (const std::uint32_t task : list->active) {
        TRY_ASSIGN(const auto record, require_entry<TaskRecord>(view, task_key(task)));
        weights.push_back(std::min(record.pay_per_hit, params.task_weight).units());
        users += weights.back();
    }
    // User tasks have at most half of the blocks, and one alone its full weight's worth only.
    const std::uint64_t genesis = std::max(users, params.task_weight.units());
    const Hash256 draw = hasher(block);
    Reader reader(draw.bytes);
    const auto number = read_integer<std::uint64_t>(reader);
    CHECK(number);
    __extension__ using Wide = unsigned __int128;
    auto place = static_cast<std::uint64_t>(Wide{*number} * (genesis + users) >> 64U);
    if (place < genesis) return kGenesisTask;
    place -= genesis;
    for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
        if (place < weights[i]) return list->active[i];
        place -= weights[i];
    }
    return list->active.back();
}

}  // namespace gradient::chain
