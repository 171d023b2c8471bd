#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/network.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/state/state_view.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/key_value.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/transition/segment_outcome.hpp"
#include "chain/work/lane.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace gradient::chain {

/// The way from one block to another through the block tree.
struct BranchPath {
    std::vector<Hash256> undone;  ///< from the first block down to above the fork
    std::vector<Hash256> redone;  ///< from above the fork up to the second block
};

/// The way from the tip to a stored block. The active chain must be the tip's. Fails with
/// StoreFault::pruned if the fork lies below the last undo diff that is kept.
[[nodiscard]] Result<BranchPath, StoreError> path_from_tip(const KeyValueView& store,
                                                           const Hash256& tip, const Hash256& to);

/// The diff that leads from the state after the tip to the one at the end of the path.
[[nodiscard]] Result<StateDiff, StoreError> diff_along(const BlockReader& reader,
                                                       const BranchPath& path);

/// What the header rules ask of a parent. Its index is all it takes: a header is judged before any
/// state is loaded.
[[nodiscard]] ParentContext make_parent_context(const Hash256& id, const BlockIndex& index);

/// What the ledger keeps at hand to make states and judge on its own thread.
struct LedgerTools {
    TaskCatalog catalog;
    OwnTrainers trainers;
};

/// Everything by which a block's children are made and judged: a snapshot, so that any thread may
/// use it while the ledger moves on.
class ParentState {
  public:
    /// The state after block `id`, which must be stored.
    [[nodiscard]] static Result<std::shared_ptr<const ParentState>, StoreError> at(
        std::shared_ptr<const Network> network, const KeyValueStore& store, const Hash256& tip,
        const Hash256& id, LedgerTools& tools);

    [[nodiscard]] const Network& network() const noexcept { return *network_; }
    [[nodiscard]] const Hash256& id() const noexcept { return context_.id; }
    [[nodiscard]] const BlockIndex& index() const noexcept { return index_; }
    [[nodiscard]] std::uint64_t height() const noexcept { return index_.height(); }

    /// The state after the block.
    [[nodiscard]] const StateView& state() const noexcept { return state_; }
    /// theta_0 of the lanes that start on the block and list nothing.
    [[nodiscard]] const LaneStart& start() const noexcept { return start_; }
    /// theta_0 of lanes that list these shares, all of the round that the block ended. Nothing if
    /// one is not.
    [[nodiscard]] Result<std::optional<LaneStart>, StoreError> start_with(
        std::span<const SegmentOutcome> listed, Trainers& trainers) const;
    /// The task that lanes on the block train.
    [[nodiscard]] const SharedTask& task() const noexcept { return task_; }
    /// What the header rules ask of a parent.
    [[nodiscard]] const ParentContext& context() const noexcept { return context_; }

    /// Root of the state that a diff leads to from here.
    [[nodiscard]] Result<Hash256, StoreError> root_after(const StateDiff& diff) const;
    /// The tree of that state, which reads from here.
    [[nodiscard]] Result<StateTree, StoreError> tree_after(const StateDiff& diff) const;
    /// Whether the changes of such a tree are changes of this block's: it was the tip.
    [[nodiscard]] bool was_tip() const noexcept { return from_tip_.writes.empty(); }
    /// Proof of what stands under a key in the state after the block.
    [[nodiscard]] Result<StateProof, StoreError> prove(ByteSpan key) const;

  private:
    ParentState(std::shared_ptr<const Network> network, BlockIndex index,
                std::shared_ptr<const KeyValueView> snapshot, StateDiff from_tip,
                const ParentContext& context, SharedTask task, TaskSet tasks, LaneStart start);

    std::shared_ptr<const Network> network_;
    BlockIndex index_;
    StoredState stored_;  // the state after the tip of the snapshot
    StateDiff from_tip_;  // leads from there to the block's
    OverlayView state_;
    ParentContext context_;
    SharedTask task_;
    TaskSet tasks_;  // that of the lanes and that of the pending round
    LaneStart start_;
};

}  // namespace gradient::chain
