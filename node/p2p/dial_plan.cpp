#include "node/p2p/dial_plan.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace {

// Own addresses that are remembered; few machines have more.
constexpr std::size_t kMaxOwnAddresses = 64;

}  // namespace

DialPlan::DialPlan(Sources sources, AddressBook& book, const PeerSet& peers,
                   const chain::Hash256& seed)
    : book_(book),
      peers_(peers),
      dice_(seed),
      anchors_(sources.anchors.begin(), sources.anchors.end()),
      seeds_(std::move(sources.seeds)) {
    for (const HostPort& peer : sources.fixed) add_fixed(peer);
}

std::optional<DialOrder> DialPlan::next(Moment now) {
    if (auto order = next_fixed(now.steady)) return order;
    if (!next_feeler_) next_feeler_ = now.steady + jittered(kFeelerInterval);
    if (dialling_.size() >= kMaxDials) return std::nullopt;
    const std::size_t chosen = peers_.count(PeerKind::outbound) + dialling(PeerKind::outbound);
    if (chosen < peers_.limits().outbound) {
        if (auto order = next_anchor()) return order;
        if (auto order = next_outbound(now)) return order;
    }
    return next_feeler(now);
}

std::optional<DialOrder> DialPlan::next_fixed(Time now) {
    for (Fixed& fixed : fixed_) {
        if (fixed.state == FixedState::connected && fixed.node && !peers_.find(*fixed.node)) {
            wait(fixed, now);
        }
        if (fixed.state != FixedState::idle || fixed.next > now) continue;
        if (fixed.node && peers_.find(*fixed.node) != nullptr) continue;  // it has called us
        fixed.state = FixedState::dialling;
        return DialOrder{PeerKind::fixed, fixed.target};
    }
    return std::nullopt;
}

std::optional<DialOrder> DialPlan::next_anchor() {
    while (!anchors_.empty()) {
        const Endpoint endpoint = anchors_.front();
        anchors_.pop_front();
        if (is_free(endpoint)) return start(PeerKind::outbound, endpoint);
    }
    return std::nullopt;
}

// Of groups that this node has no outbound peer in, as long as the book has sound ones there.
std::optional<DialOrder> DialPlan::next_outbound(Moment now) {
    std::set<ShareGroup> taken = peers_.outbound_groups();
    for (const auto& [kind, endpoint] : dialling_) taken.insert(share_group(endpoint));
    const auto free = [&](const Endpoint& endpoint) { return is_free(endpoint); };
    const auto elsewhere = [&](const Endpoint& endpoint) {
        return is_free(endpoint) && !taken.contains(share_group(endpoint));
    };
    auto endpoint = book_.pick(elsewhere, now.unix_s);
    if (!endpoint && !book_.has_sound(elsewhere, now.unix_s)) {
        endpoint = book_.pick(free, now.unix_s);
    }
    if (!endpoint) return std::nullopt;
    book_.mark_trying(*endpoint, now.unix_s);
    return start(PeerKind::outbound, *endpoint);
}

std::optional<DialOrder> DialPlan::next_feeler(Moment now) {
    if (now.steady < *next_feeler_ || dialling(PeerKind::feeler) > 0) return std::nullopt;
    next_feeler_ = now.steady + jittered(kFeelerInterval);
    const auto free = [&](const Endpoint& endpoint) { return is_free(endpoint); };
    const auto endpoint = book_.pick_feeler(free, now.unix_s);
    if (!endpoint) return std::nullopt;
    book_.mark_trying(*endpoint, now.unix_s);
    return start(PeerKind::feeler, *endpoint);
}

DialOrder DialPlan::start(PeerKind kind, const Endpoint& endpoint) {
    dialling_.emplace_back(kind, endpoint);
    return {kind, endpoint};
}

bool DialPlan::is_free(const Endpoint& endpoint) const {
    const bool is_dialled = std::any_of(dialling_.begin(), dialling_.end(),
                                        [&](const auto& one) { return one.second == endpoint; });
    return !is_dialled && !own_.contains(endpoint) && !peers_.is_connected(endpoint);
}

std::size_t DialPlan::dialling(PeerKind kind) const {
    return static_cast<std::size_t>(std::count_if(
        dialling_.begin(), dialling_.end(), [&](const auto& one) { return one.first == kind; }));
}

void DialPlan::finished(const DialOrder& order, DialOutcome outcome,
                        const std::optional<NodeId>& node, std::uint32_t services, Moment now) {
    if (const auto* target = std::get_if<HostPort>(&order.target)) {
        finish_fixed(*target, outcome, node, now.steady);
        return;
    }
    const Endpoint& endpoint = std::get<Endpoint>(order.target);
    const auto found =
        std::find(dialling_.begin(), dialling_.end(), std::pair(order.kind, endpoint));
    if (found != dialling_.end()) dialling_.erase(found);
    finish_known(endpoint, outcome, services, now.unix_s);
}

void DialPlan::finish_fixed(const HostPort& target, DialOutcome outcome,
                            const std::optional<NodeId>& node, Time now) {
    const auto found = std::find_if(fixed_.begin(), fixed_.end(),
                                    [&](const Fixed& one) { return one.target == target; });
    if (found == fixed_.end()) return;
    if (node) found->node = node;
    switch (outcome) {
        case DialOutcome::connected:
            found->state = FixedState::connected;
            return;
        case DialOutcome::self:
            found->state = FixedState::self;
            return;
        case DialOutcome::already_connected:
        case DialOutcome::refused:
        case DialOutcome::failed:
        case DialOutcome::wrong_network:
            wait(*found, now);
            return;
    }
}

void DialPlan::finish_known(const Endpoint& endpoint, DialOutcome outcome, std::uint32_t services,
                            UnixSeconds now) {
    switch (outcome) {
        case DialOutcome::connected:
            book_.mark_connected(endpoint, services, now);
            return;
        case DialOutcome::already_connected:
        case DialOutcome::refused:
            // It lives, and is not to be asked again at once.
            book_.mark_refused(endpoint, now);
            return;
        case DialOutcome::failed:
            book_.mark_failed(endpoint, now);
            return;
        case DialOutcome::self:
            if (own_.size() < kMaxOwnAddresses) own_.insert(endpoint);
            book_.remove(endpoint);
            return;
        case DialOutcome::wrong_network:
            book_.remove(endpoint);
            return;
    }
}

void DialPlan::wait(Fixed& fixed, Time now) {
    constexpr std::uint32_t kMostDoublings = 6;
    const auto delay =
        std::min(kFixedDelay * (1U << std::min(fixed.failures, kMostDoublings)), kMaxFixedDelay);
    if (fixed.failures < kMostDoublings) ++fixed.failures;
    fixed.state = FixedState::idle;
    fixed.next = now + jittered(delay);
}

void DialPlan::lost(const Peer& peer, Moment now) {
    if (peer.kind == PeerKind::outbound) book_.mark_seen(peer.address, now.unix_s);
    if (peer.kind != PeerKind::fixed) return;
    for (Fixed& fixed : fixed_) {
        if (fixed.state != FixedState::connected || fixed.node != peer.node) continue;
        if (now.steady - peer.since >= kMaxFixedDelay) fixed.failures = 0;
        wait(fixed, now.steady);
    }
}

std::vector<HostPort> DialPlan::seeds_to_ask(Moment now) {
    const bool is_alone = peers_.count(PeerKind::outbound) + peers_.count(PeerKind::fixed) == 0;
    const auto any = [&](const Endpoint& endpoint) { return is_free(endpoint); };
    if (seeds_.empty() || !is_alone || book_.has_sound(any, now.unix_s)) return {};
    if (next_seeds_ && now.steady < *next_seeds_) return {};
    next_seeds_ = now.steady + jittered(kSeedInterval);
    return seeds_;
}

// A seed is the operator's word, so that an address of any kind is taken.
void DialPlan::take_seeds(std::span<const Endpoint> endpoints, Moment now) {
    const boost::asio::ip::address here = boost::asio::ip::address_v4::loopback();
    std::vector<AddressRecord> records;
    for (const Endpoint& endpoint : endpoints) {
        if (own_.contains(endpoint)) continue;
        records.push_back({ip_bytes(endpoint.address()), endpoint.port(), 0, now.unix_s});
    }
    book_.add(here, records, now.unix_s);
}

bool DialPlan::add_fixed(const HostPort& peer) {
    const bool is_known = std::any_of(fixed_.begin(), fixed_.end(),
                                      [&](const Fixed& one) { return one.target == peer; });
    if (is_known || fixed_.size() >= kMaxFixedPeers) return false;
    Fixed fixed;
    fixed.target = peer;
    fixed_.push_back(std::move(fixed));
    return true;
}

bool DialPlan::remove_fixed(const HostPort& peer) {
    return std::erase_if(fixed_, [&](const Fixed& one) { return one.target == peer; }) > 0;
}

std::vector<HostPort> DialPlan::fixed() const {
    std::vector<HostPort> list;
    for (const Fixed& one : fixed_) list.push_back(one.target);
    return list;
}

std::chrono::milliseconds DialPlan::jittered(std::chrono::milliseconds time) {
    return dice_.between(time * 3 / 4, time * 5 / 4);
}

}  // namespace gradient::node
