#include "node/p2p/eviction.hpp"

#include "chain/base/hash.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

namespace gradient::node {

namespace {

using Peers = std::vector<const Peer*>;

bool is_older(const Peer* left, const Peer* right) {
    return std::pair(left->since, left->id) < std::pair(right->since, right->id);
}

// Takes those with the greatest merit off the list; who has none is no candidate.
template <class Merit>
void protect(Peers& peers, std::size_t count, Merit merit) {
    std::stable_sort(peers.begin(), peers.end(), [&](const Peer* left, const Peer* right) {
        return merit(*left) < merit(*right);
    });
    for (; count > 0 && !peers.empty() && merit(*peers.back()); --count) peers.pop_back();
}

// The order of groups is secret, so that nobody can choose to be in one of the first.
void protect_groups(Peers& peers, const chain::Hash256& salt) {
    static const chain::TaggedHasher kHasher("gradient/eviction");
    std::map<chain::Hash256, const Peer*> oldest;
    for (const Peer* peer : peers) {
        const NetworkGroup group = network_group(peer->address.address());
        const Peer*& slot = oldest[kHasher(salt, chain::ByteSpan(group.bytes))];
        if (slot == nullptr || is_older(peer, slot)) slot = peer;
    }
    std::size_t left = kProtectedGroups;
    for (auto group = oldest.begin(); group != oldest.end() && left > 0; ++group, --left) {
        std::erase(peers, group->second);
    }
}

void protect_longest_connected(Peers& peers) {
    std::sort(peers.begin(), peers.end(), is_older);
    peers.erase(peers.begin(), peers.begin() + static_cast<std::ptrdiff_t>(peers.size() / 2));
}

}  // namespace

std::optional<PeerId> peer_to_evict(const std::vector<const Peer*>& all,
                                    const chain::Hash256& salt) {
    Peers peers;
    std::copy_if(all.begin(), all.end(), std::back_inserter(peers),
                 [](const Peer* peer) { return peer->kind == PeerKind::inbound; });
    std::sort(peers.begin(), peers.end(), is_older);

    protect_groups(peers, salt);
    protect(peers, kProtectedPings, [](const Peer& peer) {
        return peer.best_ping ? std::optional(-peer.best_ping->count()) : std::nullopt;
    });
    protect(peers, kProtectedTransactions, [](const Peer& peer) { return peer.last_transaction; });
    protect(peers, kProtectedShares, [](const Peer& peer) { return peer.last_share; });
    protect(peers, kProtectedBlocks, [](const Peer& peer) { return peer.last_block; });
    protect_longest_connected(peers);

    // The largest group; of equal ones that of the newest peer.
    std::map<NetworkGroup, std::pair<std::size_t, const Peer*>> groups;
    for (const Peer* peer : peers) {  // oldest first
        auto& [count, newest] = groups[network_group(peer->address.address())];
        ++count;
        newest = peer;
    }
    const auto rank = [](const auto& group) {
        const auto& [count, newest] = group.second;
        return std::tuple(count, newest->since, newest->id);
    };
    const auto largest = std::max_element(
        groups.begin(), groups.end(),
        [&](const auto& left, const auto& right) { return rank(left) < rank(right); });
    if (largest == groups.end()) return std::nullopt;
    return largest->second.second->id;
}

}  // namespace gradient::node
