#include "chain/state/state_tree_builder.hpp"

#include "chain/base/check.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

TreePosition position_of(const Hash256& path, std::size_t depth) {
    TreePosition position{static_cast<std::uint16_t>(depth), {}};
    for (std::size_t bit = 0; bit < depth; ++bit) {
        if (!path_bit(path, bit)) continue;
        position.prefix.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    }
    return position;
}

}  // namespace

// The leaf before stands where it has left both neighbours behind; all that ends there closes up to
// where the new leaf turns right.
void StateTreeBuilder::add(const StateLeaf& leaf) {
    if (last_) {
        CHECK(last_->path < leaf.path);
        const std::size_t fork = common_bits(last_->path, leaf.path);
        leaf_depth_ = std::max(leaf_depth_, fork + 1);
        Hash256 left = close(fork + 1);
        open_.push_back({fork, left});
        leaf_depth_ = fork + 1;
    }
    last_ = leaf;
}

Hash256 StateTreeBuilder::finish() {
    return last_ ? close(0) : Hash256{};
}

// The hash of the subtree at `depth` that ends with the last leaf.
Hash256 StateTreeBuilder::close(std::size_t depth) {
    const TreeNode leaf{true, last_->path, last_->value_hash};
    sink_(position_of(last_->path, leaf_depth_), leaf);
    Hash256 hash = leaf.hash();
    for (std::size_t above = leaf_depth_; above-- > depth;) {
        TreeNode branch;
        if (path_bit(last_->path, above)) {
            branch.second = hash;
            if (!open_.empty() && open_.back().depth == above) {
                branch.first = open_.back().hash;
                open_.pop_back();
            }
        } else {
            branch.first = hash;
        }
        sink_(position_of(last_->path, above), branch);
        hash = branch.hash();
    }
    return hash;
}

}  // namespace gradient::chain
