#pragma once

// What a block does to the state (chain/SPEC.md, "State transition"). At height n, in this order:
//
//   1  the round that block n-1 ended is settled into its task's model
//   2  pay that matures at n is added to its owners' accounts
//   3  transactions: none yet
//   4  the block's own segment becomes its task's pending round
//   5  the miner's pay for block n is minted, to mature at n + maturity_blocks

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/block_rules.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_view.hpp"
#include "chain/types/header.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/targets.hpp"

#include <cstdint>
#include <span>

namespace gradient::chain {

/// What a verified block's own segment contributes.
struct WinnerOutcome {
    Hash256 segment;  ///< id
    std::uint32_t hits = 0;
    std::uint32_t units = 0;                   ///< K
    std::span<const std::int32_t> parameters;  ///< theta_K
    Targets targets;                           ///< of the lane, for its pay
};

/// The outcome of a proven block; it refers into the block.
[[nodiscard]] WinnerOutcome outcome_of(const ProvenBlock& block) noexcept;

/// theta_0 of the lanes that start on a block: the task's model after settling the round that the
/// block ended. `view` is the state after that block, `task` the task they train.
[[nodiscard]] Result<LaneStart, StoreError> lane_start(const StateView& view, std::uint32_t task,
                                                       const ConsensusParams& params);

/// The diff from the state after the parent to the state after the block. Precondition: the block
/// was verified against `parent`, and `outcome` is its winner's. Fails only if the state is
/// damaged.
[[nodiscard]] Result<StateDiff, StoreError> apply_block(const StateView& parent,
                                                        const Header& header,
                                                        const WinnerOutcome& outcome,
                                                        const ConsensusParams& params);

/// The task that the children of a block train, drawn from the block's id. One task so far.
[[nodiscard]] std::uint32_t draw_task(const Hash256& parent) noexcept;

}  // namespace gradient::chain
