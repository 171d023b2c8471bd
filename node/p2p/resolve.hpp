#pragma once

#include "node/concurrency/task.hpp"
#include "node/p2p/net_address.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <vector>

namespace gradient::node {

/// Most addresses that are taken of one name.
inline constexpr std::size_t kMaxResolvedAddresses = 32;

/// The addresses of a host with its port, in the system's order; none if there are none, with the
/// reason in the log. An address needs no look-up. Takes as long as the system's resolver, which
/// runs on a thread of its own and can't be cut short.
Task<std::vector<asio::ip::tcp::endpoint>> resolve(HostPort host_port);

}  // namespace gradient::node
