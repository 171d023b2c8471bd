#include "node/p2p/reach.hpp"

#include <algorithm>

namespace gradient::node {

namespace ip = boost::asio::ip;

namespace {

struct Block4 {
    std::uint32_t prefix;
    unsigned bits;
    Reach reach;
};

constexpr std::uint32_t dotted(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) {
    return a << 24U | b << 16U | c << 8U;
}

// The special blocks of RFC 6890.
constexpr std::array<Block4, 14> kBlocks4 = {{
    {dotted(0), 8, Reach::nowhere},
    {dotted(10), 8, Reach::private_network},
    {dotted(100, 64), 10, Reach::private_network},
    {dotted(127), 8, Reach::machine},
    {dotted(169, 254), 16, Reach::private_network},
    {dotted(172, 16), 12, Reach::private_network},
    {dotted(192, 0, 0), 24, Reach::nowhere},
    {dotted(192, 0, 2), 24, Reach::nowhere},
    {dotted(192, 168), 16, Reach::private_network},
    {dotted(198, 18), 15, Reach::private_network},
    {dotted(198, 51, 100), 24, Reach::nowhere},
    {dotted(203, 0, 113), 24, Reach::nowhere},
    {dotted(224), 4, Reach::nowhere},
    {dotted(240), 4, Reach::nowhere},
}};

Reach reach_of_v4(std::uint32_t address) noexcept {
    for (const Block4& block : kBlocks4) {
        if ((address ^ block.prefix) >> (32 - block.bits) == 0) return block.reach;
    }
    return Reach::world;
}

Reach reach_of_v6(const ip::address_v6& address) noexcept {
    if (address.is_loopback()) return Reach::machine;
    const auto bytes = address.to_bytes();
    if ((bytes[0] & 0xfeU) == 0xfcU) return Reach::private_network;
    // Only 2000::/3 is given out; 2001:db8::/32 of it is for documents.
    const bool is_document =
        bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8;
    return (bytes[0] & 0xe0U) == 0x20U && !is_document ? Reach::world : Reach::nowhere;
}

}  // namespace

Reach reach_of(const ip::address& address) noexcept {
    const ip::address plain = ip_address(ip_bytes(address));  // not mapped
    return plain.is_v4() ? reach_of_v4(plain.to_v4().to_uint()) : reach_of_v6(plain.to_v6());
}

bool is_shared_with(const ip::address& address, const ip::address& peer) noexcept {
    const Reach reach = reach_of(address);
    return reach != Reach::nowhere && reach >= reach_of(peer);
}

ShareGroup share_group(const Endpoint& endpoint) noexcept {
    ShareGroup group{};
    const IpBytes bytes = ip_bytes(endpoint.address());
    if (reach_of(endpoint.address()) == Reach::world) {
        const NetworkGroup network = network_group(bytes);
        std::copy(network.bytes.begin(), network.bytes.end(), group.begin());
        return group;
    }
    std::copy(bytes.begin(), bytes.end(), group.begin());
    group[16] = static_cast<std::uint8_t>(endpoint.port() >> 8U);
    group[17] = static_cast<std::uint8_t>(endpoint.port() & 0xffU);
    return group;
}

}  // namespace gradient::node
