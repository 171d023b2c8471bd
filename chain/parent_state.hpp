#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/network.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_view.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/key_value.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/work/lane.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gradient::chain {

/// The way from one block to another through the block tree.
struct BranchPath {
    std::vector<Hash256> undone;  ///< from the first block down to above the fork
    std::vector<Hash256> redone;  ///< from above the fork up to the second block
};

/// The way from the tip to a stored block. The active chain must be the tip's.
[[nodiscard]] Result<BranchPath, StoreError> path_from_tip(const KeyValueView& store,
                                                           const Hash256& tip, const Hash256& to);

/// What the header rules ask of a parent. Its index is all it takes: a header is judged before any
/// state is loaded.
[[nodiscard]] ParentContext make_parent_context(const Network& network, const Hash256& id,
                                                const BlockIndex& index);

/// Everything by which a block's children are made and judged: a snapshot, so that any thread may
/// use it while the ledger moves on.
class ParentState {
  public:
    /// The state after block `id`, which must be stored.
    [[nodiscard]] static Result<std::shared_ptr<const ParentState>, StoreError> at(
        std::shared_ptr<const Network> network, const KeyValueStore& store, const Hash256& tip,
        const Hash256& id);

    [[nodiscard]] const Network& network() const noexcept { return *network_; }
    [[nodiscard]] const Hash256& id() const noexcept { return context_.id; }
    [[nodiscard]] const BlockIndex& index() const noexcept { return index_; }
    [[nodiscard]] std::uint64_t height() const noexcept { return index_.height(); }

    /// The state after the block.
    [[nodiscard]] const StateView& state() const noexcept { return state_; }
    /// theta_0 of the lanes that start on the block.
    [[nodiscard]] const LaneStart& start() const noexcept { return start_; }
    /// What the header rules ask of a parent.
    [[nodiscard]] const ParentContext& context() const noexcept { return context_; }

    /// Root of the state that a diff leads to from here.
    [[nodiscard]] Result<Hash256, StoreError> root_after(const StateDiff& diff) const;
    /// Proof of what stands under a key in the state after the block.
    [[nodiscard]] Result<StateProof, StoreError> prove(ByteSpan key) const;

  private:
    ParentState(std::shared_ptr<const Network> network, BlockIndex index,
                std::shared_ptr<const KeyValueView> snapshot, StateDiff from_tip,
                const ParentContext& context, LaneStart start);

    std::shared_ptr<const Network> network_;
    BlockIndex index_;
    StoredState stored_;  // the state after the tip of the snapshot
    StateDiff from_tip_;  // leads from there to the block's
    OverlayView state_;
    ParentContext context_;
    LaneStart start_;
};

}  // namespace gradient::chain
