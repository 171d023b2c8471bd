#include "node/rpc/openrpc.hpp"

#include "node/rpc/event_source.hpp"
#include "node/rpc/rpc_limits.hpp"
#include "node/setup/settings.hpp"

#include <boost/json.hpp>

namespace gradient::node {

namespace {

json::object parameter_view(const RpcParameter& parameter) {
    return {{"name", parameter.name},
            {"description", parameter.meaning},
            {"required", parameter.need == RpcParameter::Need::required},
            {"schema", parameter.schema}};
}

json::object method_view(const RpcMethod& method) {
    json::array parameters;
    for (const auto& parameter : method.parameters) parameters.push_back(parameter_view(parameter));
    json::array errors;
    for (const RpcErrorCode code : method.errors) {
        errors.push_back(
            {{"code", static_cast<std::int32_t>(code)}, {"message", meaning_of(code)}});
    }
    return {{"name", method.name},
            {"summary", method.summary},
            {"paramStructure", "either"},
            {"params", std::move(parameters)},
            {"result", json::object{{"name", "result"}, {"schema", method.result}}},
            {"errors", std::move(errors)},
            {"x-permission", permission_name(method.permission)}};
}

json::object limits_view() {
    return {{"body_bytes", kRpcBodyLimitBytes},
            {"depth", kRpcMaxDepth},
            {"batch_requests", kRpcMaxBatch},
            {"batch_answer_bytes", kRpcMaxBatchAnswerBytes},
            {"batch_s", kRpcMaxBatchTime.count()},
            {"header_bytes", kRpcHeaderLimitBytes},
            {"connections", kRpcMaxConnections},
            {"first_request_s", kRpcFirstRequestTimeout.count()},
            {"request_s", kRpcTransferTimeout.count()},
            {"idle_s", kRpcIdleTimeout.count()},
            {"sockets", kRpcMaxSockets},
            {"socket_requests", kRpcMaxSocketRequests},
            {"socket_queued_messages", kRpcMaxQueuedMessages},
            {"socket_queued_bytes", kRpcMaxQueuedBytes},
            {"socket_idle_s", kRpcSocketIdleTimeout.count()}};
}

}  // namespace

json::object openrpc_document(const RpcDispatcher& dispatcher) {
    json::array methods;
    for (const auto& [name, method] : dispatcher.methods()) methods.push_back(method_view(method));
    json::array topics;
    for (const Topic topic : kAllTopics) {
        topics.push_back({{"name", topic_name(topic)},
                          {"summary", topic_summary(topic)},
                          {"schema", event_schema(topic)}});
    }
    const std::string program = program_version("gradientd");
    return {{"openrpc", "1.2.6"},
            {"info", json::object{{"title", "GradientCoin node"},
                                  {"version", program.substr(program.rfind(' ') + 1)}}},
            {"methods", std::move(methods)},
            {"x-topics", std::move(topics)},
            {"x-limits", limits_view()}};
}

}  // namespace gradient::node
