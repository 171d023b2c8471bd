#include "node/rpc/views.hpp"

#include "chain/crypto/address.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace gradient::node {

namespace json = boost::json;

json::value score_view(const std::optional<model::Evaluation>& score) {
    if (!score) return nullptr;
    return {{"brier", score->brier()}, {"accuracy", score->accuracy()}, {"rows", score->rows}};
}

json::value optional_view(const std::optional<double>& number) {
    return number ? json::value(*number) : json::value(nullptr);
}

json::object block_view(const LedgerService& service, const chain::BlockIndex& index,
                        const chain::Hash256& id, const chain::Block* body) {
    const auto& tmpl = index.header.tmpl;
    const auto odds = odds_of(index, service.network());
    const bool genesis = tmpl.height == 0;
    json::object view{
        {"height", tmpl.height},
        {"id", id.to_hex()},
        {"parent", tmpl.parent.to_hex()},
        {"time_ms", tmpl.time_ms},
        {"bits", fmt::format("{:08x}", tmpl.bits)},
        {"task", tmpl.task},
        {"units", index.header.units},
        {"hits", index.hits},
        {"replayed", index.replayed_units},
        {"win_probability", odds.win},
        {"hit_probability", odds.hit},
        {"held_out", score_view(service.evaluator().score_of(tmpl.height, id))},
        {"loss", optional_view(service.loss_of(id))},
        {"miner", nullptr},
        {"lane", tmpl.lane},
        {"cumulative_work", index.cumulative_work.to_decimal()},
        {"state_root", index.state_root.to_hex()},
    };
    if (!genesis)
        view["miner"] = chain::to_text(chain::address_of(tmpl.miner), chain::kDefaultAddressPrefix);
    if (body != nullptr) {
        view["loss"] = optional_view(training_loss(*body, service.network()));
        view["size_bytes"] = chain::encode(*body).size();
        view["transactions"] = body->transactions.size();
        view["listed_segments"] = body->listed.size();
        json::array opened;
        for (const auto& opening : body->winner.openings) opened.push_back(opening.unit);
        view["opened_units"] = std::move(opened);
    }
    return view;
}

json::object mining_view(const MiningCounters& counters, std::uint64_t unit_work) {
    return {
        {"active", counters.active},
        {"units_per_second", counters.units_per_second},
        {"flops", counters.units_per_second * static_cast<double>(unit_work)},
        {"units_computed", counters.units_computed},
        {"units_in_blocks", counters.units_in_blocks},
        {"units_abandoned", counters.units_abandoned},
        {"units_in_progress", counters.units_in_progress},
        {"units_waiting", counters.units_waiting},
        {"hits", counters.hits},
        {"blocks", counters.blocks},
        {"shares", counters.shares},
        {"useful_fraction", optional_view(counters.useful_fraction())},
        {"restart_ms_last", optional_view(counters.restart_ms_last)},
        {"restart_ms_median", optional_view(counters.restart_ms_median)},
    };
}

json::object audit_view(const AuditStatus& status) {
    return {
        {"fraction", status.fraction},
        {"segments_waiting", status.waiting},
        {"bytes_waiting", status.waiting_bytes},
        {"segments_running", status.running},
        {"segments_audited", status.segments},
        {"units_replayed", status.units},
        {"segments_dropped", status.dropped},
        {"proofs_found", status.proofs},
        {"proofs_unannounced", status.accusations.unannounced},
        {"commitments_pending", status.accusations.committed},
        {"cases_open", status.accusations.open_cases},
        {"proofs_revealed", status.accusations.revealed},
    };
}

json::object figures_view(const ChainFigures& figures) {
    return {
        {"units", figures.units()},
        {"hits", figures.hits()},
        {"units_replayed", figures.replayed()},
        {"units_estimated_from_hits", figures.units_from_hits()},
        {"units_estimated_from_wins", figures.units_from_wins()},
        {"useful_fraction", optional_view(figures.useful_fraction())},
        {"useful_fraction_error", optional_view(figures.useful_fraction_error())},
        {"verification_ratio", optional_view(figures.verification_ratio())},
    };
}

}  // namespace gradient::node
