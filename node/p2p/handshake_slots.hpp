#pragma once

#include "node/p2p/limits.hpp"
#include "node/p2p/net_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <map>

namespace gradient::node {

/// Inbound connections whose handshake has not ended: how many there may be, in all and of one
/// network group. Loopback addresses are of no group, for all nodes of a local network have them.
class HandshakeSlots {
  public:
    HandshakeSlots(std::size_t most, std::size_t most_of_group)
        : most_(most), most_of_group_(most_of_group) {}

    /// Whether there is no room for anybody.
    [[nodiscard]] bool full() const noexcept { return taken_ >= most_; }

    /// Takes a slot for a connection from there; false if there is no room for it.
    [[nodiscard]] bool enter(const boost::asio::ip::address& address);

    /// Gives back what enter() took.
    void leave(const boost::asio::ip::address& address);

  private:
    std::size_t most_;
    std::size_t most_of_group_;
    std::size_t taken_ = 0;
    std::map<NetworkGroup, std::size_t> groups_;  // without empty ones
};

}  // namespace gradient::node
