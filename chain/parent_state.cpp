#include "chain/parent_state.hpp"

#include "chain/base/check.hpp"
#include "chain/pruning.hpp"
#include "chain/state/entries.hpp"
#include "chain/transition/settle_task.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

// What is stored of an undone block undoes it, and of a redone one redoes it.
Result<StateDiff, StoreError> diff_along(const BlockReader& reader, const BranchPath& path) {
    CombinedDiff combined;
    for (const auto* ids : {&path.undone, &path.redone}) {
        for (const Hash256& id : *ids) {
            TRY_ASSIGN(StateDiff diff, reader.require_diff(id));
            combined.add(std::move(diff));
        }
    }
    return std::move(combined).take();
}

Result<BranchPath, StoreError> path_from_tip(const KeyValueView& store, const Hash256& tip,
                                             const Hash256& to) {
    const BlockReader reader(store);
    BranchPath path;
    Hash256 fork = to;
    std::uint64_t fork_height = 0;
    for (;;) {
        TRY_ASSIGN(const BlockIndex index, reader.require_index(fork));
        fork_height = index.height();
        TRY_ASSIGN(const auto active, reader.active_at(fork_height));
        if (active == fork) break;
        path.redone.push_back(fork);
        fork = index.header.tmpl.parent;
    }
    std::reverse(path.redone.begin(), path.redone.end());
    TRY_ASSIGN(const KeptHistory kept, reader.kept());
    if (fork != tip && fork_height + 1 < kept.undo) return fail(pruned(fork, fork_height, kept));
    for (Hash256 id = tip; id != fork;) {
        path.undone.push_back(id);
        TRY_ASSIGN(const BlockIndex index, reader.require_index(id));
        id = index.header.tmpl.parent;
    }
    return path;
}

ParentContext make_parent_context(const Hash256& id, const BlockIndex& index) {
    ParentContext context;
    context.id = id;
    context.height = index.height();
    context.time_ms = index.header.tmpl.time_ms;
    context.history_root = index.history.root();
    context.task = index.child_task;
    context.unit_work = index.child_unit_work;
    return context;
}

ParentState::ParentState(std::shared_ptr<const Network> network, BlockIndex index,
                         std::shared_ptr<const KeyValueView> snapshot, StateDiff from_tip,
                         const ParentContext& context, SharedTask task, TaskSet tasks,
                         LaneStart start)
    : network_(std::move(network)),
      index_(std::move(index)),
      stored_(std::move(snapshot)),
      from_tip_(std::move(from_tip)),
      state_(stored_, from_tip_),
      context_(context),
      task_(std::move(task)),
      tasks_(std::move(tasks)),
      start_(std::move(start)) {}

Result<std::shared_ptr<const ParentState>, StoreError> ParentState::at(
    std::shared_ptr<const Network> network, const KeyValueStore& store, const Hash256& tip,
    const Hash256& id, LedgerTools& tools) {
    const auto snapshot = store.snapshot();
    const BlockReader reader(*snapshot);
    TRY_ASSIGN(BlockIndex index, reader.require_index(id));
    TRY_ASSIGN(const BranchPath path, path_from_tip(*snapshot, tip, id));
    TRY_ASSIGN(StateDiff from_tip, diff_along(reader, path));

    const StoredState stored(snapshot);
    const OverlayView state(stored, from_tip);
    const ParentContext context = make_parent_context(id, index);
    TRY_ASSIGN(const auto pending, read_entry<PendingRound>(state, pending_round_key()));
    std::vector<std::uint32_t> needed{context.task};
    if (pending) needed.push_back(pending->task);
    TRY_ASSIGN(TaskSet tasks, load_tasks(state, needed, tools.catalog));
    const SettlementContext settlement{network->params(), tasks, tools.trainers};
    TRY_ASSIGN(auto start,
               lane_start(state, context.task, id, {}, Contributions(state), settlement));
    CHECK(start);  // an empty list is always of the round
    SharedTask task = tasks.find(context.task);
    return std::shared_ptr<const ParentState>(
        new ParentState(std::move(network), std::move(index), snapshot, std::move(from_tip),
                        context, std::move(task), std::move(tasks), *std::move(start)));
}

Result<std::optional<LaneStart>, StoreError> ParentState::start_with(
    std::span<const SegmentOutcome> listed, Trainers& trainers) const {
    if (listed.empty()) return start_;
    Contributions contributions(state_);
    std::vector<Hash256> ids;
    for (const SegmentOutcome& outcome : listed) {
        contributions.add(outcome);
        ids.push_back(outcome.id);
    }
    const SettlementContext settlement{network_->params(), tasks_, trainers};
    return lane_start(state_, context_.task, context_.id, ids, contributions, settlement);
}

Result<Hash256, StoreError> ParentState::root_after(const StateDiff& diff) const {
    TRY_ASSIGN(const StateTree tree, tree_after(diff));
    return tree.root();
}

Result<StateTree, StoreError> ParentState::tree_after(const StateDiff& diff) const {
    StateTree tree(stored_);
    TRY(tree.apply(from_tip_));
    TRY(tree.apply(diff));
    return tree;
}

Result<StateProof, StoreError> ParentState::prove(ByteSpan key) const {
    StateTree tree(stored_);
    TRY(tree.apply(from_tip_));
    return tree.prove(key);
}

}  // namespace gradient::chain
