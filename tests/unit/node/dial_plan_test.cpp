#include "node/p2p/dial_plan.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
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

chain::Hash256 hash(std::uint32_t number) {
    return chain::Hash256{node(number).bytes};
}

Endpoint endpoint(const std::string& ip, std::uint16_t port = 9421) {
    return {boost::asio::ip::make_address(ip), port};
}

AddressRecord record(const Endpoint& where) {
    return {ip_bytes(where.address()), where.port(), 1, kNow};
}

Moment at(milliseconds passed) {
    return {Peer::Time(hours(100)) + passed,
            kNow + static_cast<UnixSeconds>(passed.count() / 1000)};
}

class DialPlanTest : public testing::Test {
  protected:
    void know(const std::string& ip, std::uint16_t port = 9421) {
        const Endpoint where = endpoint(ip, port);
        book_.add(where.address(), std::vector{record(where)}, kNow);
    }
    DialPlan plan(DialPlan::Sources sources = {}) {
        return DialPlan(std::move(sources), book_, peers_, hash(3));
    }
    // The order comes to a connection.
    PeerId connect(DialPlan& plan, const DialOrder& order, std::uint32_t who, Moment now) {
        Peer peer;
        peer.id = PeerId{++next_};
        peer.node = node(who);
        peer.kind = order.kind;
        const auto* target = std::get_if<Endpoint>(&order.target);
        peer.address =
            target ? *target : *parse_endpoint(format_host_port(std::get<HostPort>(order.target)));
        EXPECT_FALSE(peers_.admit(peer, now).refused);
        plan.finished(order, DialOutcome::connected, peer.node, 1, now);
        return peer.id;
    }
    void disconnect(DialPlan& plan, PeerId id, Moment now) {
        const auto peer = peers_.remove(id);
        ASSERT_TRUE(peer);
        plan.lost(*peer, now);
    }

    BanList bans_;
    PenaltyLedger penalties_;
    PeerSet peers_{node(0), bans_, penalties_, {}, {}};
    AddressBook book_{hash(1), hash(2)};
    std::uint64_t next_ = 0;
};

TEST_F(DialPlanTest, fixed_peers_come_first_then_anchors_then_the_book) {
    know("8.1.0.1");
    DialPlan dials = plan({{{"a.example", 1}, {"8.9.0.1", 2}}, {endpoint("8.5.0.1")}, {}});
    const auto first = dials.next(at(0s));
    const auto second = dials.next(at(0s));
    const auto third = dials.next(at(0s));
    const auto fourth = dials.next(at(0s));
    EXPECT_EQ(first, (DialOrder{PeerKind::fixed, HostPort{"a.example", 1}}));
    EXPECT_EQ(second, (DialOrder{PeerKind::fixed, HostPort{"8.9.0.1", 2}}));
    EXPECT_EQ(third, (DialOrder{PeerKind::outbound, endpoint("8.5.0.1")}));
    EXPECT_EQ(fourth, (DialOrder{PeerKind::outbound, endpoint("8.1.0.1")}));
    EXPECT_EQ(dials.next(at(0s)), std::nullopt);
}

TEST_F(DialPlanTest, a_fixed_peer_is_tried_for_ever_from_each_second_to_each_ten) {
    DialPlan dials = plan({{{"8.9.0.1", 2}}, {}, {}});
    milliseconds now{0};
    for (const seconds delay : {1s, 2s, 4s, 8s, 10s, 10s, 10s}) {
        const auto order = dials.next(at(now));
        ASSERT_TRUE(order) << delay.count();
        dials.finished(*order, DialOutcome::failed, std::nullopt, 0, at(now));
        EXPECT_FALSE(dials.next(at(now + delay * 3 / 4 - 1ms)));
        now += delay * 5 / 4;
    }
    now += 5s;
    // A connection that lasts ends the row, one that does not goes on with it.
    auto order = dials.next(at(now));
    ASSERT_TRUE(order);
    PeerId id = connect(dials, *order, 7, at(now));
    EXPECT_FALSE(dials.next(at(now + 10min)));
    disconnect(dials, id, at(now + 1s));
    EXPECT_FALSE(dials.next(at(now + 8s)));
    now += 25s;
    order = dials.next(at(now));
    ASSERT_TRUE(order);
    id = connect(dials, *order, 7, at(now));
    now += 10min;
    disconnect(dials, id, at(now));
    EXPECT_TRUE(dials.next(at(now + 2s)));
}

TEST_F(DialPlanTest, a_fixed_peer_that_has_called_us_is_not_called) {
    DialPlan dials = plan({{{"8.9.0.1", 2}}, {}, {}});
    const auto order = dials.next(at(0s));
    ASSERT_TRUE(order);
    Peer caller;
    caller.id = PeerId{100};
    caller.node = node(7);
    peers_.admit(caller, at(0s));
    dials.finished(*order, DialOutcome::already_connected, node(7), 1, at(0s));
    EXPECT_FALSE(dials.next(at(10min)));
    peers_.remove(PeerId{100});
    EXPECT_TRUE(dials.next(at(10min)));
}

TEST_F(DialPlanTest, an_address_of_this_node_is_never_called_again) {
    know("8.1.0.1");
    DialPlan dials = plan({{{"8.9.0.1", 2}}, {}, {}});
    for (int i = 0; i < 2; ++i) {
        const auto order = dials.next(at(0s));
        ASSERT_TRUE(order);
        dials.finished(*order, DialOutcome::self, node(0), 1, at(0s));
    }
    know("8.1.0.1");
    for (seconds now = 0s; now < 2h; now += 10s) ASSERT_FALSE(dials.next(at(now)));
}

TEST_F(DialPlanTest, outbound_peers_are_of_distinct_groups_if_the_book_has_any) {
    for (int i = 0; i < 20; ++i) know("6.6.0." + std::to_string(i));
    for (int i = 0; i < 5; ++i) know("8." + std::to_string(i) + ".0.1");
    DialPlan dials = plan();
    std::set<ShareGroup> groups;
    std::uint32_t who = 0;
    while (const auto order = dials.next(at(0s))) {
        const Endpoint& where = std::get<Endpoint>(order->target);
        const bool is_new = groups.insert(share_group(where)).second;
        EXPECT_EQ(is_new, who < 6) << who;
        connect(dials, *order, ++who, at(0s));
    }
    // Nothing else is left: the attackers' group gets the other two slots.
    EXPECT_EQ(who, kMaxOutbound);
}

TEST_F(DialPlanTest, another_group_that_only_rests_is_waited_for) {
    know("6.6.0.1");
    know("6.6.0.2");
    know("8.1.0.1");
    book_.mark_connected(endpoint("8.1.0.1"), 1, kNow);  // just now: it rests
    DialPlan dials = plan();
    const auto order = dials.next(at(0s));
    ASSERT_TRUE(order);
    connect(dials, *order, 1, at(0s));
    EXPECT_FALSE(dials.next(at(5s)));
    EXPECT_EQ(dials.next(at(10s)), (DialOrder{PeerKind::outbound, endpoint("8.1.0.1")}));
}

TEST_F(DialPlanTest, all_nodes_of_one_machine_may_be_peers) {
    for (std::uint16_t port = 1; port <= 20; ++port) know("127.0.0.1", port);
    DialPlan dials = plan();
    std::uint32_t who = 0;
    while (const auto order = dials.next(at(0s))) connect(dials, *order, ++who, at(0s));
    EXPECT_EQ(who, kMaxOutbound);
}

TEST_F(DialPlanTest, few_connections_are_opened_at_a_time) {
    for (int i = 0; i < 20; ++i) know("8." + std::to_string(i) + ".0.1");
    DialPlan dials = plan();
    std::vector<DialOrder> orders;
    while (const auto order = dials.next(at(0s))) orders.push_back(*order);
    ASSERT_EQ(orders.size(), kMaxDials);
    dials.finished(orders[0], DialOutcome::failed, std::nullopt, 0, at(0s));
    EXPECT_TRUE(dials.next(at(0s)));
    EXPECT_FALSE(dials.next(at(0s)));
}

TEST_F(DialPlanTest, a_feeler_goes_out_every_two_minutes) {
    for (int i = 0; i < 200; ++i) know("8." + std::to_string(i) + ".0.1");
    DialPlan dials = plan();
    std::uint32_t who = 0;
    while (const auto order = dials.next(at(0s))) connect(dials, *order, ++who, at(0s));
    int feelers = 0;
    for (seconds now = 0s; now < 1h; now += 1s) {
        const auto order = dials.next(at(now));
        if (!order) continue;
        ASSERT_EQ(order->kind, PeerKind::feeler);
        ++feelers;
        dials.finished(*order, DialOutcome::connected, node(1000), 1, at(now));
        EXPECT_TRUE(book_.find(std::get<Endpoint>(order->target))->is_tried);
    }
    EXPECT_GE(feelers, 24);
    EXPECT_LE(feelers, 40);
}

TEST_F(DialPlanTest, seeds_are_asked_only_by_who_knows_nobody) {
    DialPlan dials = plan({{}, {}, {{"seed.example", 9421}}});
    EXPECT_EQ(dials.seeds_to_ask(at(0s)).size(), 1U);
    EXPECT_TRUE(dials.seeds_to_ask(at(1s)).empty());
    EXPECT_EQ(dials.seeds_to_ask(at(80s)).size(), 1U);
    dials.take_seeds(std::vector{endpoint("127.0.0.1", 5), endpoint("8.1.0.1")}, at(80s));
    EXPECT_EQ(book_.size(), 2U);
    EXPECT_TRUE(dials.seeds_to_ask(at(10min)).empty());
}

TEST_F(DialPlanTest, the_operator_may_add_and_remove_fixed_peers) {
    DialPlan dials = plan();
    EXPECT_TRUE(dials.add_fixed({"8.9.0.1", 2}));
    EXPECT_FALSE(dials.add_fixed({"8.9.0.1", 2}));
    EXPECT_TRUE(dials.next(at(0s)));
    EXPECT_TRUE(dials.remove_fixed({"8.9.0.1", 2}));
    EXPECT_FALSE(dials.remove_fixed({"8.9.0.1", 2}));
    EXPECT_FALSE(dials.next(at(1h)));
    for (std::uint16_t i = 0; i < kMaxFixedPeers; ++i) dials.add_fixed({"h.example", i});
    EXPECT_FALSE(dials.add_fixed({"8.9.0.1", 2}));
}

// Many nodes on one machine that only know the first. They connect, tell one another addresses,
// break off and come back, in a second each.
class Machine {
  public:
    Machine(std::size_t count, std::uint32_t seed) : random_(seed) {
        for (std::size_t i = 0; i < count; ++i) nodes_.push_back(std::make_unique<Node>(i));
    }

    void second() {
        ++now_;
        for (auto& node : nodes_) {
            if (!node) continue;
            const auto seeds = node->plan.seeds_to_ask(at(now_));
            if (!seeds.empty()) node->plan.take_seeds(std::vector{where(0)}, at(now_));
            while (const auto order = node->plan.next(at(now_))) dial(*node, *order);
        }
    }
    void break_one() {
        if (links_.empty()) return;
        auto link = links_.begin();
        std::advance(link, static_cast<std::ptrdiff_t>(random_() % links_.size()));
        close(link->first);
    }
    void restart(std::size_t i) {
        const auto all = links_;
        for (const auto& [id, ends] : all) {
            if (ends.first == i || ends.second == i) close(id);
        }
        nodes_[i] = std::make_unique<Node>(i);
    }

    // Both ends know the same connections, no two nodes have two, and nobody talks to himself.
    void check() const {
        std::set<std::pair<std::size_t, std::size_t>> pairs;
        for (const auto& [id, ends] : links_) {
            EXPECT_NE(ends.first, ends.second);
            EXPECT_TRUE(pairs.insert(std::minmax(ends.first, ends.second)).second);
            EXPECT_NE(nodes_[ends.first]->peers.find(id), nullptr);
            EXPECT_NE(nodes_[ends.second]->peers.find(id), nullptr);
        }
        std::size_t sum = 0;
        for (const auto& node : nodes_) {
            sum += node->peers.all().size();
            EXPECT_LE(node->peers.count(PeerKind::outbound), kMaxOutbound);
            EXPECT_LE(node->peers.count(PeerKind::inbound), kMaxInbound);
        }
        EXPECT_EQ(sum, 2 * links_.size());
    }
    // How many nodes can be reached from the first.
    [[nodiscard]] std::size_t reached() const {
        std::set<std::size_t> known = {0};
        for (bool grows = true; grows;) {
            const std::size_t before = known.size();
            for (const auto& [id, ends] : links_) {
                if (known.contains(ends.first)) known.insert(ends.second);
                if (known.contains(ends.second)) known.insert(ends.first);
            }
            grows = known.size() > before;
        }
        return known.size();
    }
    [[nodiscard]] std::size_t peers_of(std::size_t i) const {
        return nodes_[i]->peers.all().size();
    }

  private:
    static Endpoint where(std::size_t i) {
        return endpoint("127.0.0.1", static_cast<std::uint16_t>(10'000 + i));
    }
    static NodeId name(std::size_t i) {
        return node(static_cast<std::uint32_t>(i * 7919 % 65'521));
    }

    struct Node {
        explicit Node(std::size_t i)
            : number(i),
              peers(name(i), bans, penalties, {}, {}),
              book(hash(static_cast<std::uint32_t>(i)), hash(1)),
              plan({{}, {}, {{"127.0.0.1", 10'000}}}, book, peers,
                   hash(static_cast<std::uint32_t>(i))) {}
        std::size_t number;
        BanList bans;
        PenaltyLedger penalties;
        PeerSet peers;
        AddressBook book;
        DialPlan plan;
    };

    void dial(Node& from, const DialOrder& order) {
        const std::size_t i = std::get<Endpoint>(order.target).port() - 10'000U;
        if (i == from.number) {
            from.plan.finished(order, DialOutcome::self, name(i), 0, at(now_));
            return;
        }
        Node& to = *nodes_[i];
        Peer ours = end(order.kind, i);
        const Admission here = from.peers.admit(ours, at(now_));
        if (here.refused) {
            const bool known = *here.refused == GoodbyeReason::already_connected;
            from.plan.finished(order, known ? DialOutcome::already_connected : DialOutcome::refused,
                               name(i), 0, at(now_));
            return;
        }
        Peer theirs = end(PeerKind::inbound, from.number);
        theirs.id = ours.id;
        theirs.address.port(static_cast<std::uint16_t>(40'000 + random_() % 20'000));
        links_[ours.id] = {from.number, i};
        if (here.dropped) close(here.dropped->peer);
        const Admission there = to.peers.admit(theirs, at(now_));
        if (there.dropped) close(there.dropped->peer);
        from.plan.finished(order, there.refused ? DialOutcome::refused : DialOutcome::connected,
                           name(i), 1, at(now_));
        if (there.refused || order.kind == PeerKind::feeler) {
            close(ours.id);
            return;
        }
        exchange(from, to);
    }
    Peer end(PeerKind kind, std::size_t other) {
        Peer peer;
        peer.id = PeerId{++next_};
        peer.node = name(other);
        peer.kind = kind;
        peer.address = where(other);
        peer.hello.listen_port = where(other).port();
        return peer;
    }
    void exchange(Node& from, Node& to) {
        const auto here = endpoint("127.0.0.1").address();
        to.book.add(here, std::vector{record(where(from.number))}, at(now_).unix_s);
        from.book.add(here, to.book.answer(here, at(now_).unix_s), at(now_).unix_s);
    }
    void close(PeerId id) {
        const auto link = links_.find(id);
        if (link == links_.end()) return;
        for (const std::size_t i : {link->second.first, link->second.second}) {
            if (const auto peer = nodes_[i]->peers.remove(id))
                nodes_[i]->plan.lost(*peer, at(now_));
        }
        links_.erase(link);
    }

    std::mt19937 random_;
    seconds now_{0};
    std::uint64_t next_ = 0;
    std::map<PeerId, std::pair<std::size_t, std::size_t>> links_;
    std::vector<std::unique_ptr<Node>> nodes_;
};

TEST(DialPlanNetwork, nodes_of_one_machine_that_know_one_seed_find_one_another) {
    Machine machine(40, 1);
    for (int i = 0; i < 300; ++i) machine.second();
    machine.check();
    EXPECT_EQ(machine.reached(), 40U);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_GE(machine.peers_of(i), 8U) << i;
}

TEST(DialPlanNetwork, two_nodes_meet_at_once) {
    Machine machine(2, 1);
    machine.second();
    EXPECT_EQ(machine.reached(), 2U);
}

TEST(DialPlanNetwork, broken_connections_and_restarts_heal) {
    for (std::uint32_t seed = 0; seed < 5; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Machine machine(15, seed);
        std::mt19937 random(seed);
        for (int i = 0; i < 500; ++i) {
            machine.second();
            if (random() % 2 == 0) machine.break_one();
            if (random() % 50 == 0) machine.restart(random() % 15);
            machine.check();
        }
        for (int i = 0; i < 300; ++i) machine.second();
        machine.check();
        EXPECT_EQ(machine.reached(), 15U);
    }
}

}  // namespace
}  // namespace gradient::node
