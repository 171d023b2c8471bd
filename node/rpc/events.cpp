#include "node/rpc/events.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace json = boost::json;

std::string_view topic_name(Topic topic) noexcept {
    switch (topic) {
        case Topic::blocks:
            return "blocks";
        case Topic::tasks:
            return "tasks";
        case Topic::mining:
            return "mining";
        case Topic::transactions:
            return "transactions";
        case Topic::peers:
            return "peers";
    }
    return "";
}

std::optional<Topic> parse_topic(std::string_view name) noexcept {
    for (const Topic topic : kAllTopics) {
        if (name == topic_name(topic)) return topic;
    }
    return std::nullopt;
}

bool EventHub::is_wanted(Topic topic) const noexcept {
    return std::any_of(subscribers_.begin(), subscribers_.end(),
                       [topic](const Subscriber* each) { return each->has(topic); });
}

void EventHub::publish(Topic topic, json::object event) const {
    if (!is_wanted(topic)) return;
    json::object params{{"topic", topic_name(topic)}};
    params.insert(event.begin(), event.end());
    const json::object notification{
        {"jsonrpc", "2.0"}, {"method", "event"}, {"params", std::move(params)}};
    const auto message = std::make_shared<const std::string>(json::serialize(notification));
    for (const Subscriber* const each : subscribers_) {
        if (each->has(topic)) each->deliver_(message);
    }
}

void EventHub::end() const {
    for (const Subscriber* const each : subscribers_) each->end_();
}

Subscriber::Subscriber(EventHub& hub, Deliver deliver, std::function<void()> end)
    : hub_(hub), deliver_(std::move(deliver)), end_(std::move(end)) {
    hub_.subscribers_.insert(this);
}

Subscriber::~Subscriber() {
    hub_.subscribers_.erase(this);
}

}  // namespace gradient::node
