#include "node/sync/block_downloads.hpp"

#include "chain/base/codec.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace gradient::node {

using chain::Hash256;

void BlockDownloads::remove_peer(PeerId peer) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    for (const Request& request : found->second.requests) {
        const auto entry = entries_.find(request.id);
        if (entry != entries_.end()) std::erase(entry->second.askings, peer);
    }
    for (auto& [id, entry] : entries_) {
        std::erase_if(entry.refusals, [&](const Refusal& refusal) { return refusal.peer == peer; });
    }
    peers_.erase(found);
}

bool BlockDownloads::has_slot(PeerId peer) const {
    const auto found = peers_.find(peer);
    return found != peers_.end() && found->second.requests.size() < found->second.allowed;
}

const BlockDownloads::Request* BlockDownloads::request(PeerId peer, const Hash256& id) const {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return nullptr;
    const auto& requests = found->second.requests;
    const auto place = std::ranges::find(requests, id, &Request::id);
    return place == requests.end() ? nullptr : &*place;
}

bool BlockDownloads::is_late(PeerId peer, const Hash256& id, SteadyTime now) const {
    const Request* const its = request(peer, id);
    return its == nullptr || its->late || now >= its->deadline;
}

bool BlockDownloads::is_overdue(PeerId peer, const Hash256& id, SteadyTime now) const {
    const Request* const its = request(peer, id);
    return its == nullptr ||
           now >= its->asked + limits_.overdue_times * (its->deadline - its->asked);
}

bool BlockDownloads::is_refused(const Entry& entry, PeerId peer, SteadyTime now) {
    return std::ranges::any_of(entry.refusals, [&](const Refusal& refusal) {
        return refusal.peer == peer && refusal.until > now;
    });
}

bool BlockDownloads::is_failing(PeerId peer, const Hash256& id, SteadyTime now) const {
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.arrived.block) return false;
    return is_refused(found->second, peer, now) || (is_asked(peer, id) && is_late(peer, id, now));
}

bool BlockDownloads::should_ask(PeerId peer, const Hash256& id, SteadyTime now) const {
    if (is_asked(peer, id)) return false;
    const auto found = entries_.find(id);
    if (found == entries_.end()) return true;
    const Entry& entry = found->second;
    if (entry.arrived.block) return false;
    const auto counted = std::ranges::count_if(
        entry.askings, [&](PeerId asked) { return !is_overdue(asked, id, now); });
    if (static_cast<std::size_t>(counted) >= limits_.max_askings) return false;
    return !is_refused(entry, peer, now) && std::ranges::all_of(entry.askings, [&](PeerId asked) {
        return is_late(asked, id, now);
    });
}

void BlockDownloads::asked(PeerId peer, const Hash256& id, std::uint64_t height, SteadyTime now) {
    Peer& its = peers_.at(peer);
    // What it is to send before this one comes over the same connection.
    const std::size_t bytes = (its.requests.size() + 1) * likely_bytes_;
    const auto transfer = std::chrono::milliseconds(2 * bytes * 1000 / its.rate);
    its.requests.push_back({id, height, now, now + limits_.block_time + transfer, false});
    Entry& entry = entries_[id];
    entry.height = height;
    entry.askings.push_back(peer);
}

bool BlockDownloads::is_asked(PeerId peer, const Hash256& id) const {
    return request(peer, id) != nullptr;
}

std::optional<BlockDownloads::Request> BlockDownloads::take_request(PeerId peer,
                                                                    const Hash256& id) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return std::nullopt;
    auto& requests = found->second.requests;
    const auto request = std::ranges::find(requests, id, &Request::id);
    if (request == requests.end()) return std::nullopt;
    const Request taken = *request;
    requests.erase(request);
    const auto entry = entries_.find(id);
    if (entry != entries_.end()) std::erase(entry->second.askings, peer);
    return taken;
}

void BlockDownloads::arrived(PeerId peer, const Hash256& id,
                             std::shared_ptr<const chain::Block> block, SteadyTime now) {
    const auto request = take_request(peer, id);
    if (!request) return;
    Peer& its = peers_.at(peer);
    const std::size_t bytes = chain::encoded_size(*block);
    note_rate(its, *request, bytes, now);
    if (!request->late && now <= request->deadline)
        its.allowed = std::min(its.allowed + 1, limits_.max_in_flight);
    const auto found = entries_.find(id);
    if (found == entries_.end() || found->second.arrived.block) return;
    // Up at once and down slowly: to expect too much costs little, too little blames the honest.
    likely_bytes_ = std::max(bytes, likely_bytes_ - likely_bytes_ / 8);
    found->second.arrived = {std::move(block), peer, bytes, false, now};
    held_bytes_ += bytes;
}

// From when the peer could begin to send it, after what was asked before.
void BlockDownloads::note_rate(Peer& peer, const Request& request, std::size_t bytes,
                               SteadyTime now) const {
    constexpr std::size_t kMost = std::size_t{1} << 30U;  // bytes a second
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        now - std::max(request.asked, peer.last_arrival));
    const auto ms = static_cast<std::size_t>(std::max<std::int64_t>(took.count(), 1));
    const std::size_t measured = std::min(bytes * 1000 / ms, kMost);
    peer.rate = std::max((3 * peer.rate + measured) / 4, limits_.least_rate);
    peer.last_arrival = now;
}

void BlockDownloads::not_found(PeerId peer, const Hash256& id, SteadyTime until) {
    if (!take_request(peer, id)) return;
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return;
    std::erase_if(entry->second.refusals,
                  [&](const Refusal& refusal) { return refusal.peer == peer; });
    entry->second.refusals.push_back({peer, until});
}

void BlockDownloads::mark_late(SteadyTime now) {
    for (auto& [peer, its] : peers_) {
        for (Request& request : its.requests) {
            if (request.late || now < request.deadline) continue;
            request.late = true;
            its.allowed = 1;
            its.rate = std::max(its.rate / 2, limits_.least_rate);
        }
    }
}

bool BlockDownloads::owes(PeerId peer) const {
    const auto found = peers_.find(peer);
    return found != peers_.end() && !found->second.requests.empty();
}

BlockDownloads::Arrived* BlockDownloads::find(const Hash256& id) {
    const auto found = entries_.find(id);
    return found == entries_.end() || !found->second.arrived.block ? nullptr
                                                                   : &found->second.arrived;
}

const BlockDownloads::Arrived* BlockDownloads::find(const Hash256& id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() || !found->second.arrived.block ? nullptr
                                                                   : &found->second.arrived;
}

void BlockDownloads::drop_arrived(Entry& entry) {
    held_bytes_ -= entry.arrived.bytes;
    entry.arrived = {};
}

void BlockDownloads::drop_copy(const Hash256& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end() || !found->second.arrived.block) return;
    found->second.refusals.push_back({found->second.arrived.sender, SteadyTime::max()});
    drop_arrived(found->second);
}

void BlockDownloads::drop_for_now(const Hash256& id) {
    const auto found = entries_.find(id);
    if (found != entries_.end()) drop_arrived(found->second);
}

void BlockDownloads::forget(const Hash256& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    drop_arrived(found->second);
    entries_.erase(found);
}

void BlockDownloads::keep_only(const std::function<bool(const Hash256&)>& wanted) {
    std::vector<Hash256> unwanted;
    for (const auto& [id, entry] : entries_) {
        // One that is being judged counts until its verdict is there.
        if (!entry.arrived.submitted && !wanted(id)) unwanted.push_back(id);
    }
    for (const Hash256& id : unwanted) forget(id);
}

std::vector<std::pair<std::uint64_t, Hash256>> BlockDownloads::waiting() const {
    std::vector<std::pair<std::uint64_t, Hash256>> ids;
    for (const auto& [id, entry] : entries_) {
        if (entry.arrived.block) ids.emplace_back(entry.height, id);
    }
    std::ranges::sort(ids);
    return ids;
}

std::size_t BlockDownloads::window_bytes() const noexcept {
    std::size_t expected = 0;
    for (const auto& [peer, its] : peers_) expected += its.requests.size();
    return held_bytes_ + expected * likely_bytes_;
}

std::size_t BlockDownloads::submitted() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [](const auto& item) { return item.second.arrived.submitted; }));
}

std::optional<std::uint64_t> BlockDownloads::submitted_height() const {
    const auto found = std::ranges::find_if(
        entries_, [](const auto& item) { return item.second.arrived.submitted; });
    if (found == entries_.end()) return std::nullopt;
    return found->second.height;
}

BlockDownloads::Progress BlockDownloads::progress(SteadyTime now) const {
    Progress progress;
    bool all_late = true;
    std::optional<std::pair<PeerId, SteadyTime>> first;
    for (const auto& [peer, its] : peers_) {
        if (!its.requests.empty()) ++progress.peers;
        for (const Request& request : its.requests) {
            const bool lowest = progress.in_flight == 0 || request.height < progress.first_height;
            if (lowest) first = {peer, request.asked};
            progress.first_height = lowest ? request.height : progress.first_height;
            progress.last_height = std::max(progress.last_height, request.height);
            ++progress.in_flight;
            all_late = all_late && (request.late || now >= request.deadline);
        }
    }
    if (all_late) progress.late = first;
    return progress;
}

}  // namespace gradient::node
