#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/u256.hpp"
#include "node/p2p/peer_id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace gradient::node {

/// One connected peer, for its user's eyes.
struct PeerFigures {
    PeerId peer{};
    NodeId node;
    std::string address;    ///< HOST:PORT of the connection
    std::string direction;  ///< inbound, outbound, fixed or feeler
    std::string agent;
    std::uint64_t connected_s = 0;
    std::optional<std::uint64_t> ping_ms;
    std::uint64_t height = 0;  ///< of the tip that it claims
    chain::Hash256 tip;
    chain::U256 work;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::uint64_t queued_bytes = 0;
    std::uint32_t score = 0;  ///< what is held against it; at 100 it goes
};

/// A peer that has come or gone.
struct PeerChange {
    enum class Kind : std::uint8_t { joined, left };

    Kind kind = Kind::joined;
    PeerId peer{};
    NodeId node;
    std::string address;  ///< HOST:PORT of the connection
};

/// All connections together.
struct NetworkFigures {
    NodeId node;            ///< this one
    std::string listening;  ///< HOST:PORT; empty: it takes no connections
    std::size_t inbound = 0;
    std::size_t outbound = 0;  ///< fixed ones among them
    std::size_t known_addresses = 0;
    std::size_t bans = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    std::map<std::string, std::uint64_t> messages_received;  ///< by name
    std::map<std::string, std::uint64_t> penalties;          ///< faults held against peers, by name
};

/// What a node waits for, in words.
struct StuckReport {
    std::string state;        ///< one word or two: in_sync, downloading, no_peers, ...
    bool is_stuck = false;    ///< nothing has moved for longer than is usual
    std::string waiting_for;  ///< a sentence
    std::optional<PeerId> peer;
    std::string rule;    ///< that has refused what came, if one did
    std::string advice;  ///< what to do about it
};

}  // namespace gradient::node
