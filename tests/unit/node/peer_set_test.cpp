#include "node/p2p/peer_set.hpp"

#include "node/p2p/eviction.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gradient::node {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr UnixSeconds kNow = 1'800'000'000;

NodeId node(std::uint32_t number) {
    NodeId id;
    for (std::size_t i = 0; i < 4; ++i) {
        id.bytes[3 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    }
    return id;
}

boost::asio::ip::address address(const std::string& text) {
    return boost::asio::ip::make_address(text);
}

Moment at(seconds passed) {
    return {Peer::Time(hours(100)) + passed, kNow + static_cast<UnixSeconds>(passed.count())};
}

Peer peer(std::uint64_t id, const NodeId& who, PeerKind kind, const std::string& ip = "8.1.0.1",
          std::uint16_t port = 9421) {
    Peer peer;
    peer.id = PeerId{id};
    peer.node = who;
    peer.kind = kind;
    peer.address = Endpoint(address(ip), port);
    return peer;
}

// One node's own peers, bans and scores.
struct Node {
    explicit Node(std::uint32_t number, PeerSet::Limits limits = {})
        : id(node(number)), peers(id, bans, penalties, chain::Hash256{}, limits) {}
    NodeId id;
    BanList bans;
    PenaltyLedger penalties;
    PeerSet peers;
};

TEST(PeerSet, takes_peers_until_its_slots_are_full) {
    Node self(0, {2, 1});
    EXPECT_FALSE(self.peers.admit(peer(1, node(1), PeerKind::inbound), at(0s)).refused);
    EXPECT_FALSE(self.peers.admit(peer(2, node(2), PeerKind::inbound), at(0s)).refused);
    EXPECT_EQ(self.peers.admit(peer(4, node(4), PeerKind::outbound), at(0s)).refused, std::nullopt);
    EXPECT_EQ(self.peers.admit(peer(5, node(5), PeerKind::outbound), at(0s)).refused,
              GoodbyeReason::too_many_peers);
    // The operator's are always taken, feelers too.
    EXPECT_FALSE(self.peers.admit(peer(6, node(6), PeerKind::fixed), at(0s)).refused);
    EXPECT_FALSE(self.peers.admit(peer(7, node(7), PeerKind::feeler), at(0s)).refused);
    EXPECT_EQ(self.peers.all().size(), 5U);
    ASSERT_TRUE(self.peers.remove(PeerId{4}));
    EXPECT_FALSE(self.peers.remove(PeerId{4}));
    EXPECT_FALSE(self.peers.admit(peer(8, node(8), PeerKind::outbound), at(0s)).refused);
}

TEST(PeerSet, refuses_itself_and_whoever_is_banned_or_has_a_score) {
    Node self(0);
    EXPECT_EQ(self.peers.admit(peer(1, node(0), PeerKind::outbound), at(0s)).refused,
              GoodbyeReason::self);
    const Ban ban{BanOrigin::misbehaviour, kNow, kNow + 60, ""};
    self.bans.add(node(1), ban, kNow);
    self.bans.add(banned_address(address("8.2.0.1")), ban, kNow);
    EXPECT_EQ(self.peers.admit(peer(2, node(1), PeerKind::inbound), at(0s)).refused,
              GoodbyeReason::banned);
    EXPECT_EQ(self.peers.admit(peer(3, node(2), PeerKind::inbound, "8.2.0.1"), at(0s)).refused,
              GoodbyeReason::banned);
    EXPECT_FALSE(self.peers.may_accept(address("8.2.0.1"), kNow));
    EXPECT_TRUE(self.peers.may_accept(address("8.2.0.1"), kNow + 60));
    EXPECT_FALSE(self.peers.admit(peer(4, node(1), PeerKind::inbound), at(60s)).refused);

    self.penalties.charge(node(5), {100, Sanction::disconnect, ""}, at(0s).steady);
    EXPECT_EQ(self.peers.admit(peer(5, node(5), PeerKind::inbound), at(0s)).refused,
              GoodbyeReason::misbehaviour);
    EXPECT_FALSE(self.peers.admit(peer(6, node(5), PeerKind::inbound), at(5min)).refused);
}

TEST(PeerSet, an_operators_fixed_peer_is_only_kept_away_by_the_operator) {
    Node self(0);
    self.bans.add(node(1), {BanOrigin::misbehaviour, kNow, kForever, ""}, kNow);
    EXPECT_FALSE(self.peers.admit(peer(1, node(1), PeerKind::fixed), at(0s)).refused);
    self.peers.punish(PeerId{1}, ProtocolOffence::unknown_type, at(0s));
    EXPECT_EQ(self.peers.find(PeerId{1}), nullptr);
    self.bans.add(node(1), {BanOrigin::node_operator, kNow, kForever, ""}, kNow);
    EXPECT_EQ(self.peers.admit(peer(2, node(1), PeerKind::fixed), at(0s)).refused,
              GoodbyeReason::banned);
}

TEST(PeerSet, grave_faults_ban_the_node_and_its_address_of_the_world) {
    Node self(0);
    self.peers.admit(peer(1, node(1), PeerKind::inbound, "8.1.0.1"), at(0s));
    self.peers.admit(peer(2, node(2), PeerKind::inbound, "127.0.0.1"), at(0s));
    self.peers.admit(peer(3, node(3), PeerKind::inbound, "127.0.0.1"), at(0s));
    for (const std::uint64_t id : {1U, 2U}) {
        EXPECT_EQ(self.peers.punish(PeerId{id}, chain::CodecError::truncated, at(0s)),
                  (Departure{PeerId{id}, GoodbyeReason::misbehaviour}));
    }
    EXPECT_EQ(self.peers.all().size(), 1U);
    EXPECT_NE(self.bans.find(node(1), kNow), nullptr);
    EXPECT_FALSE(self.peers.may_accept(address("8.1.0.1"), kNow));
    EXPECT_NE(self.bans.find(node(2), kNow), nullptr);
    EXPECT_TRUE(self.peers.may_accept(address("127.0.0.1"), kNow));  // others live there
    EXPECT_TRUE(self.peers.may_accept(address("8.1.0.1"), kNow + 24 * 3600));
}

TEST(PeerSet, light_faults_end_the_connection_without_a_ban) {
    Node self(0);
    self.peers.admit(peer(1, node(1), PeerKind::outbound), at(0s));
    EXPECT_EQ(self.peers.punish(PeerId{1}, chain::ShareRefusal::too_old, at(0s)), std::nullopt);
    std::optional<Departure> departure;
    for (int second = 0; !departure && second < 30; ++second) {
        departure = self.peers.punish(PeerId{1}, ProtocolOffence::stalled, at(seconds(second)));
    }
    EXPECT_TRUE(departure);
    EXPECT_TRUE(self.bans.all().empty());
    EXPECT_EQ(self.peers.punish(PeerId{1}, ProtocolOffence::stalled, at(0s)), std::nullopt);
}

TEST(PeerSet, a_new_ban_of_the_operators_drops_who_is_connected) {
    Node self(0);
    self.peers.admit(peer(1, node(1), PeerKind::fixed), at(0s));
    self.peers.admit(peer(2, node(2), PeerKind::inbound, "8.2.0.1"), at(0s));
    self.peers.admit(peer(3, node(3), PeerKind::inbound, "8.3.0.1"), at(0s));
    const Ban ban{BanOrigin::node_operator, kNow, kForever, ""};
    self.bans.add(node(1), ban, kNow);
    self.bans.add(banned_address(address("8.2.0.1")), ban, kNow);
    EXPECT_EQ(self.peers.drop_banned(kNow),
              (std::vector<Departure>{{PeerId{1}, GoodbyeReason::banned},
                                      {PeerId{2}, GoodbyeReason::banned}}));
    EXPECT_EQ(self.peers.all().size(), 1U);
}

// Two nodes that open connections to each other; every message takes its time.
class Crossing {
  public:
    explicit Crossing(std::uint32_t seed) : random_(seed) {}

    // Opens a connection from one of the nodes; both learn of it later, in any order.
    void open(int opener) {
        const std::uint64_t id = next_++;
        const Peer ours = peer(id, nodes_[1 - opener].id, PeerKind::outbound);
        const Peer theirs = peer(id, nodes_[opener].id, PeerKind::inbound);
        events_.push_back({opener, ours, true});
        events_.push_back({1 - opener, theirs, true});
    }

    void run() {
        while (!events_.empty()) {
            const std::size_t i = random_() % events_.size();
            const Event event = events_[i];
            events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(i));
            if (event.is_admission) {
                admit(event.at, event.peer);
            } else {
                nodes_[event.at].peers.remove(event.peer.id);
                closed_[event.at].insert(event.peer.id);
            }
        }
    }

    [[nodiscard]] std::set<PeerId> connections(int at) const {
        std::set<PeerId> ids;
        for (const auto& [id, peer] : nodes_[at].peers.all()) ids.insert(id);
        return ids;
    }

  private:
    struct Event {
        int at;
        Peer peer;
        bool is_admission;  // else the other side has closed
    };
    void admit(int where, const Peer& newcomer) {
        if (closed_[where].contains(newcomer.id)) return;  // the stream has ended before
        const Admission admission = nodes_[where].peers.admit(newcomer, at(0s));
        if (admission.refused) close(1 - where, newcomer.id);
        if (admission.dropped) close(1 - where, admission.dropped->peer);
    }
    void close(int where, PeerId id) {
        Peer gone;
        gone.id = id;
        events_.push_back({where, gone, false});
    }

    std::mt19937 random_;
    std::uint64_t next_ = 1;
    Node nodes_[2] = {Node(1), Node(2)};
    std::set<PeerId> closed_[2];
    std::vector<Event> events_;
};

TEST(PeerSet, two_nodes_that_call_each_other_keep_exactly_one_connection) {
    for (std::uint32_t seed = 0; seed < 500; ++seed) {
        Crossing crossing(seed);
        crossing.open(0);
        crossing.open(1);
        crossing.run();
        ASSERT_EQ(crossing.connections(0).size(), 1U) << "seed " << seed;
        ASSERT_EQ(crossing.connections(0), crossing.connections(1)) << "seed " << seed;
    }
}

TEST(PeerSet, a_connection_that_has_stood_for_long_is_kept) {
    for (const std::uint32_t other : {1U, 3U}) {
        Node self(2);
        self.peers.admit(peer(1, node(other), PeerKind::inbound), at(0s));
        self.peers.note_heard(PeerId{1}, at(40s).steady);
        EXPECT_EQ(self.peers.admit(peer(2, node(other), PeerKind::outbound), at(45s)).refused,
                  GoodbyeReason::already_connected);
        EXPECT_EQ(self.peers.admit(peer(3, node(other), PeerKind::inbound), at(45s)).refused,
                  GoodbyeReason::already_connected);
    }
}

TEST(PeerSet, a_silent_connection_gives_way_to_a_new_one_of_its_node) {
    Node self(0, {1, 1});
    self.peers.admit(peer(1, node(1), PeerKind::inbound), at(0s));
    const Admission admission = self.peers.admit(peer(2, node(1), PeerKind::inbound), at(25s));
    EXPECT_FALSE(admission.refused);
    EXPECT_EQ(admission.dropped, (Departure{PeerId{1}, GoodbyeReason::already_connected}));
    EXPECT_EQ(self.peers.all().size(), 1U);
}

TEST(PeerSet, a_laggard_goes_after_ten_minutes_and_only_if_it_was_chosen) {
    Node self(0);
    const chain::U256 floor(1000);
    for (std::uint64_t id = 1; id <= 4; ++id) {
        const PeerKind kinds[] = {PeerKind::outbound, PeerKind::outbound, PeerKind::inbound,
                                  PeerKind::fixed};
        Peer one = peer(id, node(static_cast<std::uint32_t>(id)), kinds[id - 1]);
        one.hello.tip.cumulative_work = chain::U256(id == 1 ? 1000 : 999);
        self.peers.admit(one, at(0s));
    }
    EXPECT_EQ(self.peers.drop_laggard(floor, at(0s).steady), std::nullopt);
    EXPECT_EQ(self.peers.drop_laggard(floor, at(599s).steady), std::nullopt);
    const auto gone = self.peers.drop_laggard(floor, at(600s).steady);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->peer, PeerId{2});
    EXPECT_EQ(self.peers.drop_laggard(floor, at(2h).steady), std::nullopt);
}

TEST(PeerSet, a_laggard_that_catches_up_begins_anew) {
    Node self(0);
    self.peers.admit(peer(1, node(1), PeerKind::outbound), at(0s));
    EXPECT_FALSE(self.peers.drop_laggard(chain::U256(10), at(0s).steady));
    self.peers.note_tip(PeerId{1}, {5, {}, chain::U256(10)});
    EXPECT_FALSE(self.peers.drop_laggard(chain::U256(10), at(599s).steady));
    EXPECT_FALSE(self.peers.drop_laggard(chain::U256(11), at(601s).steady));
    EXPECT_FALSE(self.peers.drop_laggard(chain::U256(11), at(1200s).steady));
    EXPECT_TRUE(self.peers.drop_laggard(chain::U256(11), at(1201s).steady));
}

TEST(PeerSet, unasked_addresses_are_rationed) {
    Node self(0);
    self.peers.admit(peer(1, node(1), PeerKind::inbound), at(0s));
    EXPECT_EQ(self.peers.allow_addresses(PeerId{1}, 256, at(0s).steady), 1U);
    EXPECT_EQ(self.peers.allow_addresses(PeerId{1}, 256, at(0s).steady), 0U);
    EXPECT_EQ(self.peers.allow_addresses(PeerId{1}, 256, at(100s).steady), 10U);
    self.peers.expect_addresses(PeerId{1});
    EXPECT_EQ(self.peers.allow_addresses(PeerId{1}, 256, at(100s).steady), 256U);
    EXPECT_EQ(self.peers.allow_addresses(PeerId{1}, 5000, at(100h).steady), 1000U);
    EXPECT_TRUE(self.peers.take_answer(PeerId{1}));
    EXPECT_FALSE(self.peers.take_answer(PeerId{1}));
}

TEST(PeerSet, knows_its_groups_anchors_and_where_peers_listen) {
    Node self(0);
    self.peers.admit(peer(2, node(2), PeerKind::outbound, "8.2.0.1"), at(0s));
    self.peers.admit(peer(1, node(1), PeerKind::outbound, "8.2.0.2"), at(1s));
    Peer caller = peer(3, node(3), PeerKind::inbound, "8.3.0.1", 55'555);
    caller.hello.listen_port = 9421;
    self.peers.admit(caller, at(2s));
    EXPECT_EQ(self.peers.outbound_groups().size(), 1U);
    EXPECT_EQ(self.peers.anchors(1), std::vector{Endpoint(address("8.2.0.1"), 9421)});
    EXPECT_EQ(self.peers.anchors(9).size(), 2U);
    EXPECT_TRUE(self.peers.is_connected(Endpoint(address("8.3.0.1"), 9421)));
    EXPECT_FALSE(self.peers.is_connected(Endpoint(address("8.3.0.1"), 55'555)));
}

// A hundred attackers of one network group, with pings that no honest peer has, call again and
// again at a node that has twenty honest inbound peers.
TEST(Eviction, attackers_of_one_group_push_out_no_honest_peer) {
    Node self(0);
    std::mt19937 random(3);
    std::set<NodeId> honest;
    std::uint64_t next = 1;
    seconds now{0};
    const auto join = [&](const NodeId& who, const std::string& ip, milliseconds ping) {
        const PeerId id{next++};
        Peer newcomer = peer(0, who, PeerKind::inbound, ip, static_cast<std::uint16_t>(next));
        newcomer.id = id;
        if (!self.peers.admit(newcomer, at(now)).refused) self.peers.note_ping(id, ping);
    };
    // Attackers come first: they are connected for longer than anybody.
    for (std::uint32_t i = 0; i < 100; ++i, ++now) {
        join(node(1000 + i), "6.6.0." + std::to_string(i), 1ms);
    }
    for (std::uint32_t i = 0; i < 20; ++i, ++now) {
        honest.insert(node(i + 1));
        join(node(i + 1), std::to_string(20 + i) + ".1.0.1", 80ms);
    }
    for (int round = 0; round < 10'000; ++round, ++now) {
        const auto i = static_cast<std::uint32_t>(random() % 5000);
        join(node(1000 + i), "6.6." + std::to_string(i % 250) + "." + std::to_string(i % 100), 1ms);
    }
    EXPECT_EQ(self.peers.count(PeerKind::inbound), kMaxInbound);
    std::size_t left = 0;
    for (const auto& [id, one] : self.peers.all()) left += honest.contains(one.node) ? 1U : 0U;
    EXPECT_EQ(left, honest.size());
}

TEST(Eviction, useful_peers_stay_where_all_are_of_one_group) {
    Node self(0);
    seconds now{0};
    for (std::uint32_t i = 0; i < kMaxInbound; ++i, ++now) {
        self.peers.admit(peer(i + 1, node(i + 1), PeerKind::inbound, "127.0.0.1"), at(now));
    }
    // The newest, which would go first, prove useful.
    self.peers.note_merit(PeerId{64}, Merit::block, at(now).steady);
    self.peers.note_merit(PeerId{63}, Merit::share, at(now).steady);
    self.peers.note_merit(PeerId{62}, Merit::transaction, at(now).steady);
    self.peers.note_ping(PeerId{61}, 1ms);
    const Admission admission = self.peers.admit(peer(99, node(99), PeerKind::inbound), at(now));
    ASSERT_TRUE(admission.dropped);
    EXPECT_EQ(admission.dropped->peer, PeerId{60});
}

TEST(Eviction, only_inbound_peers_go_and_none_if_all_are_worth_keeping) {
    std::vector<Peer> peers;
    for (std::uint32_t i = 0; i < 10; ++i) {
        peers.push_back(peer(i, node(i), PeerKind::outbound));
        peers.push_back(peer(100 + i, node(100 + i), PeerKind::fixed));
    }
    peers.push_back(peer(200, node(200), PeerKind::inbound));
    std::vector<const Peer*> list;
    for (const Peer& one : peers) list.push_back(&one);
    EXPECT_EQ(peer_to_evict(list, {}), std::nullopt);  // its group protects it
    EXPECT_EQ(peer_to_evict({}, {}), std::nullopt);
}

}  // namespace
}  // namespace gradient::node
