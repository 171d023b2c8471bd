#include "node/sync/item_fetcher.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

ItemFetcher::ItemFetcher(const SyncOutlets& outlets, RelayFigures& figures,
                         std::size_t max_share_bytes)
    : outlets_(outlets),
      figures_(figures),
      share_timeout_(kTimeout +
                     std::chrono::milliseconds(1000 * max_share_bytes / kMinBytesPerSecond)) {}

void ItemFetcher::peer_left(PeerId peer) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    auto& requests = found->second.requests;
    while (!requests.empty()) end_request(found->second, requests.begin());
    peers_.erase(found);
    for (auto place = wanted_.begin(); place != wanted_.end();) {
        const auto here = place++;
        remove_source(here, peer);
    }
}

void ItemFetcher::offer(PeerId peer, const ItemId& item) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    if (found->second.offers >= kMaxOffers || found->second.to_ask.size() >= 2 * kMaxOffers) {
        ++figures_.items_ignored;
        return;
    }
    Wanted& wanted = wanted_.try_emplace(item.id, Wanted{item.kind, {}, {}, 0, 0}).first->second;
    if (wanted.kind != item.kind || wanted.sources.size() >= kMaxSources ||
        std::ranges::find(wanted.sources, peer) != wanted.sources.end()) {
        return;
    }
    const auto& requests = found->second.requests;
    if (wanted.requests > 0 && std::ranges::find(requests, item, &Request::item) != requests.end())
        return;  // it is late with it
    wanted.sources.push_back(peer);
    ++found->second.offers;
    found->second.to_ask.push_back(item);
}

void ItemFetcher::ask(PeerId peer, const Allowance& allowance, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    Peer& source = found->second;
    const auto late = std::ranges::count(source.requests, true, &Request::late);
    if (static_cast<std::size_t>(late) >= kMaxLate) return;
    const auto shares = static_cast<std::size_t>(std::ranges::count(
        source.requests, ItemKind::share, [](const Request& r) { return r.item.kind; }));
    const std::size_t transactions = source.requests.size() - shares;
    std::size_t room = kMaxRequests - std::min(kMaxRequests, source.requests.size());
    Allowance left{allowance.transactions - std::min(allowance.transactions, transactions),
                   allowance.shares - std::min(allowance.shares, shares)};
    GetItems request;
    std::deque<ItemId> later;
    while (!source.to_ask.empty() && room > 0 && left.transactions + left.shares > 0) {
        const ItemId item = source.to_ask.front();
        source.to_ask.pop_front();
        const auto place = wanted_.find(item.id);
        if (place == wanted_.end() || place->second.from) continue;
        const auto& sources = place->second.sources;
        if (std::ranges::find(sources, peer) == sources.end()) continue;
        std::size_t& kind = item.kind == ItemKind::share ? left.shares : left.transactions;
        if (kind == 0) {
            later.push_back(item);
            continue;
        }
        --kind;
        --room;
        place->second.from = peer;
        ++place->second.requests;
        source.requests.push_back({item, now + patience(place->second)});
        request.items.push_back(item);
        ++figures_.items_asked;
    }
    source.to_ask.insert(source.to_ask.begin(), later.begin(), later.end());
    if (!request.items.empty()) outlets_.send(peer, std::move(request));
}

std::chrono::milliseconds ItemFetcher::patience(const Wanted& wanted) const {
    const auto time = wanted.kind == ItemKind::share ? share_timeout_ : kTimeout;
    return time * (1 << std::min(wanted.late, kMaxDoublings));
}

// An item that is wanted anew, after it had been here, may be told to have fewer requests under way
// than it has: then the answers of the others come for nothing.
ItemId ItemFetcher::end_request(Peer& peer, std::deque<Request>::iterator request) {
    const ItemId item = request->item;
    peer.requests.erase(request);
    peer.silence.answered();
    const auto place = wanted_.find(item.id);
    if (place != wanted_.end() && place->second.requests > 0) --place->second.requests;
    return item;
}

void ItemFetcher::took(PeerId id, const ItemId& item) {
    ++figures_.items_received;
    const auto place = wanted_.find(item.id);
    // A late answer is as good as that of the peer that has been asked since.
    if (place != wanted_.end()) place->second.from = id;
}

ItemFetcher::Answer ItemFetcher::take_transaction(PeerId peer, const chain::Hash256& id) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return Answer::unsolicited;
    auto& requests = found->second.requests;
    const auto is_it = [&](const Request& r) {
        return r.item.kind == ItemKind::transaction && r.item.id == id;
    };
    auto request = std::ranges::find_if(requests, is_it);
    if (request != requests.end()) {
        took(peer, end_request(found->second, request));
        return Answer::asked;
    }
    request = std::ranges::find(requests, ItemKind::transaction,
                                [](const Request& r) { return r.item.kind; });
    if (request == requests.end()) return Answer::unsolicited;
    failed(peer, end_request(found->second, request).id);
    return Answer::another_asked;
}

std::optional<chain::Hash256> ItemFetcher::take_share(PeerId peer) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return std::nullopt;
    auto& requests = found->second.requests;
    const auto request =
        std::ranges::find(requests, ItemKind::share, [](const Request& r) { return r.item.kind; });
    if (request == requests.end()) return std::nullopt;
    const ItemId item = end_request(found->second, request);
    took(peer, item);
    return item.id;
}

void ItemFetcher::take_not_found(PeerId peer, const NotFound& message) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    for (const ItemId& item : message.items) {
        auto& requests = found->second.requests;
        const auto request =
            std::ranges::find(requests, item, [](const Request& r) { return r.item; });
        if (request == requests.end()) continue;
        end_request(found->second, request);
        if (!wants(item.id)) continue;  // it has come, or a block has included it
        failed(peer, item.id);
    }
}

void ItemFetcher::park(PeerId peer, const chain::Hash256& id, SteadyTime now) {
    if (wanted_.contains(id)) parked_.push_back({now + kParkTime, peer, id});
}

void ItemFetcher::failed(PeerId peer, const chain::Hash256& id) {
    const auto place = wanted_.find(id);
    if (place != wanted_.end()) remove_source(place, peer);
}

void ItemFetcher::remove_source(WantedPlace place, PeerId peer) {
    Wanted& wanted = place->second;
    if (std::erase(wanted.sources, peer) > 0) {
        const auto source = peers_.find(peer);
        if (source != peers_.end()) --source->second.offers;
    }
    if (wanted.from == peer) {
        wanted.from.reset();
        try_others(place);
    } else if (wanted.sources.empty() && !wanted.from && wanted.requests == 0) {
        wanted_.erase(place);
    }
}

// Every other source may be asked at once; whichever is first has the item. Where there is none, a
// late answer may still come.
void ItemFetcher::try_others(WantedPlace place) {
    if (place->second.sources.empty()) {
        if (place->second.requests == 0) wanted_.erase(place);
        return;
    }
    for (const PeerId source : place->second.sources) {
        const auto found = peers_.find(source);
        if (found == peers_.end()) continue;
        found->second.to_ask.push_front({place->second.kind, place->first});
    }
}

void ItemFetcher::done(const chain::Hash256& id) {
    const auto place = wanted_.find(id);
    if (place == wanted_.end()) return;
    for (const PeerId source : place->second.sources) {
        const auto found = peers_.find(source);
        if (found != peers_.end()) --found->second.offers;
    }
    wanted_.erase(place);
}

void ItemFetcher::tick(SteadyTime now) {
    while (!parked_.empty() && parked_.front().until <= now) {
        failed(parked_.front().peer, parked_.front().id);
        parked_.pop_front();
    }
    for (auto& [id, peer] : peers_) {
        mark_late(id, peer, now);
        if (peer.requests.empty()) continue;
        const std::uint64_t bytes = outlets_.received_bytes ? outlets_.received_bytes(id) : 0;
        if (peer.silence.is_silent(bytes, now)) outlets_.report(id, ProtocolOffence::stalled);
    }
}

void ItemFetcher::mark_late(PeerId id, Peer& peer, SteadyTime now) {
    for (Request& request : peer.requests) {
        if (request.late || request.deadline > now) continue;
        request.late = true;
        ++figures_.items_timed_out;
        const auto place = wanted_.find(request.item.id);
        if (place == wanted_.end()) continue;
        ++place->second.late;
        remove_source(place, id);
    }
}

std::size_t ItemFetcher::offers_of(PeerId peer) const {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? 0 : found->second.offers;
}

}  // namespace gradient::node
