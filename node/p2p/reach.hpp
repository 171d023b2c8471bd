#pragma once

// From where an address can be reached. Nobody is told addresses that mean nothing, or another
// machine, where he is; but where all nodes live on one machine or one private network, their
// addresses are as good as any.

#include "node/p2p/net_address.hpp"

#include <array>
#include <cstdint>

namespace gradient::node {

/// Where a node takes connections, or where one comes from.
using Endpoint = boost::asio::ip::tcp::endpoint;

/// The widest circle in which an address has one meaning, narrowest first.
enum class Reach : std::uint8_t {
    nowhere,          // unspecified, multicast, link-local IPv6, documentation, reserved
    machine,          // loopback
    private_network,  // 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16, 198.18/15, fc00::/7
    world,            // every other address
};

/// The address's reach.
[[nodiscard]] Reach reach_of(const boost::asio::ip::address& address) noexcept;

/// Whether an address may be told to, or believed of, somebody at `peer`: it means the same thing
/// there as here.
[[nodiscard]] bool is_shared_with(const boost::asio::ip::address& address,
                                  const boost::asio::ip::address& peer) noexcept;

/// What takes one share of a table: the network group of an address of the world, each endpoint by
/// itself elsewhere, since groups tell nothing there.
using ShareGroup = std::array<std::uint8_t, 18>;
[[nodiscard]] ShareGroup share_group(const Endpoint& endpoint) noexcept;

}  // namespace gradient::node
