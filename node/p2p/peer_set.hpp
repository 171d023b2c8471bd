#pragma once

// Who this node is connected to, and who may be.

#include "chain/base/bytes.hpp"
#include "chain/base/u256.hpp"
#include "node/p2p/ban_list.hpp"
#include "node/p2p/limits.hpp"
#include "node/p2p/moment.hpp"
#include "node/p2p/offence.hpp"
#include "node/p2p/peer.hpp"
#include "node/p2p/penalties.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gradient::node {

/// Two nodes that call each other are seen by both to do so within this time of each other: a
/// connection that has stood for longer was there first.
inline constexpr std::chrono::seconds kCrossingTime{20};
/// A connection on which nothing has come for this long gives way to a new one of the same node.
inline constexpr std::chrono::seconds kDeadTime{10};
static_assert(kCrossingTime > kHandshakeTimeout + kConnectTimeout && kDeadTime > kPingInterval);
/// An outbound peer whose tip has been far below this node's for this long goes.
inline constexpr std::chrono::seconds kStaleTipTime = std::chrono::minutes(10);
/// Addresses a second that a peer may tell of without being asked, and those it may save up.
inline constexpr double kAddressesPerSecond = 0.1;
inline constexpr double kMaxAddressAllowance = 1000;

/// A connection that has to end, and what its peer is told.
struct Departure {
    PeerId peer{};
    GoodbyeReason reason = GoodbyeReason::shutdown;

    friend bool operator==(const Departure&, const Departure&) = default;
};

/// What becomes of a new connection.
struct Admission {
    std::optional<GoodbyeReason> refused;  ///< nothing: it is in the set now
    std::optional<Departure> dropped;      ///< a peer that is no longer in the set because of it
};

/// What a peer has been the first to send.
enum class Merit : std::uint8_t { block, share, transaction };

/// The connected peers. Not thread-safe; reads no clock. What it refers to must outlive it.
class PeerSet {
  public:
    struct Limits {
        std::size_t inbound = kMaxInbound;
        std::size_t outbound = kMaxOutbound;
    };
    using Time = Peer::Time;

    /// `salt`: secret.
    PeerSet(const NodeId& self, BanList& bans, PenaltyLedger& penalties, const chain::Hash256& salt,
            const Limits& limits);

    /// Whether a connection from there may begin, before anything is known of the other side.
    [[nodiscard]] bool may_accept(const boost::asio::ip::address& address, UnixSeconds now) const;

    /// Takes a peer, both hellos of which have been exchanged, or refuses it. Both of two nodes
    /// that call each other keep the same one of their connections: the one that the node with the
    /// smaller id has opened.
    Admission admit(Peer newcomer, Moment now);

    /// Forgets a peer, as its connection has ended; nothing if it is not in the set.
    std::optional<Peer> remove(PeerId id);

    /// Holds something against a peer: adds to its score, and if that is full takes it out of the
    /// set and, for grave faults, bans its node, and its address if that is of the world (behind
    /// one address of a private network there may be everybody). Fixed peers are never banned.
    /// `bytes`: of the message that was the offence, if it was one.
    std::optional<Departure> punish(PeerId id, const Offence& offence, Moment now,
                                    std::size_t bytes = 0);

    /// Takes out of the set whoever is banned now, after the operator has banned somebody.
    std::vector<Departure> drop_banned(UnixSeconds now);

    void note_heard(PeerId id, Time now);
    void note_ping(PeerId id, std::chrono::microseconds ping);
    void note_merit(PeerId id, Merit merit, Time now);
    void note_tip(PeerId id, const TipClaim& tip);

    /// Takes the outbound peer out of the set whose tip has had less than `work_floor` of
    /// cumulative work for longest, if that is kStaleTipTime or more. Call it now and then.
    std::optional<Departure> drop_laggard(const chain::U256& work_floor, Time now);

    /// Of `count` addresses that a peer tells, how many may be taken.
    std::size_t allow_addresses(PeerId id, std::size_t count, Time now);
    /// Allows a whole answer: it has been sent get_addresses.
    void expect_addresses(PeerId id);
    /// Whether a peer's get_addresses is to be answered: once for a connection.
    bool take_answer(PeerId id);

    [[nodiscard]] const Peer* find(PeerId id) const;
    [[nodiscard]] const Peer* find(const NodeId& node) const;
    [[nodiscard]] std::size_t count(PeerKind kind) const;
    [[nodiscard]] const std::map<PeerId, Peer>& all() const noexcept { return peers_; }
    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
    /// Where connected peers take connections.
    [[nodiscard]] bool is_connected(const Endpoint& endpoint) const;
    /// What the peers that this node has chosen have taken of the network.
    [[nodiscard]] std::set<ShareGroup> outbound_groups() const;
    /// The outbound peers that have been connected for longest, at most `most`.
    [[nodiscard]] std::vector<Endpoint> anchors(std::size_t most) const;

  private:
    [[nodiscard]] std::optional<GoodbyeReason> refusal(const Peer& newcomer, Moment now) const;
    [[nodiscard]] bool is_better(const Peer& newcomer, const Peer& old, Time now) const;
    std::optional<Departure> take_out(PeerId id, GoodbyeReason reason);
    void ban(const Peer& peer, const std::string& reason, UnixSeconds now);
    Peer* get(PeerId id);

    NodeId self_;
    BanList& bans_;
    PenaltyLedger& penalties_;
    chain::Hash256 salt_;
    Limits limits_;
    std::map<PeerId, Peer> peers_;
};

}  // namespace gradient::node
