#include "node/rpc/json_rpc.hpp"

#include "chain/base/check.hpp"

#include <boost/asio/error.hpp>
#include <boost/json.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace gradient::node {

namespace {

json::object error_object(RpcErrorCode code, std::string_view message) {
    return {{"code", static_cast<std::int32_t>(code)}, {"message", message}};
}

json::object error_answer(json::value id, RpcErrorCode code, std::string_view message) {
    return {{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"error", error_object(code, message)}};
}

RpcError invalid_params(const std::string& message) {
    return {RpcErrorCode::invalid_params, message};
}

bool has_type(const json::value& value, RpcType type) {
    switch (type) {
        case RpcType::integer:
            return value.is_uint64() || (value.is_int64() && value.get_int64() >= 0);
        case RpcType::text:
            return value.is_string();
        case RpcType::boolean:
            return value.is_bool();
    }
    return false;
}

std::string_view type_name(RpcType type) {
    switch (type) {
        case RpcType::integer:
            return "an integer from 0 to 2^64-1";
        case RpcType::text:
            return "a string";
        case RpcType::boolean:
            return "true or false";
    }
    return "";
}

// By name or by position, checked against the method's list. A null stands for an absent optional
// value.
json::object checked_params(const RpcMethod& method, const json::value* given) {
    json::object values;
    if (given != nullptr && given->is_array()) {
        const auto& list = given->get_array();
        if (list.size() > method.parameters.size()) {
            throw invalid_params(fmt::format("{} takes at most {} parameters.", method.name,
                                             method.parameters.size()));
        }
        for (std::size_t i = 0; i < list.size(); ++i) values[method.parameters[i].name] = list[i];
    } else if (given != nullptr && given->is_object()) {
        values = given->get_object();
    } else if (given != nullptr) {
        throw RpcError(RpcErrorCode::invalid_request, "params must be an object or an array.");
    }
    std::size_t known = 0;
    for (const auto& parameter : method.parameters) {
        const auto* const value = values.if_contains(parameter.name);
        if (value != nullptr && value->is_null()) {
            values.erase(parameter.name);
        } else if (value != nullptr) {
            if (!has_type(*value, parameter.type)) {
                throw invalid_params(
                    fmt::format("{} must be {}.", parameter.name, type_name(parameter.type)));
            }
            ++known;
        }
        if (parameter.required && !values.contains(parameter.name)) {
            throw invalid_params(fmt::format("{} is missing.", parameter.name));
        }
    }
    if (known != values.size())
        throw invalid_params(fmt::format("{} does not know one of the parameters.", method.name));
    return values;
}

}  // namespace

void RpcDispatcher::add(RpcMethod method) {
    auto name = method.name;
    CHECK(methods_.emplace(std::move(name), std::move(method)).second);
}

Task<std::optional<std::string>> RpcDispatcher::handle(std::string text) const {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::value parsed = json::parse(text, error, {}, options);
    if (error)
        co_return json::serialize(
            error_answer(nullptr, RpcErrorCode::parse_error, "The body is not JSON."));
    if (!parsed.is_array()) {
        const auto one = co_await answer(std::move(parsed));
        co_return one ? std::optional(json::serialize(*one)) : std::nullopt;
    }
    auto& batch = parsed.get_array();
    if (batch.empty() || batch.size() > kMaxBatch) {
        co_return json::serialize(
            error_answer(nullptr, RpcErrorCode::invalid_request,
                         fmt::format("A batch holds 1 to {} requests.", kMaxBatch)));
    }
    json::array answers;
    for (auto& request : batch) {
        if (auto one = co_await answer(std::move(request))) answers.push_back(*std::move(one));
    }
    if (answers.empty()) co_return std::nullopt;
    co_return json::serialize(answers);
}

Task<std::optional<json::object>> RpcDispatcher::answer(json::value request) const {
    json::value id = nullptr;
    bool wants_answer = true;
    RpcErrorCode code{};
    std::string message;
    try {
        const auto* const object = request.if_object();
        if (object == nullptr)
            throw RpcError(RpcErrorCode::invalid_request, "A request is an object.");
        if (const auto* const given = object->if_contains("id")) {
            if (!given->is_string() && !given->is_number() && !given->is_null()) {
                throw RpcError(RpcErrorCode::invalid_request,
                               "id must be a string, a number or null.");
            }
            id = *given;
        } else {
            // Only a well-formed request without an id is a notification.
            wants_answer = !object->contains("method") || !object->at("method").is_string();
        }
        json::value result = co_await call(*object);
        if (!wants_answer) co_return std::nullopt;
        co_return json::object{
            {"jsonrpc", "2.0"}, {"id", std::move(id)}, {"result", std::move(result)}};
    } catch (const RpcError& error) {
        code = error.code();
        message = error.what();
    } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted) {
            spdlog::error("an RPC method failed: {}", error.what());
        }
        code = RpcErrorCode::unavailable;
        message = "The node is stopping.";
    } catch (const std::exception& error) {
        spdlog::error("an RPC method failed: {}", error.what());
        code = RpcErrorCode::internal_error;
        message = "The method failed; see the node's log.";
    }
    if (!wants_answer) co_return std::nullopt;
    co_return error_answer(std::move(id), code, message);
}

Task<json::value> RpcDispatcher::call(const json::object& request) const {
    const auto* const version = request.if_contains("jsonrpc");
    if (version == nullptr || *version != "2.0") {
        throw RpcError(RpcErrorCode::invalid_request, "jsonrpc must be \"2.0\".");
    }
    const auto* const name = request.if_contains("method");
    if (name == nullptr || !name->is_string()) {
        throw RpcError(RpcErrorCode::invalid_request, "method must be a string.");
    }
    const auto found = methods_.find(std::string_view(name->get_string()));
    if (found == methods_.end())
        throw RpcError(RpcErrorCode::method_not_found, "There is no such method; see `help`.");
    RpcParams params(checked_params(found->second, request.if_contains("params")));
    co_return co_await found->second.call(std::move(params));
}

}  // namespace gradient::node
