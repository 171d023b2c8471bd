#pragma once

// The state tree of many leaves at once, when they come sorted by path: one pass, and no more
// memory than a path is deep.

#include "chain/base/bytes.hpp"
#include "chain/state/state_proof.hpp"
#include "chain/state/state_tree.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace gradient::chain {

/// Builds the tree that StateTree would have of the same leaves, and gives out each node once.
class StateTreeBuilder {
  public:
    using Sink = std::function<void(const TreePosition& position, const TreeNode& node)>;

    explicit StateTreeBuilder(Sink sink) : sink_(std::move(sink)) {}

    /// Takes the next leaf. Precondition: its path is above the last one's.
    void add(const StateLeaf& leaf);

    /// The root, once all leaves have been taken.
    [[nodiscard]] Hash256 finish();

  private:
    // A left half whose right half is still to come.
    struct Half {
        std::size_t depth = 0;  // of the branch
        Hash256 hash;
    };

    Hash256 close(std::size_t depth);

    Sink sink_;
    std::optional<StateLeaf> last_;
    std::size_t leaf_depth_ = 0;  // where the last leaf must be at least
    std::vector<Half> open_;
};

}  // namespace gradient::chain
