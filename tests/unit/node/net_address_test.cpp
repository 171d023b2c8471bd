#include "node/p2p/net_address.hpp"

#include <gtest/gtest.h>

namespace gradient::node {
namespace {

namespace ip = boost::asio::ip;

TEST(NetAddress, ipv4_is_mapped_and_comes_back) {
    const auto bytes = ip_bytes(ip::make_address("1.2.3.4"));
    EXPECT_EQ(bytes, (IpBytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}));
    EXPECT_EQ(ip_address(bytes), ip::make_address("1.2.3.4"));
    EXPECT_EQ(ip_bytes(ip::make_address("::ffff:1.2.3.4")), bytes);
}

TEST(NetAddress, ipv6_keeps_its_bytes) {
    const auto address = ip::make_address("2001:db8::7");
    EXPECT_EQ(ip_address(ip_bytes(address)), address);
    AddressRecord record;
    record.ip = ip_bytes(address);
    record.port = 9421;
    EXPECT_EQ(format_endpoint(endpoint_of(record)), "[2001:db8::7]:9421");
}

TEST(NetAddress, groups_are_sixteen_bits_of_ipv4_and_thirty_two_of_ipv6) {
    const auto group = [](const char* text) { return network_group(ip::make_address(text)); };
    EXPECT_EQ(group("10.1.2.3"), group("10.1.255.255"));
    EXPECT_EQ(group("10.1.2.3"), group("::ffff:10.1.9.9"));
    EXPECT_NE(group("10.1.2.3"), group("10.2.2.3"));
    EXPECT_EQ(group("2001:db8::1"), group("2001:db8:ffff::2"));
    EXPECT_NE(group("2001:db8::1"), group("2001:db9::1"));
    EXPECT_NE(group("6.6.0.0"), group("606::"));
}

TEST(NetAddress, reads_hosts_and_ports) {
    const auto read = [](const char* text) { return parse_host_port(text, 99); };
    EXPECT_EQ(read("seed.example.org"), (HostPort{"seed.example.org", 99}));
    EXPECT_EQ(read("seed.example.org:7"), (HostPort{"seed.example.org", 7}));
    EXPECT_EQ(read("1.2.3.4:65535"), (HostPort{"1.2.3.4", 65535}));
    EXPECT_EQ(read("::1"), (HostPort{"::1", 99}));
    EXPECT_EQ(read("[::1]"), (HostPort{"::1", 99}));
    EXPECT_EQ(read("[::1]:8"), (HostPort{"::1", 8}));
}

TEST(NetAddress, refuses_what_is_no_host_and_port) {
    for (const char* text :
         {"", ":1", "host:", "host:0", "host:65536", "host:1x", "host:-1", "a b", "a/b:1", "[::1",
          "[::1]8", "[::1]:", "[host]:1", "::1:x", "1.2.3.4:5:6"}) {
        EXPECT_FALSE(parse_host_port(text).has_value()) << text;
    }
    EXPECT_FALSE(parse_host_port(std::string(254, 'a')).has_value());
}

TEST(NetAddress, endpoints_are_never_names) {
    EXPECT_FALSE(parse_endpoint("localhost:1").has_value());
    for (const char* text : {"1.2.3.4:5", "[::1]:6"}) {
        EXPECT_EQ(format_endpoint(parse_endpoint(text).value()), text);
    }
    EXPECT_EQ(parse_endpoint("1.2.3.4")->port(), kDefaultPeerPort);
}

}  // namespace
}  // namespace gradient::node
