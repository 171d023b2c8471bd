#include "node/rpc/events.hpp"
#include "node/rpc/service_methods.hpp"

#include <boost/json.hpp>

namespace gradient::node {

namespace {

using Act = void (Subscriber::*)(Topic);

RpcMethod topic_method(const std::string& name, const std::string& summary, Act act) {
    return {
        .name = name,
        .summary = summary,
        .permission = RpcPermission::read,
        .parameters = {required(
            "topic", schema::one_of({"blocks", "tasks", "mining", "transactions", "peers"}),
            "what the events are about")},
        .result = schema::object(
            {{"topics", schema::list(schema::text()), "that are subscribed to now"}}),
        .errors = {RpcErrorCode::needs_websocket},
        .call = [act](RpcParams params) -> Task<json::value> {
            Subscriber* const subscriber = params.caller().subscriber;
            if (subscriber == nullptr) {
                throw RpcError(RpcErrorCode::needs_websocket,
                               "Events are told on a WebSocket only: connect to /ws.");
            }
            (subscriber->*act)(parse_topic(params.text("topic")).value());
            json::array topics;
            for (const Topic topic : kAllTopics) {
                if (subscriber->has(topic)) topics.emplace_back(topic_name(topic));
            }
            co_return json::object{{"topics", std::move(topics)}};
        },
    };
}

}  // namespace

void add_event_methods(RpcDispatcher& dispatcher) {
    dispatcher.add(topic_method(
        "subscribe", "Tells of events from now on, as notifications of the method `event`.",
        &Subscriber::subscribe));
    dispatcher.add(
        topic_method("unsubscribe", "Tells of these events no more.", &Subscriber::unsubscribe));
}

}  // namespace gradient::node
