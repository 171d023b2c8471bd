#include "chain/transition/settle_task.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"
#include "chain/work/digests.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

namespace gradient::chain {

namespace {

using Parameters = std::vector<std::int32_t>;

Result<Parameters, StoreError> read_parameters(const StateView& view, const StateKey& key) {
    TRY_ASSIGN(const StateValue bytes, view.get(key));
    if (!bytes) return Parameters();
    auto parameters = decode_parameters(*bytes);
    if (!parameters) return fail(bad_entry(key, "it has no whole number of parameters"));
    return *std::move(parameters);
}

// What earlier settlements of a task left: nothing at first.
Result<SettlementHistory, StoreError> read_history(const StateView& view, std::uint32_t task) {
    const StateKey key = history_key(task);
    TRY_ASSIGN(auto history, read_entry<SettlementHistory>(view, key));
    if (!history) return SettlementHistory();
    if (!is_possible(*history)) return fail(bad_entry(key, "no settlement leaves such numbers"));
    return *std::move(history);
}

// Winner, listed and late contributions of the pending round, in this order.
Result<std::optional<std::vector<LoadedContribution>>, StoreError> gather(
    const StateView& view, const PendingRound& pending, std::span<const Hash256> listed,
    const Contributions& contributions, std::size_t parameters) {
    std::vector<LoadedContribution> gathered;
    const auto add = [&](const Hash256& id) -> Result<bool, StoreError> {
        TRY_ASSIGN(auto found, contributions.find(id, parameters));
        if (!found || found->round != pending.round || found->task != pending.task) return false;
        found->lateness = 0;
        gathered.push_back(*std::move(found));
        return true;
    };
    TRY_ASSIGN(const bool has_winner, add(pending.winner));
    if (!has_winner) return fail(bad_entry(contribution_key(pending.winner), "it is missing"));
    std::set<Hash256> seen{pending.winner};
    for (const Hash256& id : listed) {
        if (!seen.insert(id).second) return std::nullopt;
        TRY_ASSIGN(const bool has_listed, add(id));
        if (!has_listed) return std::nullopt;
    }
    TRY_ASSIGN(const auto late, read_entry<LateList>(view, late_list_key(pending.task)));
    if (!late) return gathered;
    for (const Hash256& id : late->segments) {
        TRY_ASSIGN(const auto entry, require_entry<Contribution>(view, late_key(id)));
        TRY_ASSIGN(auto loaded, load_contribution(entry, late_key(id), parameters));
        gathered.push_back(std::move(loaded));
    }
    return gathered;
}

// Squared error of a model on the draw that belongs to a block.
class HeldOutDraw {
  public:
    HeldOutDraw(const Hash256& block, const SettlementContext& context, const SharedTask& task)
        : trainer_(context.trainers.trainer_of(task)) {
        static const TaggedHasher hasher("gradient/held-out");
        const std::uint64_t sequences = task->data->held_out_sequences(task->record.shape.rows);
        const Hash256 draw = hasher(block);
        Reader reader(draw.bytes);
        const auto number = read_integer<std::uint64_t>(reader);
        CHECK(number && sequences > 0);  // a task without held-out rows can't be created
        first_ = *number % sequences;
        count_ = std::min<std::uint64_t>(context.params.held_out_sequences, sequences);
    }

    [[nodiscard]] std::int64_t error_of(std::span<const std::int32_t> model) {
        const auto evaluation = trainer_.evaluate(model, first_, count_);
        CHECK(evaluation);  // length and range are those of the state's models
        return evaluation->squared_error;
    }

  private:
    model::Trainer& trainer_;
    std::uint64_t first_ = 0;
    std::uint64_t count_ = 0;
};

void count_round(TaskProgress& progress, std::span<const LoadedContribution> segments,
                 bool skipped) noexcept {
    progress.settled_rounds += 1;
    progress.skipped_rounds += skipped ? 1 : 0;
    progress.segments += segments.size();
    for (const LoadedContribution& segment : segments) {
        progress.units_claimed += segment.units;
        progress.units_entered += skipped ? 0 : segment.units;
        progress.hits += segment.hits;
    }
}

SettlementRules rules_of(const TaskRecord& task, const ConsensusParams& params) noexcept {
    // A unit moves each matrix by its clip at most, and a hit takes units_per_hit units or more.
    const std::uint64_t clips = std::uint64_t{task.shape.x_clip} + task.shape.y_clip;
    return {params.full_pay_units, clips * params.work.units_per_hit};
}

}  // namespace

Result<bool, StoreError> is_list_of_round(std::span<const Hash256> listed, std::uint64_t round,
                                          const Contributions& contributions) {
    if (std::set<Hash256>(listed.begin(), listed.end()).size() != listed.size()) return false;
    for (const Hash256& id : listed) {
        TRY_ASSIGN(const auto its_round, contributions.round_of(id));
        if (its_round != round) return false;
    }
    return true;
}

Result<std::optional<TaskSettlement>, StoreError> settle_pending(const StateView& view,
                                                                 const PendingRound& pending,
                                                                 const Hash256& parent,
                                                                 std::span<const Hash256> listed,
                                                                 const Contributions& contributions,
                                                                 const SettlementContext& context) {
    const std::uint32_t id = pending.task;
    const SharedTask task = context.tasks.find(id);
    CHECK(task);
    TRY_ASSIGN(const Parameters theta, require_parameters(view, model_key(id)));
    TRY_ASSIGN(const Parameters momentum, read_parameters(view, momentum_key(id)));
    TRY_ASSIGN(Parameters reference, read_parameters(view, reference_key(id)));
    TRY_ASSIGN(const SettlementHistory history, read_history(view, id));
    TRY_ASSIGN(const auto gathered, gather(view, pending, listed, contributions, theta.size()));
    if (!gathered) return std::nullopt;

    std::vector<SettledSegment> segments;
    for (const LoadedContribution& one : *gathered) {
        segments.push_back({one.hits, one.paid_units, one.lateness, *one.delta});
    }
    SettledRound settled =
        settle_round(theta, momentum, history, segments, rules_of(task->record, context.params));

    TaskSettlement result;
    result.task = id;
    TRY_ASSIGN(result.progress, require_entry<TaskProgress>(view, progress_key(id)));
    HeldOutDraw draw(parent, context, task);
    const bool has_reference = !reference.empty();
    if (!has_reference) reference = theta;
    const std::int64_t reference_error = draw.error_of(reference);
    std::int64_t error = draw.error_of(settled.theta);
    result.skipped = !step_is_acceptable(error, reference_error);
    if (result.skipped) {
        settled.theta = theta;
        settled.momentum.clear();
        error = draw.error_of(theta);
    }
    count_round(result.progress, *gathered, result.skipped);
    result.theta = std::move(settled.theta);
    result.momentum = std::move(settled.momentum);
    result.history = std::move(settled.history);
    if (result.progress.settled_rounds % kReferenceInterval == 0 &&
        reference_moves(error, reference_error)) {
        result.reference = result.theta;
    } else if (!has_reference) {
        result.reference = std::move(reference);
    }
    return result;
}

Result<std::optional<LaneStart>, StoreError> lane_start(const StateView& view, std::uint32_t task,
                                                        const Hash256& parent,
                                                        std::span<const Hash256> listed,
                                                        const Contributions& contributions,
                                                        const SettlementContext& context) {
    TRY_ASSIGN(const auto pending, read_entry<PendingRound>(view, pending_round_key()));
    if (!pending && !listed.empty()) return std::nullopt;
    if (pending && pending->task == task) {
        TRY_ASSIGN(auto settled,
                   settle_pending(view, *pending, parent, listed, contributions, context));
        if (!settled) return std::nullopt;
        return LaneStart(std::make_shared<const Parameters>(std::move(settled->theta)));
    }
    TRY_ASSIGN(const bool fits,
               is_list_of_round(listed, pending ? pending->round : 0, contributions));
    const bool has_winner =
        pending && std::find(listed.begin(), listed.end(), pending->winner) != listed.end();
    if (!fits || has_winner) return std::nullopt;
    TRY_ASSIGN(Parameters theta, require_parameters(view, model_key(task)));
    return LaneStart(std::make_shared<const Parameters>(std::move(theta)));
}

Result<void, StoreError> write_settlement(State& state, const TaskSettlement& settlement,
                                          std::uint64_t height) {
    const std::uint32_t task = settlement.task;
    const auto put = [&](const StateKey& key, const Parameters& parameters) {
        state.set(key, std::make_shared<const Bytes>(encode_parameters(parameters)));
    };
    put(model_key(task), settlement.theta);
    if (!settlement.momentum.empty()) {
        put(momentum_key(task), settlement.momentum);
    } else {
        state.erase(momentum_key(task));
    }
    if (settlement.reference) put(reference_key(task), *settlement.reference);
    state.put(history_key(task), settlement.history);
    TaskProgress progress = settlement.progress;
    progress.model_digest = model_digest(settlement.theta);
    progress.last_height = height;
    state.put(progress_key(task), progress);
    TRY_ASSIGN(const auto late, read_entry<LateList>(state, late_list_key(task)));
    if (late) {
        for (const Hash256& segment : late->segments) state.erase(late_key(segment));
        state.erase(late_list_key(task));
    }
    state.erase(pending_round_key());
    return {};
}

}  // namespace gradient::chain
