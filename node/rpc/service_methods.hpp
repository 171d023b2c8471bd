#pragma once

#include "node/rpc/json_rpc.hpp"
#include "node/rpc/transaction_service.hpp"

namespace gradient::node {

// Methods about accounts, transactions, tasks and proofs. The service must outlive the dispatcher.

/// account_show, account_history.
void add_account_methods(RpcDispatcher& dispatcher, TransactionService& service);

/// fee_rates, transaction_submit, transaction_show, transaction_wait, chunk_known.
void add_transaction_methods(RpcDispatcher& dispatcher, TransactionService& service);

/// task_list, task_show.
void add_task_methods(RpcDispatcher& dispatcher, TransactionService& service);

/// subscribe, unsubscribe.
void add_event_methods(RpcDispatcher& dispatcher);

/// proof_account, proof_task, proof_model.
void add_proof_methods(RpcDispatcher& dispatcher, TransactionService& service);

/// Blocks of the active chain, from the tip down, in which transactions are looked for.
inline constexpr std::uint64_t kMaxSearchBlocks = 2'000;
/// Of them, those looked at in one go on the ledger's strand.
inline constexpr std::uint64_t kSearchStep = 32;
/// Entries that account_history gives at most, and unless told otherwise.
inline constexpr std::uint64_t kMaxHistoryCount = 500;
inline constexpr std::uint64_t kDefaultHistoryCount = 20;
/// Longest that transaction_wait waits (milliseconds).
inline constexpr std::uint64_t kMaxTransactionWaitMs = 60'000;
/// Tasks that task_list gives at most.
inline constexpr std::uint64_t kMaxTaskCount = 500;

}  // namespace gradient::node
