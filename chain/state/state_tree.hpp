#pragma once

// The tree behind the state root, kept incrementally: every leaf and branch is stored under its
// place, and an update touches only the paths of what changed.

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_proof.hpp"
#include "chain/state/store_error.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace gradient::chain {

/// A node's place: its depth, and the bits that lead to it followed by zeros.
struct TreePosition {
    std::uint16_t depth = 0;
    Hash256 prefix;

    friend auto operator<=>(const TreePosition&, const TreePosition&) = default;

    /// The place below, on the side that `path` takes.
    [[nodiscard]] TreePosition child(bool right) const noexcept;
};

/// A stored node: a leaf with its path and value hash, or a branch with its children's hashes.
struct TreeNode {
    static constexpr std::size_t kEncodedSize = 65;

    bool is_leaf = false;
    Hash256 first;   ///< path, or left child's hash
    Hash256 second;  ///< value hash, or right child's hash

    friend bool operator==(const TreeNode&, const TreeNode&) = default;
    static auto fields(auto& self) { return std::tie(self.is_leaf, self.first, self.second); }

    [[nodiscard]] Hash256 hash() const noexcept;
};

/// Where nodes come from.
class NodeView {
  public:
    NodeView() = default;
    NodeView(const NodeView&) = delete;
    NodeView& operator=(const NodeView&) = delete;
    virtual ~NodeView() = default;

    [[nodiscard]] virtual Result<std::optional<TreeNode>, StoreError> node(
        const TreePosition& position) const = 0;
};

/// A tree without nodes, to start from.
class EmptyTree final : public NodeView {
  public:
    [[nodiscard]] Result<std::optional<TreeNode>, StoreError> node(
        const TreePosition&) const override {
        return std::nullopt;
    }
};

/// A state tree under change: stored nodes and what has changed on top of them.
class StateTree {
  public:
    /// Changed nodes by place; nothing where a node has gone.
    using Changes = std::map<TreePosition, std::optional<TreeNode>>;

    /// `base` must outlive the tree.
    explicit StateTree(const NodeView& base) noexcept : base_(base) {}

    /// Applies a diff's writes. After an error the tree is of no further use.
    [[nodiscard]] Result<void, StoreError> apply(const StateDiff& diff);

    [[nodiscard]] Result<Hash256, StoreError> root() const;

    /// The proof of what stands under a key.
    [[nodiscard]] Result<StateProof, StoreError> prove(ByteSpan key) const;

    [[nodiscard]] const Changes& changes() const noexcept { return changes_; }
    [[nodiscard]] Changes take_changes() && noexcept { return std::move(changes_); }

  private:
    // A leaf to be set, or removed if there is no value hash.
    struct LeafChange {
        Hash256 path;
        std::optional<Hash256> value_hash;
    };
    using LeafChanges = std::span<const LeafChange>;
    using Subtree = Result<std::optional<TreeNode>, StoreError>;

    Subtree load(const TreePosition& position) const;
    Subtree require(const TreePosition& position) const;
    Subtree update(const TreePosition& position, LeafChanges changes);
    Subtree update_branch(const TreePosition& position, const TreeNode& branch,
                          LeafChanges changes);
    std::optional<TreeNode> build(const TreePosition& position, std::span<const StateLeaf> leaves);
    std::optional<TreeNode> set(const TreePosition& position, std::optional<TreeNode> node);

    const NodeView& base_;
    Changes changes_;
};

}  // namespace gradient::chain
