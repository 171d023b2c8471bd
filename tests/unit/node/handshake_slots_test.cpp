#include "node/p2p/handshake_slots.hpp"

#include <gtest/gtest.h>

namespace gradient::node {
namespace {

boost::asio::ip::address at(const char* text) {
    return boost::asio::ip::make_address(text);
}

TEST(HandshakeSlots, one_network_group_cannot_take_all) {
    HandshakeSlots slots(10, 2);
    EXPECT_TRUE(slots.enter(at("1.2.3.4")));
    EXPECT_TRUE(slots.enter(at("::ffff:1.2.9.9")));
    EXPECT_FALSE(slots.enter(at("1.2.255.1")));
    EXPECT_TRUE(slots.enter(at("1.3.3.4")));
    slots.leave(at("1.2.3.4"));
    EXPECT_TRUE(slots.enter(at("1.2.255.1")));
    EXPECT_FALSE(slots.enter(at("1.2.255.1")));
}

TEST(HandshakeSlots, all_together_are_limited) {
    HandshakeSlots slots(2, 2);
    EXPECT_TRUE(slots.enter(at("1.2.3.4")));
    EXPECT_FALSE(slots.full());
    EXPECT_TRUE(slots.enter(at("2001:db8::1")));
    EXPECT_TRUE(slots.full());
    EXPECT_FALSE(slots.enter(at("9.9.9.9")));
    slots.leave(at("2001:db8::1"));
    EXPECT_TRUE(slots.enter(at("9.9.9.9")));
}

TEST(HandshakeSlots, loopback_is_of_no_group) {
    HandshakeSlots slots(4, 1);
    for (const char* text : {"127.0.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(slots.enter(at(text))) << text;
    }
    EXPECT_FALSE(slots.enter(at("127.0.0.1")));
    slots.leave(at("127.0.0.1"));
    EXPECT_FALSE(slots.full());
}

}  // namespace
}  // namespace gradient::node
