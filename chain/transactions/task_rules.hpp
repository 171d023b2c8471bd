#pragma once

// The life of a user task: created, funded and cancelled by transactions, ended by whichever rule
// says so, refunded when no share of it can come any more (chain/SPEC.md section 21).

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_view.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "chain/types/task.hpp"
#include "chain/types/transaction.hpp"

#include <cstdint>

namespace gradient::chain {

/// The tasks under training; none if there is no entry.
[[nodiscard]] Result<TaskList, StoreError> read_task_list(const StateView& view);

/// The record of the task that a transaction creates in a block on `parent`.
[[nodiscard]] TaskRecord task_record_of(std::uint32_t id, const CreateTask& action,
                                        const Hash256& transaction, const Hash256& parent);

/// Whether a user task may have this shape: ranges, the largest unit, and room for a lane.
[[nodiscard]] bool is_task_shape(const AttentionShape& shape,
                                 const ConsensusParams& params) noexcept;

/// Rules of these actions that need no state.
[[nodiscard]] Result<void, TransactionError> check_task(const CreateTask& action,
                                                        const ConsensusParams& params) noexcept;
[[nodiscard]] Result<void, TransactionError> check_task(const FundTask& action) noexcept;

/// Rules against a state. `tally`: of the block so far.
[[nodiscard]] Result<void, TransactionFailure> admit_task(const StateView& view,
                                                          const CheckedTransaction& transaction,
                                                          const CreateTask& action,
                                                          const TransactionContext& context,
                                                          const BlockTally& tally);
[[nodiscard]] Result<void, TransactionFailure> admit_task(const StateView& view,
                                                          const FundTask& action);
[[nodiscard]] Result<void, TransactionFailure> admit_task(const StateView& view,
                                                          const CheckedTransaction& transaction,
                                                          const CancelTask& action);

/// What the actions change beside the sender's account. Precondition: admitted.
[[nodiscard]] Result<void, StoreError> apply_task(State& state,
                                                  const CheckedTransaction& transaction,
                                                  const CreateTask& action,
                                                  const TransactionContext& context,
                                                  BlockTally& tally);
[[nodiscard]] Result<void, StoreError> apply_task(State& state, const FundTask& action);
[[nodiscard]] Result<void, StoreError> apply_task(State& state, const CancelTask& action,
                                                  const TransactionContext& context);

/// Ends an active task in the block of that height: from then on it is not drawn, and waits for its
/// refund. Precondition: the task is active, and `status` is not.
[[nodiscard]] Result<void, StoreError> end_task(State& state, std::uint32_t task, TaskStatus status,
                                                std::uint64_t height);

/// Pays what is left of their escrows to the owners of the tasks that ended kRefundDelay or more
/// blocks before `height`, and forgets what only further rounds would need: momentum, reference,
/// history and late contributions. Record, progress, model, data and account stay for ever. Once a
/// block; that it comes before the block's shares does no harm, since the last round of a task that
/// ended in block n is that of block n, and its last late share comes kMaxLateness + 1 later.
[[nodiscard]] Result<void, StoreError> refund_ended_tasks(State& state, std::uint64_t height);

}  // namespace gradient::chain
