#include "chain/consensus/block_rules.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"

#include <utility>

namespace gradient::chain {

CheckedBlock::CheckedBlock(const CheckedHeader& header, std::shared_ptr<const Block> block,
                           CheckedSegment winner) noexcept
    : header_(header), block_(std::move(block)), winner_(std::move(winner)) {}

ProvenBlock::ProvenBlock(CheckedBlock checked, ProvenSegment winner) noexcept
    : checked_(std::move(checked)), winner_(std::move(winner)) {}

Result<void, BlockError> check_block_form(const Block& block, const ConsensusParams& params) {
    const Template& tmpl = block.header.tmpl;
    if (block.winner.units() != block.header.units) return fail(BlockError::wrong_unit_count);
    if (encoded_size(block) > params.max_block_bytes) return fail(BlockError::too_large);
    if (transaction_root(block.transactions) != tmpl.transaction_root) {
        return fail(BlockError::wrong_transaction_root);
    }
    if (!block.transactions.empty()) return fail(BlockError::unexpected_transaction);
    if (tmpl.settle_root != settle_root({})) return fail(BlockError::unexpected_segment);
    if (!block.listed.empty()) return fail(BlockError::wrong_settle_root);
    return {};
}

Result<CheckedBlock, RuleError> check_block(const CheckedHeader& header,
                                            std::shared_ptr<const Block> block,
                                            const BlockContext& context,
                                            const ConsensusParams& params) {
    const Template& tmpl = header.header().tmpl;
    CHECK(block->header == header.header());
    TRY(check_block_form(*block, params));
    if (tmpl.state_root != context.state_root) return fail(BlockError::wrong_state_root);
    const SegmentContext segment{context.start, header.targets(), TicketClass::win,
                                 &header.header().last_digest};
    const std::shared_ptr<const SegmentBody> body(block, &block->winner);
    const auto winner = check_segment(tmpl, {}, body, segment, params);
    if (!winner) return fail(RuleError(winner.error()));
    return CheckedBlock(header, std::move(block), *winner);
}

Result<ProvenBlock, RuleError> prove_block(const CheckedBlock& block,
                                           std::vector<ReplayedUnit> replays) {
    auto winner = prove_segment(block.winner(), std::move(replays));
    if (!winner) return fail(RuleError(winner.error()));
    return ProvenBlock(block, *std::move(winner));
}

Result<ProvenBlock, RuleError> verify_block(const CheckedBlock& block, model::Trainer& trainer) {
    auto winner = verify_segment(block.winner(), trainer);
    if (!winner) return fail(RuleError(winner.error()));
    return ProvenBlock(block, *std::move(winner));
}

}  // namespace gradient::chain
