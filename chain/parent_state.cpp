#include "chain/parent_state.hpp"

#include "chain/transition/apply.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

// The diff that leads from the state after the tip to the one at the end of the path. What is
// stored of an undone block undoes it, and of a redone one redoes it.
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

}  // namespace

Result<BranchPath, StoreError> path_from_tip(const KeyValueView& store, const Hash256& tip,
                                             const Hash256& to) {
    const BlockReader reader(store);
    BranchPath path;
    Hash256 fork = to;
    for (;;) {
        TRY_ASSIGN(const BlockIndex index, reader.require_index(fork));
        TRY_ASSIGN(const auto active, reader.active_at(index.height()));
        if (active == fork) break;
        path.redone.push_back(fork);
        fork = index.header.tmpl.parent;
    }
    std::reverse(path.redone.begin(), path.redone.end());
    for (Hash256 id = tip; id != fork;) {
        path.undone.push_back(id);
        TRY_ASSIGN(const BlockIndex index, reader.require_index(id));
        id = index.header.tmpl.parent;
    }
    return path;
}

ParentContext make_parent_context(const Network& network, const Hash256& id,
                                  const BlockIndex& index) {
    ParentContext context;
    context.id = id;
    context.height = index.height();
    context.time_ms = index.header.tmpl.time_ms;
    context.history_root = index.history.root();
    context.task = draw_task(id);
    context.unit_work = network.unit_work;
    return context;
}

ParentState::ParentState(std::shared_ptr<const Network> network, BlockIndex index,
                         std::shared_ptr<const KeyValueView> snapshot, StateDiff from_tip,
                         const ParentContext& context, LaneStart start)
    : network_(std::move(network)),
      index_(std::move(index)),
      stored_(std::move(snapshot)),
      from_tip_(std::move(from_tip)),
      state_(stored_, from_tip_),
      context_(context),
      start_(std::move(start)) {}

Result<std::shared_ptr<const ParentState>, StoreError> ParentState::at(
    std::shared_ptr<const Network> network, const KeyValueStore& store, const Hash256& tip,
    const Hash256& id) {
    const auto snapshot = store.snapshot();
    const BlockReader reader(*snapshot);
    TRY_ASSIGN(BlockIndex index, reader.require_index(id));
    TRY_ASSIGN(const BranchPath path, path_from_tip(*snapshot, tip, id));
    TRY_ASSIGN(StateDiff from_tip, diff_along(reader, path));

    const StoredState stored(snapshot);
    const OverlayView state(stored, from_tip);
    const ParentContext context = make_parent_context(*network, id, index);
    TRY_ASSIGN(LaneStart start, lane_start(state, context.task, network->params()));
    return std::shared_ptr<const ParentState>(new ParentState(std::move(network), std::move(index),
                                                              snapshot, std::move(from_tip),
                                                              context, std::move(start)));
}

Result<Hash256, StoreError> ParentState::root_after(const StateDiff& diff) const {
    StateTree tree(stored_);
    TRY(tree.apply(from_tip_));
    TRY(tree.apply(diff));
    return tree.root();
}

Result<StateProof, StoreError> ParentState::prove(ByteSpan key) const {
    StateTree tree(stored_);
    TRY(tree.apply(from_tip_));
    return tree.prove(key);
}

}  // namespace gradient::chain
