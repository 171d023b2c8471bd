#pragma once

#include "node/rpc/schema.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace gradient::node {

/// What events are about.
enum class Topic : std::uint8_t { blocks, tasks, mining, transactions, peers };
inline constexpr std::size_t kTopics = 5;
inline constexpr std::array<Topic, kTopics> kAllTopics{Topic::blocks, Topic::tasks, Topic::mining,
                                                       Topic::transactions, Topic::peers};

[[nodiscard]] std::string_view topic_name(Topic topic) noexcept;
[[nodiscard]] std::optional<Topic> parse_topic(std::string_view name) noexcept;

class Subscriber;

/// Hands events to those who have subscribed to their topic. Use it, and its subscribers, from one
/// strand or thread; must outlive them.
class EventHub {
  public:
    /// Whether anybody wants events of a topic: those of others need not be made.
    [[nodiscard]] bool is_wanted(Topic topic) const noexcept;

    /// Tells all subscribers of the topic: a JSON-RPC notification of the method `event` whose
    /// parameters are the topic and the event's own fields.
    void publish(Topic topic, boost::json::object event) const;

    /// Tells all subscribers that no more events will come: the node ends.
    void end() const;

  private:
    friend class Subscriber;
    std::set<Subscriber*> subscribers_;
};

/// One who can subscribe to topics.
class Subscriber {
  public:
    /// A notification's text, shared by all who get it.
    using Message = std::shared_ptr<const std::string>;
    using Deliver = std::function<void(const Message&)>;

    /// Neither function may add or remove subscribers.
    Subscriber(EventHub& hub, Deliver deliver, std::function<void()> end);
    ~Subscriber();
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    void subscribe(Topic topic) { topics_.set(static_cast<std::size_t>(topic)); }
    void unsubscribe(Topic topic) { topics_.reset(static_cast<std::size_t>(topic)); }
    [[nodiscard]] bool has(Topic topic) const { return topics_[static_cast<std::size_t>(topic)]; }

  private:
    friend class EventHub;
    EventHub& hub_;
    Deliver deliver_;
    std::function<void()> end_;
    std::bitset<kTopics> topics_;
};

}  // namespace gradient::node
