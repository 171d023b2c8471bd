#pragma once

#include "node/audit/audit_service.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/mining/miner.hpp"
#include "node/network/history_check.hpp"
#include "node/network/peer_service.hpp"
#include "node/rpc/json_rpc.hpp"
#include "node/rpc/transaction_service.hpp"

#include <functional>
#include <optional>
#include <string>

namespace gradient::node {

/// What the methods act on. All of it must outlive the dispatcher.
struct RpcContext {
    LedgerService& ledger;
    Miner& miner;
    AuditService& audits;
    TransactionService& transactions;
    PeerService& peers;
    std::string engine;                    ///< name of the product engine
    unsigned threads = 0;                  ///< of the worker pool
    std::function<void(bool)> set_mining;  ///< called on the ledger's strand
    std::function<bool()> is_mining;       ///< the same; lanes rest for a moment at each new tip
    std::function<void()> stop;            ///< asks the node to end
    /// How far the history before a snapshot is verified; nothing if there was no snapshot, or it
    /// has been verified in an earlier run.
    std::function<std::optional<HistoryCheck::Status>()> history;
};

/// Heights that chain_list gives at most, and unless told otherwise.
inline constexpr std::uint64_t kMaxListCount = 500;
inline constexpr std::uint64_t kDefaultListCount = 20;
/// Longest that wait_block waits (milliseconds).
inline constexpr std::uint64_t kMaxWaitMs = 60'000;

/// Adds every method of the node's interface.
void add_methods(RpcDispatcher& dispatcher, const RpcContext& context);

}  // namespace gradient::node
