#include "node/rpc/events.hpp"
#include "node/rpc/outbox.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace gradient::node {
namespace {

namespace json = boost::json;

Outbox::Message message_of(std::size_t bytes) {
    return std::make_shared<const std::string>(bytes, 'x');
}

TEST(Outbox, gives_back_in_order_within_its_bounds) {
    Outbox box({3, 10});
    EXPECT_EQ(box.pop(), nullptr);
    EXPECT_TRUE(box.push(message_of(1)));
    EXPECT_TRUE(box.push(message_of(9)));
    EXPECT_FALSE(box.push(message_of(1)));  // bytes
    EXPECT_EQ(box.pop()->size(), 1U);
    EXPECT_TRUE(box.push(message_of(1)));
    EXPECT_TRUE(box.push(message_of(0)));
    EXPECT_FALSE(box.push(message_of(0)));  // messages
    EXPECT_EQ(box.pop()->size(), 9U);
    EXPECT_EQ(box.size(), 2U);
}

TEST(Outbox, takes_one_message_that_is_larger_than_all_may_be) {
    Outbox box({3, 10});
    EXPECT_TRUE(box.push(message_of(100)));
    EXPECT_FALSE(box.push(message_of(1)));
    EXPECT_EQ(box.pop()->size(), 100U);
    EXPECT_TRUE(box.push(message_of(1)));
    EXPECT_FALSE(box.push(message_of(100)));
    box.clear();
    EXPECT_TRUE(box.push(message_of(10)));
}

TEST(EventHub, tells_those_who_have_subscribed_and_no_others) {
    EventHub hub;
    std::vector<std::string> first;
    std::vector<std::string> second;
    int ends = 0;
    Subscriber one(
        hub, [&](const auto& message) { first.push_back(*message); }, [&] { ++ends; });
    EXPECT_FALSE(hub.is_wanted(Topic::blocks));
    hub.publish(Topic::blocks, {{"event", "tip"}});
    {
        Subscriber other(
            hub, [&](const auto& message) { second.push_back(*message); }, [&] { ++ends; });
        one.subscribe(Topic::blocks);
        one.subscribe(Topic::blocks);
        other.subscribe(Topic::peers);
        EXPECT_TRUE(hub.is_wanted(Topic::blocks));
        hub.publish(Topic::blocks, {{"event", "tip"}, {"height", 5}});
        hub.publish(Topic::peers, {{"event", "joined"}});
        hub.publish(Topic::mining, {{"event", "hit"}});
    }
    EXPECT_FALSE(hub.is_wanted(Topic::peers));
    hub.publish(Topic::peers, {{"event", "left"}});
    one.unsubscribe(Topic::blocks);
    hub.publish(Topic::blocks, {{"event", "tip"}});
    EXPECT_EQ(ends, 0);
    hub.end();
    EXPECT_EQ(ends, 1);
    ASSERT_EQ(first.size(), 1U);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(json::parse(first[0]), json::parse(R"({"jsonrpc":"2.0","method":"event",
        "params":{"topic":"blocks","event":"tip","height":5}})"));
}

TEST(EventHub, names_of_topics_go_both_ways) {
    for (const Topic topic : kAllTopics) EXPECT_EQ(parse_topic(topic_name(topic)), topic);
    EXPECT_EQ(parse_topic("weather"), std::nullopt);
}

}  // namespace
}  // namespace gradient::node
