#include "node/rpc/rpc_error.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace gradient::node {

namespace json = boost::json;

std::string_view meaning_of(RpcErrorCode code) noexcept {
    switch (code) {
        case RpcErrorCode::parse_error:
            return "The text is not JSON.";
        case RpcErrorCode::invalid_request:
            return "The JSON is not a request.";
        case RpcErrorCode::method_not_found:
            return "There is no such method.";
        case RpcErrorCode::invalid_params:
            return "A parameter is wrong, missing or unknown; data.parameter names it.";
        case RpcErrorCode::internal_error:
            return "The method failed; the node's log says why.";
        case RpcErrorCode::not_found:
            return "There is no such thing.";
        case RpcErrorCode::unavailable:
            return "Not now.";
        case RpcErrorCode::forbidden:
            return "The caller's permission does not suffice.";
        case RpcErrorCode::too_large:
            return "The answer is larger than is sent.";
        case RpcErrorCode::unauthorised:
            return "The credentials are missing or wrong.";
        case RpcErrorCode::needs_websocket:
            return "Events are told on a WebSocket only.";
    }
    return "";
}

RpcError invalid_parameter(std::string_view name, std::string_view complaint) {
    return {RpcErrorCode::invalid_params,
            fmt::format("{} {}.", name, complaint),
            {{"parameter", name}}};
}

json::object error_answer(const RpcError& error, json::value id) {
    json::object object{{"code", static_cast<std::int32_t>(error.code())},
                        {"message", error.what()}};
    if (!error.data().empty()) object["data"] = error.data();
    return {{"jsonrpc", "2.0"}, {"id", std::move(id)}, {"error", std::move(object)}};
}

}  // namespace gradient::node
