#pragma once

#include "chain/state/state_diff.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/state/state_view.hpp"
#include "chain/storage/key_value.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace gradient::chain {

/// The state after the tip, and its tree, as a store or a snapshot of one holds them.
class StoredState final : public StateView, public NodeView {
  public:
    explicit StoredState(std::shared_ptr<const KeyValueView> view) noexcept;

    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override;
    [[nodiscard]] Result<std::optional<TreeNode>, StoreError> node(
        const TreePosition& position) const override;

    /// Visits every entry in key order; false ends the visit.
    [[nodiscard]] Result<void, StoreError> scan(
        const std::function<bool(const StateKey& key, ByteSpan value)>& visit) const;

    /// Number of stored tree nodes.
    [[nodiscard]] Result<std::size_t, StoreError> count_nodes() const;

  private:
    std::shared_ptr<const KeyValueView> view_;
};

/// Adds a diff's writes to a batch.
void put_state_diff(WriteBatch& batch, const StateDiff& diff);

/// Adds one node of the tree to a batch.
void put_tree_node(WriteBatch& batch, const TreePosition& position, const TreeNode& node);

/// Adds a tree's changed nodes to a batch.
void put_tree_changes(WriteBatch& batch, const StateTree::Changes& changes);

/// Leaves of a tree that is yet to be built, kept in the order of their paths (chain/snapshot.cpp).
void put_leaf(WriteBatch& batch, const StateLeaf& leaf);
void erase_leaf(WriteBatch& batch, const StateLeaf& leaf);

/// Visits every such leaf, paths ascending; false ends the visit.
[[nodiscard]] Result<void, StoreError> scan_leaves(
    const KeyValueView& view, const std::function<bool(const StateLeaf& leaf)>& visit);

}  // namespace gradient::chain
