#pragma once

#include "chain/types/block.hpp"
#include "node/audit/audit_service.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/mining/miner.hpp"
#include "node/rpc/schema.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>

namespace gradient::node {

// What the RPC shows of things; all on the ledger's strand. Beside each view what it looks like.

/// A block by its index, and what its body adds if that is at hand. Without it the loss is there
/// only for blocks that joined the chain during this run.
[[nodiscard]] boost::json::object block_view(const LedgerService& service,
                                             const chain::BlockIndex& index,
                                             const chain::Hash256& id, const chain::Block* body);
[[nodiscard]] Schema block_schema();

/// A held-out score, or null.
[[nodiscard]] boost::json::value score_view(const std::optional<model::Evaluation>& score);
[[nodiscard]] Schema score_schema();

/// A number, or null.
[[nodiscard]] boost::json::value optional_view(const std::optional<double>& number);

/// What this process mines.
[[nodiscard]] boost::json::object mining_view(const MiningCounters& counters,
                                              std::uint64_t unit_work);
[[nodiscard]] Schema mining_schema();

/// What this process audits.
[[nodiscard]] boost::json::object audit_view(const AuditStatus& status);
[[nodiscard]] Schema audit_schema();

/// Sums over the active chain.
[[nodiscard]] boost::json::object figures_view(const ChainFigures& figures);
[[nodiscard]] Schema figures_schema();

}  // namespace gradient::node
