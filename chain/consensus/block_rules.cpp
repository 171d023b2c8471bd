#include "chain/consensus/block_rules.hpp"

#include "chain/base/codec.hpp"

namespace gradient::chain {

Result<void, BlockError> check_block_form(const Block& block, const ConsensusParams& params) {
    const Template& tmpl = block.header.tmpl;
    if (block.winner.units() != block.header.units) return fail(BlockError::wrong_unit_count);
    if (encoded_size(block) > params.max_block_bytes) return fail(BlockError::too_large);
    if (transaction_root(block.transactions) != tmpl.transaction_root) {
        return fail(BlockError::wrong_transaction_root);
    }
    return {};
}

}  // namespace gradient::chain
