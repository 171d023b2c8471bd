#pragma once

#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/types/block.hpp"

namespace gradient::chain {

/// Rules that need only block and header: units, size, transactions. What the rest of a block's
/// rules are is told by chain/verification.hpp.
[[nodiscard]] Result<void, BlockError> check_block_form(const Block& block,
                                                        const ConsensusParams& params);

}  // namespace gradient::chain
