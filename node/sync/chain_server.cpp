#include "node/sync/chain_server.hpp"

#include "chain/base/codec.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace gradient::node {

using chain::Hash256;

namespace {

// What a message takes beside its frame's five bytes.
std::size_t payload_bytes(const Message& message) {
    return std::visit([](const auto& content) { return chain::encoded_size(content); }, message);
}

}  // namespace

ChainServer::ChainServer(const chain::Ledger& ledger, SyncOutlets outlets,
                         const ServeLimits& limits)
    : ledger_(ledger), outlets_(std::move(outlets)), limits_(limits) {}

void ChainServer::peer_joined(PeerId peer, SteadyTime now) {
    peers_[peer] = Peer{{}, static_cast<double>(limits_.burst_bytes), now};
}

void ChainServer::peer_left(PeerId peer) {
    peers_.erase(peer);
}

void ChainServer::on_get_headers(PeerId peer, const GetHeaders& request, SteadyTime now) {
    take(peer, request, now);
}

void ChainServer::on_get_block(PeerId peer, const GetBlock& request, SteadyTime now) {
    take(peer, request, now);
}

void ChainServer::take(PeerId id, Request request, SteadyTime now) {
    const auto found = peers_.find(id);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    if (peer.waiting.size() >= limits_.max_waiting) {
        outlets_.report(id, ProtocolOffence::too_many_requests);
        return;
    }
    peer.waiting.push_back(std::move(request));
    serve_waiting(id, peer, now);
}

void ChainServer::serve(PeerId peer, SteadyTime now) {
    const auto found = peers_.find(peer);
    if (found != peers_.end()) serve_waiting(peer, found->second, now);
}

void ChainServer::tick(SteadyTime now) {
    for (auto& [id, peer] : peers_) serve_waiting(id, peer, now);
}

std::size_t ChainServer::waiting() const {
    std::size_t sum = 0;
    for (const auto& [id, peer] : peers_) sum += peer.waiting.size();
    return sum;
}

void ChainServer::serve_waiting(PeerId id, Peer& peer, SteadyTime now) {
    const double renewed = std::chrono::duration<double>(now - peer.credit_at).count() *
                           static_cast<double>(limits_.bytes_per_second);
    peer.credit_bytes =
        std::min(peer.credit_bytes + renewed, static_cast<double>(limits_.burst_bytes));
    peer.credit_at = now;
    while (!peer.waiting.empty() && peer.credit_bytes > 0) {
        if (outlets_.queued_bytes && outlets_.queued_bytes(id) > kSendQueueBusyBytes) return;
        const Request request = std::move(peer.waiting.front());
        peer.waiting.pop_front();
        Message message = std::visit([&](const auto& its) { return answer(its); }, request);
        peer.credit_bytes -= static_cast<double>(payload_bytes(message));
        outlets_.send(id, std::move(message));
    }
}

std::uint64_t ChainServer::fork_height(const GetHeaders& request) const {
    for (const Hash256& id : request.locator) {
        const auto index = ledger_.index(id);
        if (!index || !*index) continue;
        const auto active = ledger_.id_at((*index)->height());
        if (active && *active == id) return (*index)->height();
    }
    return 0;
}

Message ChainServer::answer(const GetHeaders& request) const {
    const std::uint64_t fork = fork_height(request);
    const auto kept = ledger_.kept();
    const std::uint64_t tip = ledger_.tip()->height();
    if (fork < tip && (!kept || fork + 1 < kept->headers)) {
        // This chain came as a snapshot, and its first headers are elsewhere.
        const auto id = ledger_.id_at(fork);
        const Hash256 known = id && *id ? **id : ledger_.network().genesis.id;
        return NotFound{{{ItemKind::block, known}}};
    }
    Headers headers;
    for (std::uint64_t height = fork + 1;
         height <= tip && headers.headers.size() < kMaxHeadersPerMessage; ++height) {
        const auto id = ledger_.id_at(height);
        if (!id || !*id) break;
        const auto index = ledger_.index(**id);
        if (!index || !*index) break;
        headers.headers.push_back((*index)->header);
    }
    return headers;
}

Message ChainServer::answer(const GetBlock& request) const {
    auto block = ledger_.block(request.id);
    if (!block || !*block) return NotFound{{{ItemKind::block, request.id}}};
    return BlockMessage{**std::move(block)};
}

}  // namespace gradient::node
