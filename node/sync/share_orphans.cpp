#include "node/sync/share_orphans.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

std::size_t ShareOrphans::add(OrphanShare orphan) {
    const PeerId peer = orphan.peer;
    Sums& own = peers_[peer];
    ++own.count;
    own.bytes += orphan.bytes;
    bytes_ += orphan.bytes;
    orphans_.push_back(std::move(orphan));

    const std::size_t before = orphans_.size();
    while (size_of(peer) > kMaxPeerShares || peers_[peer].bytes > kMaxPeerBytes) {
        erase_oldest_of(peer);
    }
    while (orphans_.size() > kMaxShares || bytes_ > kMaxBytes) {
        const auto fullest = std::ranges::max_element(
            peers_, {}, [](const auto& entry) { return entry.second.bytes; });
        erase_oldest_of(fullest->first);
    }
    return before - orphans_.size();
}

std::size_t ShareOrphans::expire(SteadyTime now) {
    return take_if([&](const OrphanShare& orphan) { return orphan.since + kMaxAge <= now; }).size();
}

std::size_t ShareOrphans::peer_left(PeerId peer) {
    return take_if([&](const OrphanShare& orphan) { return orphan.peer == peer; }).size();
}

std::size_t ShareOrphans::size_of(PeerId peer) const {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? 0 : found->second.count;
}

void ShareOrphans::erase(Place place) {
    const auto sums = peers_.find(place->peer);
    sums->second.bytes -= place->bytes;
    if (--sums->second.count == 0) peers_.erase(sums);
    bytes_ -= place->bytes;
    orphans_.erase(place);
}

void ShareOrphans::erase_oldest_of(PeerId peer) {
    const auto oldest = std::ranges::find(orphans_, peer, &OrphanShare::peer);
    if (oldest != orphans_.end()) erase(oldest);
}

}  // namespace gradient::node
