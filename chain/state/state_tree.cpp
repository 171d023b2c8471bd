#include "chain/state/state_tree.hpp"

#include "chain/base/check.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace gradient::chain {

namespace {

// Where the part that goes right begins in a list sorted by path, all of it below `depth`.
template <class Leaf>
std::size_t split_at(std::span<const Leaf> sorted, std::size_t depth) noexcept {
    const auto goes_left = [depth](const Leaf& leaf) { return !path_bit(leaf.path, depth); };
    return static_cast<std::size_t>(std::partition_point(sorted.begin(), sorted.end(), goes_left) -
                                    sorted.begin());
}

Hash256 hash_of(const std::optional<TreeNode>& node) noexcept {
    return node ? node->hash() : Hash256{};
}

}  // namespace

TreePosition TreePosition::child(bool right) const noexcept {
    DCHECK(depth < kMaxTreeDepth);
    TreePosition below{static_cast<std::uint16_t>(depth + 1), prefix};
    if (right) {
        below.prefix.bytes[depth / 8U] |= static_cast<std::uint8_t>(0x80U >> (depth % 8U));
    }
    return below;
}

Hash256 TreeNode::hash() const noexcept {
    return is_leaf ? state_leaf_hash(first, second) : state_branch_hash(first, second);
}

Result<void, StoreError> StateTree::apply(const StateDiff& diff) {
    std::vector<LeafChange> changes;
    changes.reserve(diff.writes.size());
    for (const StateWrite& write : diff.writes) {
        LeafChange change{state_path(write.key), std::nullopt};
        if (write.value) change.value_hash = state_value_hash(*write.value);
        changes.push_back(change);
    }
    std::sort(changes.begin(), changes.end(),
              [](const LeafChange& a, const LeafChange& b) { return a.path < b.path; });
    TRY(update(TreePosition{}, changes));
    return {};
}

Result<Hash256, StoreError> StateTree::root() const {
    TRY_ASSIGN(const std::optional<TreeNode> top, load(TreePosition{}));
    return hash_of(top);
}

Result<StateProof, StoreError> StateTree::prove(ByteSpan key) const {
    const Hash256 path = state_path(key);
    StateProof proof;
    TreePosition position;
    TRY_ASSIGN(std::optional<TreeNode> node, load(position));
    while (node && !node->is_leaf) {
        const bool right = path_bit(path, position.depth);
        const Hash256& next = right ? node->second : node->first;
        proof.siblings.push_back(right ? node->first : node->second);
        position = position.child(right);
        if (next.is_zero()) return proof;
        TRY_ASSIGN(node, require(position));
    }
    if (node) proof.leaf = StateLeaf{node->first, node->second};
    return proof;
}

StateTree::Subtree StateTree::load(const TreePosition& position) const {
    const auto found = changes_.find(position);
    return found != changes_.end() ? Subtree(found->second) : base_.node(position);
}

StateTree::Subtree StateTree::require(const TreePosition& position) const {
    TRY_ASSIGN(auto node, load(position));
    if (!node) {
        return fail(StoreError{StoreFault::corrupt,
                               "stored state tree lacks a node at depth " +
                                   std::to_string(position.depth) +
                                   "; restore the data directory from a copy, or delete it and let "
                                   "the chain be fetched again"});
    }
    return node;
}

std::optional<TreeNode> StateTree::set(const TreePosition& position, std::optional<TreeNode> node) {
    changes_[position] = node;
    return node;
}

StateTree::Subtree StateTree::update(const TreePosition& position, LeafChanges changes) {
    TRY_ASSIGN(const std::optional<TreeNode> node, load(position));
    if (changes.empty()) return node;
    if (node && !node->is_leaf) return update_branch(position, *node, changes);

    std::vector<StateLeaf> leaves;
    bool replaced = false;
    for (const LeafChange& change : changes) {
        if (node && change.path == node->first) replaced = true;
        if (change.value_hash) leaves.push_back({change.path, *change.value_hash});
    }
    if (node && !replaced) {
        const StateLeaf kept{node->first, node->second};
        const auto place = std::lower_bound(
            leaves.begin(), leaves.end(), kept,
            [](const StateLeaf& a, const StateLeaf& b) { return a.path < b.path; });
        leaves.insert(place, kept);
    }
    return build(position, leaves);
}

StateTree::Subtree StateTree::update_branch(const TreePosition& position, const TreeNode& branch,
                                            LeafChanges changes) {
    const std::size_t middle = split_at(changes, position.depth);
    TreeNode updated = branch;
    // Each side: its new hash, and its node where that is known.
    std::optional<TreeNode> lone;
    const auto visit = [&](bool right, LeafChanges part) -> Result<void, StoreError> {
        if (part.empty()) return {};
        TRY_ASSIGN(const std::optional<TreeNode> child, update(position.child(right), part));
        (right ? updated.second : updated.first) = hash_of(child);
        return {};
    };
    TRY(visit(false, changes.first(middle)));
    TRY(visit(true, changes.subspan(middle)));

    if (updated.first.is_zero() && updated.second.is_zero()) return set(position, std::nullopt);
    if (updated.first.is_zero() || updated.second.is_zero()) {
        // One side is left: a lone leaf moves up to where it is alone.
        const TreePosition below = position.child(updated.first.is_zero());
        TRY_ASSIGN(lone, require(below));
        if (lone->is_leaf) {
            set(below, std::nullopt);
            return set(position, lone);
        }
    }
    return set(position, updated);
}

std::optional<TreeNode> StateTree::build(const TreePosition& position,
                                         std::span<const StateLeaf> leaves) {
    if (leaves.empty()) return set(position, std::nullopt);
    if (leaves.size() == 1) {
        return set(position, TreeNode{true, leaves.front().path, leaves.front().value_hash});
    }
    const std::size_t middle = split_at(leaves, position.depth);
    const auto side = [&](bool right, std::span<const StateLeaf> part) {
        return part.empty() ? Hash256{} : hash_of(build(position.child(right), part));
    };
    const Hash256 left = side(false, leaves.first(middle));
    const Hash256 right = side(true, leaves.subspan(middle));
    return set(position, TreeNode{false, left, right});
}

}  // namespace gradient::chain
