#pragma once

#include "chain/state/state_tree.hpp"

#include <cstddef>
#include <map>

namespace gradient::chain {

/// Stored nodes of a state tree, in memory.
class MemoryTree final : public NodeView {
  public:
    using Nodes = std::map<TreePosition, TreeNode>;

    [[nodiscard]] Result<std::optional<TreeNode>, StoreError> node(
        const TreePosition& position) const override {
        const auto found = nodes_.find(position);
        if (found == nodes_.end()) return std::nullopt;
        return found->second;
    }

    void store(const StateTree::Changes& changes) {
        for (const auto& [position, node] : changes) {
            if (node) {
                nodes_[position] = *node;
            } else {
                nodes_.erase(position);
            }
        }
    }
    void forget(const TreePosition& position) { nodes_.erase(position); }

    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] const Nodes& nodes() const noexcept { return nodes_; }

  private:
    Nodes nodes_;
};

}  // namespace gradient::chain
