#include "node/rpc/json_rpc.hpp"

#include "chain/base/check.hpp"
#include "node/rpc/rpc_limits.hpp"

#include <boost/asio/error.hpp>
#include <boost/json.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace gradient::node {

namespace {

RpcError invalid_request(const std::string& message) {
    return {RpcErrorCode::invalid_request, message};
}

// A number with a fraction, or beyond 64 bits, would not come back as it was written.
json::value id_of(const json::object& request) {
    const auto* const id = request.if_contains("id");
    if (id == nullptr) return nullptr;
    if (!id->is_string() && !id->is_int64() && !id->is_uint64() && !id->is_null())
        throw invalid_request("id must be a string, a whole number or null.");
    return *id;
}

// Only a well-formed request without an id is a notification.
bool is_notification(const json::value& request) {
    const auto* const object = request.if_object();
    if (object == nullptr || object->contains("id")) return false;
    const auto* const version = object->if_contains("jsonrpc");
    const auto* const method = object->if_contains("method");
    return version != nullptr && *version == "2.0" && method != nullptr && method->is_string();
}

// The exception being handled, as an error to answer with.
RpcError current_error() {
    try {
        throw;
    } catch (const RpcError& error) {
        return error;
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
            spdlog::error("an RPC method failed: {}", error.what());
        return {RpcErrorCode::unavailable, "The node is stopping."};
    } catch (const std::exception& error) {
        spdlog::error("an RPC method failed: {}", error.what());
        return {RpcErrorCode::internal_error, "The method failed; see the node's log."};
    }
}

}  // namespace

void RpcDispatcher::add(RpcMethod method) {
    auto name = method.name;
    CHECK(methods_.emplace(std::move(name), std::move(method)).second);
}

Task<std::optional<std::string>> RpcDispatcher::handle(std::string text, RpcCaller caller) const {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kRpcMaxDepth;
    json::value parsed = json::parse(text, error, {}, options);
    text = {};
    if (error) {
        co_return json::serialize(
            error_answer({RpcErrorCode::parse_error, "The body is not JSON."}));
    }
    if (auto* const batch = parsed.if_array()) {
        if (batch->empty() || batch->size() > kRpcMaxBatch) {
            co_return json::serialize(error_answer(
                invalid_request(fmt::format("A batch holds 1 to {} requests.", kRpcMaxBatch))));
        }
        auto answers = co_await answer_batch(std::move(*batch), std::move(caller));
        if (answers.empty()) co_return std::nullopt;
        co_return answers;
    }
    const auto one = co_await answer(parsed, caller, std::nullopt);
    if (!one) co_return std::nullopt;
    co_return json::serialize(*one);
}

// Empty if there are notifications only.
Task<std::string> RpcDispatcher::answer_batch(json::array batch, RpcCaller caller) const {
    const auto deadline = std::chrono::steady_clock::now() + kRpcMaxBatchTime;
    std::string answers;
    for (const json::value& request : batch) {
        std::optional<RpcError> refused;
        if (answers.size() >= kRpcMaxBatchAnswerBytes) {
            refused.emplace(RpcErrorCode::too_large, "The answers before are all that is sent.");
        } else if (std::chrono::steady_clock::now() >= deadline) {
            refused.emplace(RpcErrorCode::unavailable, "The requests before took all the time.");
        }
        const auto one = co_await answer(request, caller, std::move(refused));
        if (!one) continue;
        answers += answers.empty() ? '[' : ',';
        answers += json::serialize(*one);
    }
    if (!answers.empty()) answers += ']';
    co_return answers;
}

Task<std::optional<json::object>> RpcDispatcher::answer(const json::value& request,
                                                        const RpcCaller& caller,
                                                        std::optional<RpcError> failure) const {
    json::value id = nullptr;
    try {
        const auto* const object = request.if_object();
        if (object == nullptr) throw invalid_request("A request is an object.");
        id = id_of(*object);
        if (failure) throw RpcError(*failure);
        json::value result = co_await call(*object, caller);
        if (is_notification(request)) co_return std::nullopt;
        co_return json::object{
            {"jsonrpc", "2.0"}, {"id", std::move(id)}, {"result", std::move(result)}};
    } catch (...) {
        failure = current_error();
    }
    if (is_notification(request)) co_return std::nullopt;
    co_return error_answer(*failure, std::move(id));
}

Task<json::value> RpcDispatcher::call(const json::object& request, const RpcCaller& caller) const {
    const auto* const version = request.if_contains("jsonrpc");
    if (version == nullptr || *version != "2.0") throw invalid_request("jsonrpc must be \"2.0\".");
    const auto* const name = request.if_contains("method");
    if (name == nullptr || !name->is_string()) throw invalid_request("method must be a string.");
    const auto found = methods_.find(std::string_view(name->get_string()));
    if (found == methods_.end()) {
        throw RpcError(RpcErrorCode::method_not_found,
                       "There is no such method; rpc.discover lists all.");
    }
    const RpcMethod& method = found->second;
    if (caller.permission < method.permission) {
        throw RpcError(RpcErrorCode::forbidden,
                       fmt::format("{} needs the permission {}; {} has {}.", method.name,
                                   permission_name(method.permission), caller.name,
                                   permission_name(caller.permission)));
    }
    RpcParams params(checked_params(method, request.if_contains("params")), caller);
    co_return co_await method.call(std::move(params));
}

}  // namespace gradient::node
