#include "node/p2p/peer_set.hpp"

#include "node/p2p/eviction.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace {

// An inbound peer may tell of itself at once.
constexpr double kFirstAllowance = 1;

bool opened_here(const Peer& peer) noexcept {
    return peer.kind != PeerKind::inbound;
}

}  // namespace

PeerSet::PeerSet(const NodeId& self, BanList& bans, PenaltyLedger& penalties,
                 const chain::Hash256& salt, const Limits& limits)
    : self_(self), bans_(bans), penalties_(penalties), salt_(salt), limits_(limits) {}

bool PeerSet::may_accept(const boost::asio::ip::address& address, UnixSeconds now) const {
    return bans_.find(address, now) == nullptr;
}

// What is against the newcomer whoever else is connected. A fixed peer's bans are the operator's
// own.
std::optional<GoodbyeReason> PeerSet::refusal(const Peer& newcomer, Moment now) const {
    if (newcomer.node == self_) return GoodbyeReason::self;
    const bool is_fixed = newcomer.kind == PeerKind::fixed;
    const auto holds = [&](const Ban* ban) {
        return ban != nullptr && !(is_fixed && ban->origin == BanOrigin::misbehaviour);
    };
    if (holds(bans_.find(newcomer.node, now.unix_s)) ||
        holds(bans_.find(newcomer.address.address(), now.unix_s))) {
        return GoodbyeReason::banned;
    }
    if (!is_fixed && penalties_.keeps_away(newcomer.node, now.steady)) {
        return GoodbyeReason::misbehaviour;
    }
    return std::nullopt;
}

// Of two connections with one node. Both nodes must decide alike, so only what both see counts.
bool PeerSet::is_better(const Peer& newcomer, const Peer& old, Time now) const {
    if (now - old.heard > kDeadTime) return true;
    if (opened_here(newcomer) == opened_here(old)) return false;
    if (now - old.since > kCrossingTime || newcomer.kind == PeerKind::feeler) return false;
    const NodeId& opener = opened_here(newcomer) ? self_ : newcomer.node;
    return opener == std::min(self_, newcomer.node);
}

Admission PeerSet::admit(Peer newcomer, Moment now) {
    newcomer.since = now.steady;
    newcomer.heard = now.steady;
    newcomer.tip = newcomer.hello.tip;
    newcomer.address_allowance = kFirstAllowance;
    newcomer.allowance_at = now.steady;
    if (const auto reason = refusal(newcomer, now)) return {reason, std::nullopt};

    Admission admission;
    if (const Peer* old = find(newcomer.node)) {
        // It takes the other's place, so that slots do not matter.
        if (!is_better(newcomer, *old, now.steady)) {
            return {GoodbyeReason::already_connected, std::nullopt};
        }
        admission.dropped = take_out(old->id, GoodbyeReason::already_connected);
    } else if (newcomer.kind == PeerKind::outbound &&
               count(PeerKind::outbound) >= limits_.outbound) {
        return {GoodbyeReason::too_many_peers, std::nullopt};
    } else if (newcomer.kind == PeerKind::inbound && count(PeerKind::inbound) >= limits_.inbound) {
        std::vector<const Peer*> peers;
        for (const auto& entry : peers_) peers.push_back(&entry.second);
        const auto evicted = peer_to_evict(peers, salt_);
        if (!evicted) return {GoodbyeReason::too_many_peers, std::nullopt};
        admission.dropped = take_out(*evicted, GoodbyeReason::too_many_peers);
    }
    const PeerId id = newcomer.id;
    peers_.insert_or_assign(id, std::move(newcomer));
    return admission;
}

std::optional<Peer> PeerSet::remove(PeerId id) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return std::nullopt;
    Peer peer = std::move(found->second);
    peers_.erase(found);
    return peer;
}

std::optional<Departure> PeerSet::take_out(PeerId id, GoodbyeReason reason) {
    peers_.erase(id);
    return Departure{id, reason};
}

void PeerSet::ban(const Peer& peer, const std::string& reason, UnixSeconds now) {
    const auto until = now + static_cast<UnixSeconds>(kBanTime.count());
    const Ban ban{BanOrigin::misbehaviour, now, until, reason};
    bans_.add(peer.node, ban, now);
    const auto address = peer.address.address();
    if (reach_of(address) == Reach::world) bans_.add(banned_address(address), ban, now);
}

std::optional<Departure> PeerSet::punish(PeerId id, const Offence& offence, Moment now,
                                         std::size_t bytes) {
    const Peer* peer = find(id);
    if (peer == nullptr) return std::nullopt;
    const Penalty penalty = penalty_for(offence);
    const Sanction sanction = penalties_.charge(peer->node, penalty, now.steady, bytes);
    if (sanction == Sanction::none) return std::nullopt;
    if (sanction == Sanction::ban && peer->kind != PeerKind::fixed) {
        ban(*peer, penalty.reason, now.unix_s);
    }
    return take_out(id, GoodbyeReason::misbehaviour);
}

std::vector<Departure> PeerSet::drop_banned(UnixSeconds now) {
    std::vector<Departure> departures;
    for (const auto& [id, peer] : peers_) {
        const Ban* const node = bans_.find(peer.node, now);
        const Ban* const address = bans_.find(peer.address.address(), now);
        const auto is_operators = [](const Ban* ban) {
            return ban != nullptr && ban->origin == BanOrigin::node_operator;
        };
        const bool is_banned = peer.kind == PeerKind::fixed
                                   ? is_operators(node) || is_operators(address)
                                   : node != nullptr || address != nullptr;
        if (is_banned) departures.push_back({id, GoodbyeReason::banned});
    }
    for (const Departure& departure : departures) peers_.erase(departure.peer);
    return departures;
}

void PeerSet::note_heard(PeerId id, Time now) {
    if (Peer* const peer = get(id)) peer->heard = now;
}

void PeerSet::note_ping(PeerId id, std::chrono::microseconds ping) {
    Peer* const peer = get(id);
    if (peer == nullptr) return;
    peer->ping = ping;
    peer->best_ping = std::min(peer->best_ping.value_or(ping), ping);
}

void PeerSet::note_merit(PeerId id, Merit merit, Time now) {
    Peer* const peer = get(id);
    if (peer == nullptr) return;
    switch (merit) {
        case Merit::block:
            peer->last_block = now;
            return;
        case Merit::share:
            peer->last_share = now;
            return;
        case Merit::transaction:
            peer->last_transaction = now;
            return;
    }
}

void PeerSet::note_tip(PeerId id, const TipClaim& tip) {
    if (Peer* const peer = get(id)) peer->tip = tip;
}

std::optional<Departure> PeerSet::drop_laggard(const chain::U256& work_floor, Time now) {
    const Peer* last = nullptr;
    for (auto& [id, peer] : peers_) {
        if (peer.tip.cumulative_work >= work_floor) {
            peer.behind_since.reset();
            continue;
        }
        if (!peer.behind_since) peer.behind_since = now;
        if (peer.kind != PeerKind::outbound) continue;
        if (last == nullptr || *peer.behind_since < *last->behind_since) last = &peer;
    }
    if (last == nullptr || now - *last->behind_since < kStaleTipTime) return std::nullopt;
    return take_out(last->id, GoodbyeReason::too_many_peers);
}

std::size_t PeerSet::allow_addresses(PeerId id, std::size_t count, Time now) {
    Peer* const peer = get(id);
    if (peer == nullptr) return 0;
    const std::chrono::duration<double> passed = now - peer->allowance_at;
    peer->allowance_at = now;
    // An answer that has been asked for may lie above what can be saved up.
    if (peer->address_allowance < kMaxAddressAllowance) {
        peer->address_allowance = std::min(
            peer->address_allowance + passed.count() * kAddressesPerSecond, kMaxAddressAllowance);
    }
    const std::size_t allowed =
        std::min(count, static_cast<std::size_t>(std::max(peer->address_allowance, 0.0)));
    peer->address_allowance -= static_cast<double>(allowed);
    return allowed;
}

void PeerSet::expect_addresses(PeerId id) {
    if (Peer* const peer = get(id)) peer->address_allowance += kMaxAddressesPerMessage;
}

bool PeerSet::take_answer(PeerId id) {
    Peer* const peer = get(id);
    return peer != nullptr && !std::exchange(peer->is_answered, true);
}

Peer* PeerSet::get(PeerId id) {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
}

const Peer* PeerSet::find(PeerId id) const {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : &found->second;
}

const Peer* PeerSet::find(const NodeId& node) const {
    const auto found = std::find_if(peers_.begin(), peers_.end(),
                                    [&](const auto& entry) { return entry.second.node == node; });
    return found == peers_.end() ? nullptr : &found->second;
}

std::size_t PeerSet::count(PeerKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(peers_.begin(), peers_.end(),
                      [&](const auto& entry) { return entry.second.kind == kind; }));
}

bool PeerSet::is_connected(const Endpoint& endpoint) const {
    return std::any_of(peers_.begin(), peers_.end(),
                       [&](const auto& entry) { return listen_address(entry.second) == endpoint; });
}

std::set<ShareGroup> PeerSet::outbound_groups() const {
    std::set<ShareGroup> groups;
    for (const auto& entry : peers_) {
        if (opened_here(entry.second)) groups.insert(share_group(entry.second.address));
    }
    return groups;
}

std::vector<Endpoint> PeerSet::anchors(std::size_t most) const {
    std::vector<const Peer*> peers;
    for (const auto& entry : peers_) {
        if (entry.second.kind == PeerKind::outbound) peers.push_back(&entry.second);
    }
    std::sort(peers.begin(), peers.end(), [](const Peer* left, const Peer* right) {
        return std::pair(left->since, left->id) < std::pair(right->since, right->id);
    });
    std::vector<Endpoint> endpoints;
    for (const Peer* peer : peers) {
        if (endpoints.size() == most) break;
        endpoints.push_back(peer->address);
    }
    return endpoints;
}

}  // namespace gradient::node
