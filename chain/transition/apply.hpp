#pragma once

// What a block does to the state (chain/SPEC.md section 16). At height n, in this order:
//
//   1  the round of block n is archived, round n - kRoundWindow is forgotten
//   2  the round that block n-1 ended is settled with the listed segments, which are paid
//   3  pay that matures at n is added to its owners' accounts; ended tasks are refunded; fraud
//      commitments and cases whose time is over are closed
//   4  transactions, late shares among them
//   5  the block's own segment becomes the pending round
//   6  pay of the block is minted, to mature at n + maturity_blocks
//   7  user tasks that are trained or can't pay another block end; the probe unit judges the task

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_view.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "chain/transition/segment_outcome.hpp"
#include "chain/transition/settle_task.hpp"
#include "chain/types/header.hpp"
#include "chain/work/lane.hpp"

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace gradient::chain {

/// A block as the state transition sees it: every rule that needs no state after the parent but
/// this block's own changes has been checked.
struct BlockOutcome {
    SegmentOutcome winner;
    LaneStart start;                     ///< of the winner's lane
    std::vector<SegmentOutcome> listed;  ///< in the block's order
    /// Signed transactions and late shares in the block's order.
    std::vector<std::variant<CheckedTransaction, SegmentOutcome>> transactions;
    std::optional<TaskSettlement> settlement;  ///< of the pending round, if there is one
};

/// What a transition takes beside state and block.
struct TransitionContext {
    const ConsensusParams& params;
    Hash256 genesis;  ///< id of the genesis block
    std::uint32_t network_id = 0;
    std::uint64_t parent_time_ms = 0;
    const TaskSet& tasks;
    Trainers& trainers;
};

/// Why a block can't be applied: a rule that only shows against the state before it, or a state
/// that can't be read.
using ApplyFailure = std::variant<RuleError, StoreError>;

/// The diff from the state after the parent to the state after the block.
[[nodiscard]] Result<StateDiff, ApplyFailure> apply_block(const StateView& parent,
                                                          const Header& header,
                                                          const BlockOutcome& outcome,
                                                          const TransitionContext& context);

/// The task that the children of a block train, drawn from the block's id among the tasks that are
/// active after it (chain/SPEC.md section 16).
[[nodiscard]] Result<std::uint32_t, StoreError> draw_task(const StateView& view,
                                                          const Hash256& block,
                                                          const ConsensusParams& params);

}  // namespace gradient::chain
