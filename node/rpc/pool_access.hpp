#pragma once

#include "node/ledger/ledger_service.hpp"
#include "node/rpc/transaction_service.hpp"

namespace gradient::node {

/// The pool of a ledger service, as the RPC sees it. `ledger` must outlive it.
[[nodiscard]] PoolAccess pool_access(LedgerService& ledger);

}  // namespace gradient::node
