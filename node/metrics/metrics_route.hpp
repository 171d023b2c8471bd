#pragma once

#include "node/audit/audit_service.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/mining/miner.hpp"
#include "node/network/peer_service.hpp"
#include "node/rpc/http_routes.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace gradient::node {

/// What the metrics tell of.
struct MetricsSources {
    LedgerService& ledger;
    const Miner& miner;
    const AuditService& audits;
    const PeerService& peers;
    std::function<bool()> is_mining;  ///< on the ledger's strand
    std::string version;
    std::string engine;  ///< that makes the products
    std::filesystem::path database;
};

/// GET /metrics for Prometheus; all of its figures are of one moment on the ledger's strand. What
/// the sources refer to must outlive it.
[[nodiscard]] HttpRoute metrics_route(MetricsSources sources);

}  // namespace gradient::node
