#include "node/rpc/methods.hpp"

#include "chain/state/entries.hpp"
#include "chain/work/digests.hpp"
#include "node/rpc/cookie.hpp"
#include "node/rpc/peer_methods.hpp"
#include "node/rpc/service_methods.hpp"
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
RpcError invalid(const std::string& message) {
    return {RpcErrorCode::invalid_params, message};
}

// A height in decimal, or an id of 64 hexadecimal digits.
chain::Hash256 find_block(const LedgerService& service, const std::string& name) {
    if (const auto id = chain::Hash256::from_hex(name)) return *id;
    std::uint64_t height = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, height);
    constexpr std::size_t kMaxDigits = 20;
    if (error != std::errc() || stop != end || name.size() > kMaxDigits)
        throw invalid("block must be a height or an id of 64 hexadecimal digits.");
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

void require_task(const LedgerService& service, const RpcParams& params) {
    const std::uint64_t wanted = params.integer_or("task", chain::kGenesisTask);
    if (wanted != service.network().task->record.id)
        throw not_found(fmt::format("There is no task {}.", wanted));
}

void add_chain_methods(RpcDispatcher& dispatcher, const RpcContext& context) {
    LedgerService& ledger = context.ledger;
    dispatcher.add(
        {"chain_list",
         "Blocks of the active chain by ascending height; the newest ones without start.",
         {{"start", RpcType::integer, false, "first height"},
          {"count", RpcType::integer, false, "number of blocks, 1 to 500; 20 if left out"}},
         [&ledger](RpcParams params) -> Task<json::value> {
             const std::uint64_t count = params.integer_or("count", kDefaultListCount);
             if (count < 1 || count > kMaxListCount) {
                 throw invalid(fmt::format("count must be 1 to {}.", kMaxListCount));
             }
             std::optional<std::uint64_t> start;
             if (params.has("start")) start = params.integer("start");
             return ledger.on_strand([start, count](LedgerService& service) {
                 return list_blocks(service, start, count);
             });
         }});
    dispatcher.add({"chain_show",
                    "One block, with what its body tells.",
                    {{"block", RpcType::text, true, "height in decimal, or id"}},
                    [&ledger](RpcParams params) -> Task<json::value> {
                        return ledger.on_strand(
                            [name = params.text("block")](LedgerService& service) {
                                return show_block(service, name);
                            });
                    }});
    dispatcher.add({"wait_block",
                    "Waits until the tip has a height.",
                    {{"height", RpcType::integer, true, "height to wait for"},
                     {"timeout_ms", RpcType::integer, true, "longest time to wait, 0 to 60000"},
                     {"evaluated", RpcType::boolean, false,
                      "whether to wait for the block's held-out score too"}},
                    [&ledger](RpcParams params) -> Task<json::value> {
                        const std::uint64_t timeout = params.integer("timeout_ms");
                        if (timeout > kMaxWaitMs)
                            throw invalid(fmt::format("timeout_ms must be 0 to {}.", kMaxWaitMs));
                        const bool evaluated =
                            params.has("evaluated") && params.boolean("evaluated");
                        const auto deadline =
                            std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout);
                        const bool ready = co_await ledger.wait_for_height(params.integer("height"),
                                                                           evaluated, deadline);
                        auto query = [ready](LedgerService& service) -> json::value {
                            return json::object{{"ready", ready},
                                                {"height", service.tip()->height()},
                                                {"tip", service.tip()->id().to_hex()}};
                        };
                        co_return co_await ledger.on_strand(std::move(query));
                    }});
}

void add_model_methods(RpcDispatcher& dispatcher, const RpcContext& context) {
    LedgerService& ledger = context.ledger;
    const RpcParameter task{"task", RpcType::integer, false, "number of the task; 0 if left out"};
    dispatcher.add({"model_parameters",
                    "The parameters that lanes on the tip start from.",
                    {task},
                    [&ledger](RpcParams params) -> Task<json::value> {
                        return ledger.on_strand([params](LedgerService& service) {
                            require_task(service, params);
                            return model_parameters(service);
                        });
                    }});
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
    dispatcher.add({"mine_start", "Starts mining.", {}, switch_mining(true)});
    dispatcher.add({"mine_stop", "Stops mining; the node goes on.", {}, switch_mining(false)});
    dispatcher.add({"audit_status",
                    "What audits of the others' segments have come to since the start.",
                    {},
                    [context](RpcParams) -> Task<json::value> {
                        return context.ledger.on_strand([context](LedgerService&) -> json::value {
                            return audit_view(context.audits.status());
                        });
                    }});
    dispatcher.add({"stop", "Ends the node.", {}, [context](RpcParams) -> Task<json::value> {
                        context.stop();
                        co_return json::object{{"stopping", true}};
                    }});
    dispatcher.add({"help", "This list.", {}, [&dispatcher](RpcParams) -> Task<json::value> {
                        json::array list;
                        for (const auto& [name, method] : dispatcher.methods()) {
                            json::array parameters;
                            for (const auto& parameter : method.parameters) {
                                parameters.push_back({{"name", parameter.name},
                                                      {"required", parameter.required},
                                                      {"meaning", parameter.meaning}});
                            }
                            list.push_back({{"name", name},
                                            {"summary", method.summary},
                                            {"parameters", parameters}});
                        }
                        co_return list;
                    }});
}

}  // namespace

void add_methods(RpcDispatcher& dispatcher, const RpcContext& context) {
    dispatcher.add(
        {"status", "What the node is doing.", {}, [context](RpcParams) -> Task<json::value> {
             return context.ledger.on_strand(
                 [context](LedgerService& service) { return status(service, context); });
         }});
    add_chain_methods(dispatcher, context);
    add_model_methods(dispatcher, context);
    add_account_methods(dispatcher, context.transactions);
    add_transaction_methods(dispatcher, context.transactions);
    add_task_methods(dispatcher, context.transactions);
    add_proof_methods(dispatcher, context.transactions);
    add_peer_methods(dispatcher, context.peers);
    add_control_methods(dispatcher, context);
}

}  // namespace gradient::node
