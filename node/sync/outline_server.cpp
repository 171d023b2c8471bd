#include "node/sync/outline_server.hpp"

#include "chain/base/codec.hpp"
#include "node/sync/block_assembly.hpp"

#include <utility>

namespace gradient::node {

namespace {

std::size_t payload_bytes(const Message& message) {
    return std::visit([](const auto& content) { return chain::encoded_size(content); }, message);
}

}  // namespace

void OutlineServer::on_get_outline(PeerId peer, const GetOutline& message, SteadyTime now) {
    std::optional<Message> outline;
    if (may_ask(peer, now)) {
        auto entry = recent_.find(message.id);
        if (entry && !entry->included) {
            entry->included = ids_from_pool(*entry->block, view_.shares);
        }
        if (entry && entry->included) {
            outline = make_outline(*entry->block, *entry->included);
            ++figures_.outlines_served;
        }
    }
    answer(peer, message.id, std::move(outline), now);
}

void OutlineServer::on_get_parts(PeerId peer, const GetParts& message, SteadyTime now) {
    std::optional<Message> parts;
    if (may_ask(peer, now)) {
        if (const auto entry = recent_.find(message.block)) {
            parts = take_parts(*entry->block, message);
            if (!parts) {
                outlets_.report(peer, ProtocolOffence::unordered_request);
                return;
            }
            ++figures_.parts_served;
        }
    }
    answer(peer, message.block, std::move(parts), now);
}

Served OutlineServer::on_get_block(PeerId peer, const GetBlock& message, SteadyTime now) {
    const auto entry = recent_.at_hand(message.id);
    if (!entry || !may_ask(peer, now) || !budgets_.at(peer).take(entry->bytes, now)) {
        return Served::no;
    }
    ++figures_.whole_blocks_served;
    outlets_.send(peer, BlockMessage{*entry->block});
    return Served::yes;
}

void OutlineServer::answer(PeerId peer, const chain::Hash256& block, std::optional<Message> message,
                           SteadyTime now) {
    const auto budget = budgets_.find(peer);
    if (budget == budgets_.end()) return;
    if (message && budget->second.take(payload_bytes(*message), now)) {
        outlets_.send(peer, *std::move(message));
    } else {
        outlets_.send(peer, NotFound{{{ItemKind::block, block}}});
    }
}

// Before a block is looked for, which may take reading it.
bool OutlineServer::may_ask(PeerId peer, SteadyTime now) {
    const auto budget = budgets_.find(peer);
    if (budget == budgets_.end() || !budget->second.take(kRequestBytes, now)) return false;
    return !outlets_.queued_bytes || outlets_.queued_bytes(peer) <= kSendQueueBusyBytes;
}

}  // namespace gradient::node
