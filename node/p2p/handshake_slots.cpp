#include "node/p2p/handshake_slots.hpp"

namespace gradient::node {

namespace {

bool has_group(const boost::asio::ip::address& address) {
    return !ip_address(ip_bytes(address)).is_loopback();
}

}  // namespace

bool HandshakeSlots::enter(const boost::asio::ip::address& address) {
    if (full()) return false;
    if (has_group(address)) {
        const auto group = groups_.try_emplace(network_group(address), 0).first;
        if (group->second >= most_of_group_) return false;
        ++group->second;
    }
    ++taken_;
    return true;
}

void HandshakeSlots::leave(const boost::asio::ip::address& address) {
    --taken_;
    if (!has_group(address)) return;
    const auto group = groups_.find(network_group(address));
    if (--group->second == 0) groups_.erase(group);
}

}  // namespace gradient::node
