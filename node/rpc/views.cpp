#include "node/rpc/views.hpp"

#include "chain/crypto/address.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace gradient::node {

namespace json = boost::json;

json::value score_view(const std::optional<model::Evaluation>& score) {
    if (!score) return nullptr;
    return {{"brier", score->brier()}, {"accuracy", score->accuracy()}, {"rows", score->rows}};
}

Schema score_schema() {
    return schema::nullable(schema::object({{"brier", schema::number(), "0 is perfect"},
                                            {"accuracy", schema::number()},
                                            {"rows", schema::whole(), "that were scored"}}));
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
        view["late_shares"] = std::count_if(
            body->transactions.begin(), body->transactions.end(), [](const auto& each) {
                return std::holds_alternative<chain::ShareTransaction>(each.content);
            });
        view["listed_segments"] = body->listed.size();
        json::array opened;
        for (const auto& opening : body->winner.openings) opened.push_back(opening.unit);
        view["opened_units"] = std::move(opened);
    }
    return view;
}

Schema block_schema() {
    using schema::sometimes;
    return schema::object({
        {"height", schema::whole()},
        {"id", schema::hash()},
        {"parent", schema::hash()},
        {"time_ms", schema::whole(), "milliseconds since 1970"},
        {"bits", schema::text(), "the win target, compact"},
        {"task", schema::whole(), "that its winner trained"},
        {"units", schema::whole(), "that the block adds"},
        {"hits", schema::whole()},
        {"replayed", schema::whole(), "units that verifying it replays"},
        {"win_probability", schema::number(), "of a unit"},
        {"hit_probability", schema::number(), "of a unit"},
        {"held_out", score_schema(), "of the model after the block"},
        {"loss", schema::nullable(schema::number()), "squared error a row of the opened units"},
        {"miner", schema::nullable(schema::address()), "null: of the genesis block"},
        {"lane", schema::whole()},
        {"cumulative_work", schema::text(), "a whole number in decimal"},
        {"state_root", schema::hash()},
        sometimes("size_bytes", schema::whole()),
        sometimes("transactions", schema::whole(), "their number"),
        sometimes("late_shares", schema::whole()),
        sometimes("listed_segments", schema::whole()),
        sometimes("opened_units", schema::list(schema::whole())),
    });
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

Schema mining_schema() {
    return schema::object({
        {"active", schema::boolean()},
        {"units_per_second", schema::number(), "over the last minute"},
        {"flops", schema::number(), "floating-point operations a second"},
        {"units_computed", schema::whole()},
        {"units_in_blocks", schema::whole()},
        {"units_abandoned", schema::whole()},
        {"units_in_progress", schema::whole()},
        {"units_waiting", schema::whole(), "of shares that wait to be included"},
        {"hits", schema::whole()},
        {"blocks", schema::whole(), "won, on the active chain"},
        {"shares", schema::whole(), "on the active chain"},
        {"useful_fraction", schema::nullable(schema::number())},
        {"restart_ms_last", schema::nullable(schema::number()),
         "from a new tip to the first unit on it"},
        {"restart_ms_median", schema::nullable(schema::number())},
    });
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

Schema audit_schema() {
    return schema::object({
        {"fraction", schema::number(), "of the others' segments"},
        {"segments_waiting", schema::whole()},
        {"bytes_waiting", schema::whole()},
        {"segments_running", schema::whole()},
        {"segments_audited", schema::whole()},
        {"units_replayed", schema::whole()},
        {"segments_dropped", schema::whole()},
        {"proofs_found", schema::whole()},
        {"proofs_unannounced", schema::whole()},
        {"commitments_pending", schema::whole()},
        {"cases_open", schema::whole()},
        {"proofs_revealed", schema::whole()},
    });
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

Schema figures_schema() {
    return schema::object({
        {"units", schema::whole()},
        {"hits", schema::whole()},
        {"units_replayed", schema::whole()},
        {"units_estimated_from_hits", schema::number()},
        {"units_estimated_from_wins", schema::number()},
        {"useful_fraction", schema::nullable(schema::number())},
        {"useful_fraction_error", schema::nullable(schema::number())},
        {"verification_ratio", schema::nullable(schema::number())},
    });
}

}  // namespace gradient::node
