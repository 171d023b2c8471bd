#include "node/rpc/methods.hpp"

#include "chain/state/entries.hpp"
#include "chain/work/digests.hpp"
#include "node/rpc/cookie.hpp"
#include "node/rpc/openrpc.hpp"
#include "node/rpc/peer_methods.hpp"
#include "node/rpc/service_methods.hpp"
#include "node/rpc/transaction_views.hpp"
#include "node/rpc/views.hpp"
#include "node/setup/settings.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace gradient::node {

namespace {

RpcError not_found(const std::string& message) {
    return {RpcErrorCode::not_found, message};
}

// A height in decimal, or an id of 64 hexadecimal digits.
chain::Hash256 find_block(const LedgerService& service, const std::string& name) {
    if (const auto id = chain::Hash256::from_hex(name)) return *id;
    std::uint64_t height = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, height);
    constexpr std::size_t kMaxDigits = 20;
    if (error != std::errc() || stop != end || name.size() > kMaxDigits)
        throw invalid_parameter("block", "must be a height or an id of 64 hexadecimal digits");
    const auto id = require(service.ledger().id_at(height));
    if (!id)
        throw not_found(fmt::format("There is no block at height {}; the tip is at {}.", height,
                                    service.tip()->height()));
    return *id;
}

json::value history_view(const std::optional<HistoryCheck::Status>& status) {
    if (!status) return nullptr;
    return json::object{
        {"verified_height", status->height}, {"of", status->of}, {"verified", status->is_done}};
}

json::value status(LedgerService& service, const RpcContext& context) {
    const auto& network = service.network();
    const auto& tip = service.tip();
    json::object mining = mining_view(context.miner.counters(), network.task->unit_work);
    mining["active"] = context.is_mining();
    mining["lanes"] = context.miner.lanes();
    mining["engine"] = context.engine;
    mining["threads"] = context.threads;
    return json::object{
        {"version", program_version("gradientd")},
        {"network", network.spec.name},
        {"network_id", network.spec.network_id},
        {"genesis", network.genesis.id.to_hex()},
        {"height", tip->height()},
        {"tip", tip->id().to_hex()},
        {"tip_time_ms", tip->index().header.tmpl.time_ms},
        {"state_root", tip->index().state_root.to_hex()},
        {"interval_ms", network.params().interval_ms},
        {"bits", fmt::format("{:08x}", tip->index().header.tmpl.bits)},
        {"unit_work", network.task->unit_work},
        {"model", json::object{{"task", network.task->record.id},
                               {"digest", chain::model_digest(*tip->start().parameters).to_hex()}}},
        {"held_out", score_view(service.evaluator().score_of(*tip))},
        {"mining", std::move(mining)},
        {"audit", audit_view(context.audits.status())},
        {"chain", figures_view(service.figures())},
        {"peers", context.peers.connected()},
        {"history", history_view(context.history())},
        {"sync", stuck_view(context.peers.why_stuck())},
        {"progress_efficiency", optional_view(service.figures().progress_efficiency())},
    };
}

Schema status_schema() {
    const auto mining = schema::merged(
        mining_schema(), schema::object({{"lanes", schema::whole()},
                                         {"engine", schema::text(), "that makes the products"},
                                         {"threads", schema::whole(), "of the worker pool"}}));
    return schema::object({
        {"version", schema::text()},
        {"network", schema::text()},
        {"network_id", schema::whole()},
        {"genesis", schema::hash()},
        {"height", schema::whole()},
        {"tip", schema::hash()},
        {"tip_time_ms", schema::whole(), "milliseconds since 1970"},
        {"state_root", schema::hash()},
        {"interval_ms", schema::whole(), "between two blocks, as aimed at"},
        {"bits", schema::text(), "the win target, compact"},
        {"unit_work", schema::whole(), "floating-point operations of a unit"},
        {"model", schema::object({{"task", schema::whole()}, {"digest", schema::hash()}})},
        {"held_out", score_schema()},
        {"mining", mining},
        {"audit", audit_schema()},
        {"chain", figures_schema()},
        {"peers", schema::whole(), "their number"},
        {"history",
         schema::nullable(schema::object({{"verified_height", schema::whole()},
                                          {"of", schema::whole()},
                                          {"verified", schema::boolean()}})),
         "below the snapshot that the node has started from"},
        {"sync", stuck_schema()},
        {"progress_efficiency", schema::nullable(schema::number())},
    });
}

json::value list_blocks(const LedgerService& service, std::optional<std::uint64_t> start,
                        std::uint64_t count) {
    const std::uint64_t tip = service.tip()->height();
    const std::uint64_t first = start ? *start : tip + 1 - std::min(count, tip + 1);
    json::array blocks;
    for (std::uint64_t height = first; height <= tip && blocks.size() < count; ++height) {
        const auto id = require(service.ledger().id_at(height));
        const auto index = id ? require(service.ledger().index(*id)) : std::nullopt;
        if (index) blocks.push_back(block_view(service, *index, *id, nullptr));
    }
    return json::object{{"tip_height", tip}, {"blocks", std::move(blocks)}};
}

json::value show_block(const LedgerService& service, const std::string& name) {
    const auto id = find_block(service, name);
    const auto index = require(service.ledger().index(id));
    if (!index) throw not_found("There is no block with this id.");
    const auto body = index->height() == 0 ? std::nullopt : require(service.ledger().block(id));
    auto view = block_view(service, *index, id, body ? &*body : nullptr);
    const auto active = require(service.ledger().id_at(index->height()));
    view["active"] = active == id;
    return view;
}

json::value model_parameters(const LedgerService& service) {
    const auto& tip = service.tip();
    const auto& parameters = *tip->start().parameters;
    return json::object{
        {"height", tip->height()},
        {"tip", tip->id().to_hex()},
        {"digest", chain::model_digest(parameters).to_hex()},
        {"encoding", "base64 of little-endian 32-bit integers"},
        {"parameters", base64(chain::encode_parameters(parameters))},
    };
}

Schema parameters_schema() {
    return schema::object({{"height", schema::whole()},
                           {"tip", schema::hash()},
                           {"digest", schema::hash()},
                           {"encoding", schema::text()},
                           {"parameters", schema::text(), "in that encoding"}});
}

void require_task(const LedgerService& service, std::uint64_t wanted) {
    if (wanted != service.network().task->record.id)
        throw not_found(fmt::format("There is no task {}.", wanted));
}

Task<json::value> wait_for_block(LedgerService& ledger, RpcParams params) {
    const auto deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(params.integer("timeout_ms"));
    const bool ready = co_await ledger.wait_for_height(params.integer("height"),
                                                       params.boolean("evaluated"), deadline);
    auto query = [ready](LedgerService& service) -> json::value {
        return json::object{{"ready", ready},
                            {"height", service.tip()->height()},
                            {"tip", service.tip()->id().to_hex()}};
    };
    co_return co_await ledger.on_strand(std::move(query));
}

void add_chain_methods(RpcDispatcher& dispatcher, LedgerService& ledger) {
    dispatcher.add({
        .name = "chain_list",
        .summary = "Blocks of the active chain by ascending height; the newest ones without start.",
        .permission = RpcPermission::read,
        .parameters = {optional("start", schema::whole(), "first height"),
                       optional("count", schema::whole(1, kMaxListCount), "number of blocks",
                                kDefaultListCount)},
        .result = schema::object(
            {{"tip_height", schema::whole()}, {"blocks", schema::list(block_schema())}}),
        .call = [&ledger](RpcParams params) -> Task<json::value> {
            return ledger.on_strand([params](LedgerService& service) {
                std::optional<std::uint64_t> start;
                if (params.has("start")) start = params.integer("start");
                return list_blocks(service, start, params.integer("count"));
            });
        },
    });
    dispatcher.add({
        .name = "chain_show",
        .summary = "One block, with what its body tells.",
        .permission = RpcPermission::read,
        .parameters = {required("block", schema::text(), "height in decimal, or id")},
        .result = schema::merged(
            block_schema(),
            schema::object({{"active", schema::boolean(), "whether it is on the active chain"}})),
        .errors = {RpcErrorCode::not_found},
        .call = [&ledger](RpcParams params) -> Task<json::value> {
            return ledger.on_strand([name = params.text("block")](LedgerService& service) {
                return show_block(service, name);
            });
        },
    });
    dispatcher.add({
        .name = "wait_block",
        .summary = "Waits until the tip has a height.",
        .permission = RpcPermission::read,
        .parameters = {required("height", schema::whole(), "height to wait for"),
                       required("timeout_ms", schema::whole(0, kMaxWaitMs),
                                "longest time to wait, in milliseconds"),
                       optional("evaluated", schema::boolean(),
                                "whether to wait for the block's held-out score too", false)},
        .result = schema::object({{"ready", schema::boolean(), "whether it came in time"},
                                  {"height", schema::whole(), "of the tip"},
                                  {"tip", schema::hash()}}),
        .call = [&ledger](RpcParams params) { return wait_for_block(ledger, std::move(params)); },
    });
}

void add_model_methods(RpcDispatcher& dispatcher, LedgerService& ledger) {
    dispatcher.add({
        .name = "model_parameters",
        .summary = "The parameters that lanes on the tip start from.",
        .permission = RpcPermission::read,
        .parameters = {task_parameter()},
        .result = parameters_schema(),
        .errors = {RpcErrorCode::not_found},
        .call = [&ledger](RpcParams params) -> Task<json::value> {
            return ledger.on_strand([task = params.integer("task")](LedgerService& service) {
                require_task(service, task);
                return model_parameters(service);
            });
        },
    });
}

void add_control_methods(RpcDispatcher& dispatcher, const RpcContext& context) {
    const auto switch_mining = [context](bool on) {
        return [context, on](RpcParams) -> Task<json::value> {
            return context.ledger.on_strand([context, on](LedgerService&) -> json::value {
                context.set_mining(on);
                return json::object{{"mining", on}};
            });
        };
    };
    const Schema mining = schema::object({{"mining", schema::boolean()}});
    dispatcher.add({
        .name = "mine_start",
        .summary = "Starts mining.",
        .permission = RpcPermission::control,
        .result = mining,
        .call = switch_mining(true),
    });
    dispatcher.add({
        .name = "mine_stop",
        .summary = "Stops mining; the node goes on.",
        .permission = RpcPermission::control,
        .result = mining,
        .call = switch_mining(false),
    });
    dispatcher.add({
        .name = "stop",
        .summary = "Ends the node.",
        .permission = RpcPermission::control,
        .result = schema::object({{"stopping", schema::boolean()}}),
        .call = [context](RpcParams) -> Task<json::value> {
            context.stop();
            co_return json::object{{"stopping", true}};
        },
    });
}

void add_status_methods(RpcDispatcher& dispatcher, const RpcContext& context) {
    dispatcher.add({
        .name = "status",
        .summary = "What the node is doing.",
        .permission = RpcPermission::read,
        .result = status_schema(),
        .call = [context](RpcParams) -> Task<json::value> {
            return context.ledger.on_strand(
                [context](LedgerService& service) { return status(service, context); });
        },
    });
    dispatcher.add({
        .name = "audit_status",
        .summary = "What audits of the others' segments have come to since the start.",
        .permission = RpcPermission::read,
        .result = audit_schema(),
        .call = [context](RpcParams) -> Task<json::value> {
            return context.ledger.on_strand([context](LedgerService&) -> json::value {
                return audit_view(context.audits.status());
            });
        },
    });
}

json::value list_methods(const RpcDispatcher& dispatcher) {
    json::array list;
    for (const auto& [name, method] : dispatcher.methods()) {
        json::array parameters;
        for (const auto& parameter : method.parameters) {
            parameters.push_back({{"name", parameter.name},
                                  {"required", parameter.need == RpcParameter::Need::required},
                                  {"meaning", parameter.meaning}});
        }
        list.push_back({{"name", name},
                        {"summary", method.summary},
                        {"permission", permission_name(method.permission)},
                        {"parameters", std::move(parameters)}});
    }
    return list;
}

void add_self_descriptions(RpcDispatcher& dispatcher) {
    const auto parameter = schema::object(
        {{"name", schema::text()}, {"required", schema::boolean()}, {"meaning", schema::text()}});
    dispatcher.add({
        .name = "help",
        .summary = "This list.",
        .permission = RpcPermission::read,
        .result = schema::list(schema::object({{"name", schema::text()},
                                               {"summary", schema::text()},
                                               {"permission", schema::text()},
                                               {"parameters", schema::list(parameter)}})),
        .call = [&dispatcher](RpcParams) -> Task<json::value> {
            co_return list_methods(dispatcher);
        },
    });
    dispatcher.add({
        .name = "rpc.discover",
        .summary = "The OpenRPC document of this interface; also at /openrpc.json.",
        .permission = RpcPermission::read,
        .result = schema::any_object(),
        .call = [&dispatcher](RpcParams) -> Task<json::value> {
            co_return openrpc_document(dispatcher);
        },
    });
}

}  // namespace

void add_methods(RpcDispatcher& dispatcher, const RpcContext& context) {
    add_status_methods(dispatcher, context);
    add_chain_methods(dispatcher, context.ledger);
    add_model_methods(dispatcher, context.ledger);
    add_account_methods(dispatcher, context.transactions);
    add_transaction_methods(dispatcher, context.transactions);
    add_task_methods(dispatcher, context.transactions);
    add_proof_methods(dispatcher, context.transactions);
    add_peer_methods(dispatcher, context.peers);
    add_control_methods(dispatcher, context);
    add_event_methods(dispatcher);
    add_self_descriptions(dispatcher);
}

}  // namespace gradient::node
