#include "node/metrics/metrics_route.hpp"

#include "node/ledger/chain_figures.hpp"
#include "node/metrics/metrics_page.hpp"
#include "node/metrics/process_metrics.hpp"

#include <array>
#include <system_error>
#include <utility>

namespace gradient::node {

namespace {

constexpr double kMsPerSecond = 1000;

std::optional<double> seconds(const std::optional<double>& milliseconds) {
    return milliseconds ? std::optional(*milliseconds / kMsPerSecond) : std::nullopt;
}

double number(std::uint64_t count) {
    return static_cast<double>(count);
}

void add_chain(MetricsPage& page, const LedgerService& ledger) {
    const auto& tip = ledger.tip()->index();
    const auto& figures = ledger.figures();
    const auto odds = odds_of(tip, ledger.network());
    page.gauge("gradient_chain_height", "Height of the tip.", number(tip.height()));
    page.gauge("gradient_chain_tip_time_seconds", "Time in the tip's header, since 1970.",
               number(tip.header.tmpl.time_ms) / kMsPerSecond);
    page.gauge("gradient_chain_interval_seconds", "Time between blocks that difficulty aims at.",
               number(ledger.network().params().interval_ms) / kMsPerSecond);
    page.gauge("gradient_chain_win_probability", "Odds that a unit of the tip's lane wins.",
               odds.win);
    page.gauge("gradient_chain_units", "Training units in the active chain.",
               number(figures.units()));
    page.gauge("gradient_chain_segments", "Segments in the active chain.",
               number(figures.segments()));
    page.gauge("gradient_chain_hits", "Hits in the active chain.", number(figures.hits()));
    page.gauge("gradient_chain_units_replayed",
               "Units of the active chain that this node replayed.", number(figures.replayed()));
    page.gauge("gradient_chain_useful_fraction",
               "Units in the chain over all that the network computed, estimated from its wins.",
               figures.useful_fraction());
    page.gauge("gradient_chain_useful_fraction_error", "Standard error of that estimate.",
               figures.useful_fraction_error());
    page.gauge("gradient_chain_verification_ratio", "Units replayed over units claimed.",
               figures.verification_ratio());
    page.gauge("gradient_chain_progress_efficiency",
               "Progress beside one sequential lane of as many units, where it is known.",
               figures.progress_efficiency());
}

void add_model(MetricsPage& page, const LedgerService& ledger) {
    const std::vector<MetricsPage::Label> task{
        {"task", std::to_string(ledger.network().task->record.id)}};
    page.gauge("gradient_model_unit_work_flops", "Floating-point operations that a unit claims.",
               number(ledger.network().task->unit_work), task);
    const auto score = ledger.evaluator().score_of(*ledger.tip());
    if (!score) return;
    page.gauge("gradient_model_held_out_brier", "Brier score of the tip's model; 0 is perfect.",
               score->brier(), task);
    page.gauge("gradient_model_held_out_accuracy", "Its accuracy on the held-out rows.",
               score->accuracy(), task);
}

void add_pools(MetricsPage& page, const LedgerService& ledger) {
    page.gauge("gradient_mempool_transactions", "Transactions that wait for a block.",
               number(ledger.mempool().size()));
    page.gauge("gradient_mempool_bytes", "Their size.", number(ledger.mempool().size_bytes()));
    page.gauge("gradient_share_pool_shares", "Shares that wait for a block.",
               number(ledger.share_pool().size()));
    page.gauge("gradient_share_pool_bytes", "Their size.",
               number(ledger.share_pool().size_bytes()));
}

void add_mining(MetricsPage& page, const MiningCounters& mining, unsigned lanes, bool is_on,
                std::uint64_t unit_work) {
    page.gauge("gradient_mining_enabled", "Whether mining is switched on.", is_on ? 1 : 0);
    page.gauge("gradient_mining_active", "Whether lanes run.", mining.active ? 1 : 0);
    page.gauge("gradient_mining_lanes", "Lanes that are mined on.", lanes);
    page.gauge("gradient_mining_units_per_second", "Units of the last minute.",
               mining.units_per_second);
    page.gauge("gradient_mining_flops", "Floating-point operations a second that they claim.",
               mining.units_per_second * number(unit_work));
    page.counter("gradient_mining_units_computed_total", "Units run on lanes.",
                 number(mining.units_computed));
    page.counter("gradient_mining_hits_total", "Units whose ticket was a hit.",
                 number(mining.hits));
    // A reorganisation moves units from one to another: none of these only rises.
    constexpr std::string_view kFateHelp = "Units by what became of them.";
    const std::array fates{std::pair("in_blocks", mining.units_in_blocks),
                           std::pair("abandoned", mining.units_abandoned),
                           std::pair("in_progress", mining.units_in_progress),
                           std::pair("waiting", mining.units_waiting)};
    for (const auto& [fate, units] : fates)
        page.gauge("gradient_mining_units", kFateHelp, number(units), {{"fate", fate}});
    page.gauge("gradient_mining_blocks", "Blocks won that are on the active chain.",
               number(mining.blocks));
    page.gauge("gradient_mining_shares", "Shares that the active chain has included.",
               number(mining.shares));
    page.gauge("gradient_mining_useful_fraction", "Units in blocks over units whose fate is known.",
               mining.useful_fraction());
    page.gauge("gradient_mining_restart_seconds",
               "From a new tip to the first unit on it, median of the last hundred.",
               seconds(mining.restart_ms_median));
}

void add_verification(MetricsPage& page, const LedgerService& ledger, const AuditStatus& audit) {
    page.counter("gradient_verification_units_replayed_total", "Units replayed to judge blocks.",
                 number(ledger.block_replays()));
    page.counter("gradient_audit_segments_total", "Segments audited.", number(audit.segments));
    page.counter("gradient_audit_units_replayed_total", "Units replayed in audits.",
                 number(audit.units));
    page.counter("gradient_audit_segments_dropped_total",
                 "Segments drawn for an audit for which there was no room or no time.",
                 number(audit.dropped));
    page.counter("gradient_audit_proofs_total", "False units found.", number(audit.proofs));
    page.gauge("gradient_audit_segments_waiting", "Segments whose audit has not begun.",
               number(audit.waiting));
    page.gauge("gradient_audit_segments_running", "Audits under way.", number(audit.running));
}

void add_peers(MetricsPage& page, const PeerService& peers) {
    const auto figures = peers.figures();
    constexpr std::string_view kPeersHelp = "Connected peers.";
    page.gauge("gradient_p2p_peers", kPeersHelp, number(figures.inbound),
               {{"direction", "inbound"}});
    page.gauge("gradient_p2p_peers", kPeersHelp, number(figures.outbound),
               {{"direction", "outbound"}});
    page.gauge("gradient_p2p_known_addresses", "Addresses in the book.",
               number(figures.known_addresses));
    page.gauge("gradient_p2p_bans", "Addresses that are banned.", number(figures.bans));
    constexpr std::string_view kBytesHelp = "Bytes of frames.";
    page.counter("gradient_p2p_bytes_total", kBytesHelp, number(figures.bytes_sent),
                 {{"direction", "sent"}});
    page.counter("gradient_p2p_bytes_total", kBytesHelp, number(figures.bytes_received),
                 {{"direction", "received"}});
    for (const auto& [type, count] : figures.messages_received) {
        page.counter("gradient_p2p_messages_received_total", "Messages by type.", number(count),
                     {{"type", type}});
    }
    for (const auto& [fault, count] : figures.penalties) {
        page.counter("gradient_p2p_penalties_total", "Faults held against peers.", number(count),
                     {{"fault", fault}});
    }
    const auto report = peers.why_stuck();
    page.gauge("gradient_sync_state", "What the node is doing: 1 for that state.", 1,
               {{"state", report.state}});
    page.gauge("gradient_sync_stuck", "Whether nothing has moved for longer than is usual.",
               report.is_stuck ? 1 : 0);
}

// Files that LevelDB removes meanwhile count for nothing.
void add_storage(MetricsPage& page, const std::filesystem::path& database) {
    namespace fs = std::filesystem;
    std::error_code error;
    double bytes = 0;
    for (fs::directory_iterator at(database, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code gone;
        const auto size = at->file_size(gone);
        if (!gone) bytes += number(size);
    }
    page.gauge("gradient_storage_database_bytes", "Size of the database's files.", bytes);
    const auto space = fs::space(database, error);
    if (!error) {
        page.gauge("gradient_storage_free_bytes", "Room that its file system has left.",
                   number(space.available));
    }
}

}  // namespace

HttpRoute metrics_route(MetricsSources sources) {
    auto collect = [sources](LedgerService& ledger) {
        MetricsPage page;
        page.gauge("gradient_build_info", "The program and the network; always 1.", 1,
                   {{"version", sources.version},
                    {"network", ledger.network().spec.name},
                    {"engine", sources.engine}});
        add_chain(page, ledger);
        add_model(page, ledger);
        add_pools(page, ledger);
        add_mining(page, sources.miner.counters(), sources.miner.lanes(), sources.is_mining(),
                   ledger.network().task->unit_work);
        add_verification(page, ledger, sources.audits.status());
        add_peers(page, sources.peers);
        return page;
    };
    return {boost::beast::http::verb::get, "/metrics",
            [sources, collect](HttpRequest) -> Task<HttpAnswer> {
                MetricsPage page = co_await sources.ledger.on_strand(collect);
                add_storage(page, sources.database);
                add_process_metrics(page);
                co_return HttpAnswer{boost::beast::http::status::ok,
                                     "text/plain; version=0.0.4; charset=utf-8", page.text()};
            }};
}

}  // namespace gradient::node
