#pragma once

#include "node/p2p/messages.hpp"
#include "node/p2p/peer_id.hpp"
#include "node/p2p/reach.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace gradient::node {

/// What a connection is for. This node has opened all but the inbound ones.
enum class PeerKind : std::uint8_t {
    inbound,   // another node's choice
    outbound,  // this node's choice, from its address book
    feeler,    // only to see whether the address is good; ends at once
    fixed,     // the operator's choice: has no slot to lose, and is dialled for ever
};

/// A connected peer, as data.
struct Peer {
    using Time = std::chrono::steady_clock::time_point;

    PeerId id{};
    NodeId node;
    Endpoint address;  ///< of the other end; an inbound peer takes connections at listen_address()
    PeerKind kind = PeerKind::inbound;
    Time since;
    Hello hello;
    TipClaim tip;                                   ///< the newest that it has claimed
    std::optional<std::chrono::microseconds> ping;  ///< the newest
    std::optional<std::chrono::microseconds> best_ping;
    std::optional<Time> last_block;  ///< when it was the first to send a good one; so the
    std::optional<Time> last_share;  ///< other two
    std::optional<Time> last_transaction;
    Time heard;                        ///< when anything last came from it
    std::optional<Time> behind_since;  ///< since when its tip lies far below this node's
    double address_allowance = 0;      ///< addresses that it may still tell at `allowance_at`
    Time allowance_at;
    bool is_answered = false;  ///< whether it has had its answer to get_addresses

    friend bool operator==(const Peer&, const Peer&) = default;
};

/// Where the peer takes connections, as far as this node knows.
[[nodiscard]] inline std::optional<Endpoint> listen_address(const Peer& peer) {
    if (peer.kind != PeerKind::inbound) return peer.address;
    if (peer.hello.listen_port == 0) return std::nullopt;
    return Endpoint(peer.address.address(), peer.hello.listen_port);
}

}  // namespace gradient::node
