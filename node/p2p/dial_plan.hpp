#pragma once

// Whom this node connects to next, and when: the operator's peers always, then those of the last
// run, then the address book. Whoever does connect asks next() now and then, and says through
// finished() what came of each order and through lost() when such a connection ends.

#include "chain/base/bytes.hpp"
#include "node/p2p/address_book.hpp"
#include "node/p2p/dice.hpp"
#include "node/p2p/moment.hpp"
#include "node/p2p/net_address.hpp"
#include "node/p2p/peer_set.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <variant>
#include <vector>

namespace gradient::node {

/// Between two tries of a fixed peer: the first, doubled by each failure in a row up to the second;
/// each up to a quarter more or less. A connection that lasts for the second ends the row.
inline constexpr std::chrono::milliseconds kFixedDelay{1000};
inline constexpr std::chrono::milliseconds kMaxFixedDelay{10'000};
/// Between two feelers, up to a quarter more or less.
inline constexpr std::chrono::milliseconds kFeelerInterval = std::chrono::minutes(2);
/// Between two times that the seeds are asked.
inline constexpr std::chrono::milliseconds kSeedInterval = std::chrono::minutes(1);
/// Outbound connections that are being opened at one time.
inline constexpr std::size_t kMaxDials = 4;
/// Peers that an operator may fix.
inline constexpr std::size_t kMaxFixedPeers = 64;

/// A connection to be opened.
struct DialOrder {
    PeerKind kind = PeerKind::outbound;       ///< outbound, feeler or fixed
    std::variant<Endpoint, HostPort> target;  ///< a fixed peer's may be a name

    friend bool operator==(const DialOrder&, const DialOrder&) = default;
};

/// What came of it.
enum class DialOutcome : std::uint8_t {
    connected,          // it is in the peer set, or was a feeler and good
    already_connected,  // there is another connection with that node
    refused,            // it is a node of this network, and has said or been told goodbye
    failed,             // no connection, no TLS, no hello
    wrong_network,      // it is of another network
    self,               // it is this very node
};

/// The plan. Deterministic given the seed and the calls. Not thread-safe; what it refers to must
/// outlive it.
class DialPlan {
  public:
    struct Sources {
        std::vector<HostPort> fixed;    ///< the first kMaxFixedPeers count
        std::vector<Endpoint> anchors;  ///< see AddressBook's file
        std::vector<HostPort> seeds;
    };

    DialPlan(Sources sources, AddressBook& book, const PeerSet& peers, const chain::Hash256& seed);

    /// The next connection to open now, if any; ask again until there is none.
    std::optional<DialOrder> next(Moment now);

    /// What came of an order. `node`: the other side's identity, if it came to that; `services`:
    /// what its hello claims.
    void finished(const DialOrder& order, DialOutcome outcome, const std::optional<NodeId>& node,
                  std::uint32_t services, Moment now);

    /// A peer that this node has dialled is no longer connected.
    void lost(const Peer& peer, Moment now);

    /// The seeds whose addresses are to be looked up and given to take_seeds() now; none mostly.
    std::vector<HostPort> seeds_to_ask(Moment now);
    void take_seeds(std::span<const Endpoint> endpoints, Moment now);

    /// The operator adds or removes a fixed peer; false if it is one, or none, already or there are
    /// too many.
    bool add_fixed(const HostPort& peer);
    bool remove_fixed(const HostPort& peer);
    [[nodiscard]] std::vector<HostPort> fixed() const;

  private:
    using Time = std::chrono::steady_clock::time_point;
    enum class FixedState : std::uint8_t { idle, dialling, connected, self };
    struct Fixed {
        HostPort target;
        FixedState state = FixedState::idle;
        Time next;
        std::uint32_t failures = 0;
        std::optional<NodeId> node;  // who is there, once known
    };

    std::optional<DialOrder> next_fixed(Time now);
    std::optional<DialOrder> next_anchor();
    std::optional<DialOrder> next_outbound(Moment now);
    std::optional<DialOrder> next_feeler(Moment now);
    DialOrder start(PeerKind kind, const Endpoint& endpoint);
    [[nodiscard]] bool is_free(const Endpoint& endpoint) const;
    [[nodiscard]] std::size_t dialling(PeerKind kind) const;
    void finish_fixed(const HostPort& target, DialOutcome outcome,
                      const std::optional<NodeId>& node, Time now);
    void finish_known(const Endpoint& endpoint, DialOutcome outcome, std::uint32_t services,
                      UnixSeconds now);
    void wait(Fixed& fixed, Time now);
    std::chrono::milliseconds jittered(std::chrono::milliseconds time);

    AddressBook& book_;
    const PeerSet& peers_;
    Dice dice_;
    std::vector<Fixed> fixed_;
    std::deque<Endpoint> anchors_;
    std::vector<HostPort> seeds_;
    std::vector<std::pair<PeerKind, Endpoint>> dialling_;  // orders for the book's addresses
    std::set<Endpoint> own_;                               // addresses that lead to this node
    std::optional<Time> next_feeler_;
    std::optional<Time> next_seeds_;
};

}  // namespace gradient::node
