#include "node/sync/item_announcer.hpp"

#include <utility>

namespace gradient::node {

namespace {

std::size_t payload_bytes(const Message& message) {
    return std::visit([](const auto& content) { return chain::encoded_size(content); }, message);
}

}  // namespace

void ItemAnnouncer::mark_known(PeerId peer, const chain::Hash256& id) {
    const auto found = peers_.find(peer);
    if (found != peers_.end()) found->second.known.insert(id);
}

void ItemAnnouncer::tell_pools(PeerId id) {
    const auto found = peers_.find(id);
    if (found == peers_.end() || std::exchange(found->second.is_near, true)) return;
    Peer& peer = found->second;
    const auto tell = [&](ItemKind kind, const std::vector<chain::Hash256>& ids) {
        for (const chain::Hash256& item : ids) {
            if (!peer.known.insert(item)) continue;
            peer.batch.push_back({kind, item});
            ++figures_.items_announced;
            if (peer.batch.size() == kMaxInventoryItems) flush(id, peer);
        }
    };
    const auto shares = view_.shares.ids(kMaxTold);
    tell(ItemKind::share, shares);
    tell(ItemKind::transaction, view_.mempool.ids_by_arrival(kMaxTold - shares.size()));
    if (!peer.batch.empty()) flush(id, peer);
}

void ItemAnnouncer::announce(const ItemId& item, SteadyTime now) {
    for (auto& [id, peer] : peers_) {
        if (!peer.is_near || !peer.known.insert(item.id)) continue;
        if (peer.batch.empty()) peer.due = now + kBatchTime;
        peer.batch.push_back(item);
        ++figures_.items_announced;
        if (item.kind == ItemKind::share || peer.batch.size() == kMaxInventoryItems) {
            flush(id, peer);
        }
    }
}

void ItemAnnouncer::tick(SteadyTime now) {
    for (auto& [id, peer] : peers_) {
        if (!peer.batch.empty() && peer.due <= now) flush(id, peer);
    }
}

void ItemAnnouncer::flush(PeerId id, Peer& peer) {
    ++figures_.inventories_sent;
    outlets_.send(id, Inventory{std::exchange(peer.batch, {})});
}

void ItemAnnouncer::serve(PeerId peer, const GetItems& request, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    NotFound missing;
    const auto tell_missing = [&] {
        if (!missing.items.empty()) outlets_.send(peer, std::exchange(missing, {}));
    };
    for (const ItemId& item : request.items) {
        auto answer = find(item);
        if (answer && may_send(peer, found->second, payload_bytes(*answer), now)) {
            ++figures_.items_served;
            found->second.known.insert(item.id);
            tell_missing();
            outlets_.send(peer, *std::move(answer));
            continue;
        }
        ++figures_.items_missing;
        static_cast<void>(found->second.budget.take(kRequestBytes, now));
        missing.items.push_back(item);
    }
    tell_missing();
}

std::optional<Message> ItemAnnouncer::find(const ItemId& item) const {
    switch (item.kind) {
        case ItemKind::transaction:
            if (const SharedTransaction found = view_.mempool.find(item.id)) {
                return TransactionMessage{*found};
            }
            break;
        case ItemKind::share:
            if (const auto found = view_.shares.find(item.id)) {
                return ShareMessage{*found->segment};
            }
            break;
        case ItemKind::block:
            break;  // goes by GetBlock
    }
    return std::nullopt;
}

bool ItemAnnouncer::may_send(PeerId id, Peer& peer, std::size_t bytes, SteadyTime now) const {
    if (outlets_.queued_bytes && outlets_.queued_bytes(id) > kSendQueueBusyBytes) return false;
    return peer.budget.take(bytes + kRequestBytes, now);
}

}  // namespace gradient::node
