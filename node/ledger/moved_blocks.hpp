#pragma once

#include "chain/base/bytes.hpp"
#include "chain/types/block.hpp"

#include <memory>
#include <vector>

namespace gradient::node {

/// The blocks that a change of the tip has moved, loaded once for all who follow the chain.
struct MovedBlocks {
    struct One {
        chain::Hash256 id;
        std::shared_ptr<const chain::Block> block;
    };
    std::vector<One> undone;  ///< from the old tip down
    std::vector<One> redone;  ///< upward; the last one is the new tip
};

}  // namespace gradient::node
