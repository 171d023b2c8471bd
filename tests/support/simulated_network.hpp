#pragma once

#include "chain/base/check.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/peer_id.hpp"
#include "node/sync/outlets.hpp"
#include "tests/support/random_dataset.hpp"

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace gradient::test {

using namespace std::chrono_literals;  // NOLINT(google-global-names-in-headers)

/// Many nodes in one thread, joined by links that take simulated time. Nothing sleeps: time jumps
/// from one event to the next. Every message goes through the real codec. Deterministic for a seed.
///
/// A node is whatever sits behind an Endpoint; it may call send(), connect(), disconnect() and
/// after() from its handlers at will.
class SimulatedNetwork {
  public:
    using Duration = std::chrono::steady_clock::duration;
    enum class NodeIndex : std::size_t {};

    struct Link {
        Duration latency = 20ms;
        std::size_t bytes_per_second = 10'000'000;  ///< each way
        unsigned loss_percent = 0;                  ///< of messages that never arrive
    };

    /// What a node does. Empty functions do nothing.
    struct Endpoint {
        std::function<void(node::PeerId)> connected;
        std::function<void(node::PeerId)> disconnected;
        std::function<void(node::PeerId, node::Message)> receive;
        std::function<void()> tick;  ///< every kTickInterval
    };

    static constexpr Duration kTickInterval = 100ms;

    explicit SimulatedNetwork(std::uint64_t seed = 1) : dice_(seed) {}

    [[nodiscard]] node::SteadyTime now() const { return now_; }

    // ---- nodes and links

    NodeIndex add_node(Endpoint endpoint) {
        const auto index = NodeIndex(nodes_.size());
        nodes_.push_back(std::move(endpoint));
        after(kTickInterval, [this, index] { tick(index); });
        return index;
    }

    /// Takes a node away: its connections are cut, and nothing reaches it any more.
    void remove_node(NodeIndex index) {
        nodes_[std::size_t(index)] = Endpoint{};
        removed_.insert(index);
        std::vector<node::PeerId> cut;
        for (const auto& [peer, end] : ends_) {
            if (end.owner == index) cut.push_back(peer);
        }
        for (const node::PeerId peer : cut) disconnect(peer);
    }

    /// Joins two nodes; both are told after the link's latency. How `a` calls the connection comes
    /// back.
    node::PeerId connect(NodeIndex a, NodeIndex b, const Link& link) {
        const auto at_a = node::PeerId(next_peer_++);
        const auto at_b = node::PeerId(next_peer_++);
        ends_[at_a] = End{a, at_b, link, now_, {}, 0};
        ends_[at_b] = End{b, at_a, link, now_, {}, 0};
        for (const node::PeerId peer : {at_a, at_b}) {
            after(link.latency, [this, peer] {
                const auto end = ends_.find(peer);
                if (end == ends_.end()) return;
                const auto& told = node_of(end->second.owner).connected;
                if (told) told(peer);
            });
        }
        return at_a;
    }
    node::PeerId connect(NodeIndex a, NodeIndex b) { return connect(a, b, Link()); }

    /// Cuts a connection, named by either end. What is under way is lost; both are told at once.
    void disconnect(node::PeerId peer) {
        const auto end = ends_.find(peer);
        if (end == ends_.end()) return;
        const node::PeerId other = end->second.other;
        for (const node::PeerId gone : {peer, other}) {
            const NodeIndex owner = ends_.at(gone).owner;
            ends_.erase(gone);
            after(Duration::zero(), [this, gone, owner] {
                const auto& told = node_of(owner).disconnected;
                if (told) told(gone);
            });
        }
    }
    [[nodiscard]] bool is_connected(node::PeerId peer) const { return ends_.contains(peer); }
    /// Who is at the other end.
    [[nodiscard]] NodeIndex node_behind(node::PeerId peer) const {
        return ends_.at(ends_.at(peer).other).owner;
    }
    /// How the node at the other end calls the connection.
    [[nodiscard]] node::PeerId other_end(node::PeerId peer) const { return ends_.at(peer).other; }

    // ---- messages

    /// Sees every message when it is sent, and may change it, or lose it by returning false: how
    /// tests make a node lie or fall silent.
    std::function<bool(NodeIndex sender, node::PeerId peer, node::Message&)> intercept;

    /// Sends over a connection of the sender's; nothing happens if that is gone.
    void send(node::PeerId peer, node::Message message) {
        const auto end = ends_.find(peer);
        if (end == ends_.end()) return;
        if (intercept && !intercept(end->second.owner, peer, message)) return;
        const chain::Bytes frame = node::encode_frame(message);
        End& its = end->second;
        its.sent_bytes += frame.size();
        const auto transfer =
            std::chrono::nanoseconds(frame.size() * 1'000'000'000ULL / its.link.bytes_per_second);
        its.free_at = std::max(its.free_at, now_) + transfer;
        ++sent_[message.index()];
        if (its.link.loss_percent > 0 && dice_.in(0, 99) < std::int64_t(its.link.loss_percent)) {
            return;
        }
        its.queue.push_back({its.free_at, frame.size()});
        const node::PeerId other = its.other;
        at(its.free_at + its.link.latency, [this, other, frame] { deliver(other, frame); });
    }

    /// Bytes that have not left the sender yet.
    [[nodiscard]] std::size_t queued_bytes(node::PeerId peer) {
        const auto end = ends_.find(peer);
        if (end == ends_.end()) return 0;
        std::size_t bytes = 0;
        auto& queue = end->second.queue;
        std::erase_if(queue, [&](const Queued& queued) { return queued.leaves <= now_; });
        for (const Queued& queued : queue) bytes += queued.bytes;
        return bytes;
    }
    /// Bytes that have been sent over a connection from one end.
    [[nodiscard]] std::size_t sent_bytes(node::PeerId peer) const {
        return ends_.at(peer).sent_bytes;
    }
    /// Bytes that have come over a connection to one end, those of unfinished frames too.
    [[nodiscard]] std::size_t received_bytes(node::PeerId peer) const {
        const auto end = ends_.find(peer);
        if (end == ends_.end()) return 0;
        const End& sender = ends_.at(end->second.other);
        const auto waits = std::max(sender.free_at - now_, node::SteadyTime::duration::zero());
        const double remaining = std::chrono::duration<double>(waits).count() *
                                 static_cast<double>(sender.link.bytes_per_second);
        return sender.sent_bytes -
               std::min(sender.sent_bytes, static_cast<std::size_t>(std::ceil(remaining)));
    }
    /// Messages of a type that have been sent by anybody.
    template <class Type>
    [[nodiscard]] std::size_t sent() const {
        const auto found = sent_.find(node::Message(Type{}).index());
        return found == sent_.end() ? 0 : found->second;
    }

    // ---- time

    void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
    /// The same for a node; nothing happens if it has been taken away by then.
    void after(NodeIndex owner, Duration delay, std::function<void()> what) {
        after(delay, [this, owner, what = std::move(what)] {
            if (!removed_.contains(owner)) what();
        });
    }
    void at(node::SteadyTime time, std::function<void()> what) {
        events_.emplace(std::pair(time, next_event_++), std::move(what));
    }

    void run_for(Duration duration) {
        run_until([] { return false; }, duration);
    }
    /// Runs until the condition holds, or that long. Whether it holds.
    bool run_until(const std::function<bool()>& condition, Duration limit) {
        const node::SteadyTime end = now_ + limit;
        while (!condition()) {
            if (events_.empty() || events_.begin()->first.first > end) {
                now_ = end;
                return condition();
            }
            auto event = events_.extract(events_.begin());
            now_ = event.key().first;
            event.mapped()();
        }
        return true;
    }

  private:
    struct Queued {
        node::SteadyTime leaves;
        std::size_t bytes = 0;
    };
    struct End {
        NodeIndex owner{};
        node::PeerId other{};
        Link link;
        node::SteadyTime free_at;  // when all that was sent has left
        std::vector<Queued> queue;
        std::size_t sent_bytes = 0;
    };

    Endpoint& node_of(NodeIndex index) { return nodes_[std::size_t(index)]; }

    void tick(NodeIndex index) {
        if (removed_.contains(index)) return;
        if (const auto& told = node_of(index).tick) told();
        after(kTickInterval, [this, index] { tick(index); });
    }

    void deliver(node::PeerId to, const chain::Bytes& frame) {
        const auto end = ends_.find(to);
        if (end == ends_.end()) return;
        auto message =
            node::decode_payload(frame[4], chain::ByteSpan(frame).subspan(node::kFrameHeaderBytes));
        CHECK(message);
        const auto& receive = node_of(end->second.owner).receive;
        if (receive) receive(to, *std::move(message));
    }

    Lcg dice_;
    node::SteadyTime now_{std::chrono::hours(1)};
    std::vector<Endpoint> nodes_;
    std::set<NodeIndex> removed_;
    std::map<node::PeerId, End> ends_;
    std::map<std::size_t, std::size_t> sent_;
    std::map<std::pair<node::SteadyTime, std::uint64_t>, std::function<void()>> events_;
    std::uint64_t next_event_ = 0;
    std::uint64_t next_peer_ = 1;
};

}  // namespace gradient::test
