#pragma once

#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/consensus/params.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/types/block.hpp"
#include "model/task.hpp"

#include <memory>
#include <vector>

namespace gradient::chain {

/// What the rules for a block's body need to know of the state after its parent.
struct BlockContext {
    Hash256 state_root;
    LaneStart start;  ///< theta_0 of the lanes that start on the parent
};

/// A block of which only the replays are left to check. Cheap to copy.
class CheckedBlock {
  public:
    [[nodiscard]] const Block& block() const noexcept { return *block_; }
    [[nodiscard]] const std::shared_ptr<const Block>& shared_block() const noexcept {
        return block_;
    }
    [[nodiscard]] const CheckedHeader& header() const noexcept { return header_; }
    [[nodiscard]] const Hash256& id() const noexcept { return header_.id(); }
    /// The winner's segment, whose replays prove the block.
    [[nodiscard]] const CheckedSegment& winner() const noexcept { return winner_; }

  private:
    CheckedBlock(const CheckedHeader& header, std::shared_ptr<const Block> block,
                 CheckedSegment winner) noexcept;
    friend Result<CheckedBlock, RuleError> check_block(const CheckedHeader&,
                                                       std::shared_ptr<const Block>,
                                                       const BlockContext&, const ConsensusParams&);
    CheckedHeader header_;
    std::shared_ptr<const Block> block_;
    CheckedSegment winner_;
};

/// A block that satisfies every rule: what is left is to apply it.
class ProvenBlock {
  public:
    [[nodiscard]] const Block& block() const noexcept { return checked_.block(); }
    [[nodiscard]] const CheckedBlock& checked() const noexcept { return checked_; }
    [[nodiscard]] const CheckedHeader& header() const noexcept { return checked_.header(); }
    [[nodiscard]] const Hash256& id() const noexcept { return checked_.id(); }
    /// The winner's segment with its final parameters.
    [[nodiscard]] const ProvenSegment& winner() const noexcept { return winner_; }

  private:
    ProvenBlock(CheckedBlock checked, ProvenSegment winner) noexcept;
    friend Result<ProvenBlock, RuleError> prove_block(const CheckedBlock&,
                                                      std::vector<ReplayedUnit>);
    friend Result<ProvenBlock, RuleError> verify_block(const CheckedBlock&, model::Trainer&);
    CheckedBlock checked_;
    ProvenSegment winner_;
};

/// Rules that need only block and header: sizes, roots, what may be in a block today.
[[nodiscard]] Result<void, BlockError> check_block_form(const Block& block,
                                                        const ConsensusParams& params);

/// Every rule for a block that needs no replay, cheapest first. Precondition: `header` is the
/// block's.
[[nodiscard]] Result<CheckedBlock, RuleError> check_block(const CheckedHeader& header,
                                                          std::shared_ptr<const Block> block,
                                                          const BlockContext& context,
                                                          const ConsensusParams& params);

/// Joins the replays of the winner's openings, one of each, in any order.
[[nodiscard]] Result<ProvenBlock, RuleError> prove_block(const CheckedBlock& block,
                                                         std::vector<ReplayedUnit> replays);

/// All replays in turn on one trainer.
[[nodiscard]] Result<ProvenBlock, RuleError> verify_block(const CheckedBlock& block,
                                                          model::Trainer& trainer);

}  // namespace gradient::chain
