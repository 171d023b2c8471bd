#include "node/sync/history_server.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gradient::node {

ByteBudget::ByteBudget(std::uint64_t bytes_per_second) noexcept
    : rate_(static_cast<double>(bytes_per_second)), left_(rate_ * kHistorySavedSeconds) {}

bool ByteBudget::has_any(SteadyTime now) {
    if (at_ != SteadyTime{} && now > at_) {
        left_ += rate_ * std::chrono::duration<double>(now - at_).count();
    }
    left_ = std::min(left_, rate_ * kHistorySavedSeconds);
    at_ = now;
    return left_ > 0;
}

HistoryServer::HistoryServer(const chain::Ledger& ledger, SyncOutlets outlets)
    : ledger_(ledger), outlets_(std::move(outlets)), total_(kHistoryTotalRate) {}

void HistoryServer::on_get_tail(PeerId peer, const GetTail& message, SteadyTime now) {
    take(peer, message, now);
}

void HistoryServer::on_get_samples(PeerId peer, const GetSamples& message, SteadyTime now) {
    take(peer, message, now);
}

void HistoryServer::on_get_evidence(PeerId peer, const GetEvidence& message, SteadyTime now) {
    take(peer, message, now);
}

void HistoryServer::on_get_task_data(PeerId peer, const GetTaskData& message, SteadyTime now) {
    take(peer, message, now);
}

void HistoryServer::take(PeerId id, Request request, SteadyTime now) {
    Peer& peer = peers_.try_emplace(id, Peer{ByteBudget(kHistoryPeerRate), {}}).first->second;
    if (peer.waiting.size() == kMaxWaitingHistoryRequests) {
        outlets_.report(id, ProtocolOffence::too_many_requests);
        return;
    }
    peer.waiting.push_back(std::move(request));
    serve(id, peer, now);
}

void HistoryServer::peer_left(PeerId peer) {
    peers_.erase(peer);
}

void HistoryServer::tick(SteadyTime now) {
    for (auto& [id, peer] : peers_) serve(id, peer, now);
}

void HistoryServer::serve(PeerId id, Peer& peer, SteadyTime now) {
    while (!peer.waiting.empty() && peer.budget.has_any(now) && total_.has_any(now)) {
        const Request request = std::move(peer.waiting.front());
        peer.waiting.pop_front();
        Message message = std::visit([&](const auto& one) { return answer(one); }, request);
        const std::size_t size =
            std::visit([](const auto& one) { return chain::encoded_size(one); }, message);
        peer.budget.spend(size + kHistoryRequestCost);
        total_.spend(size + kHistoryRequestCost);
        outlets_.send(id, std::move(message));
    }
}

// What can't be read is not to be had: a broken store stops the node elsewhere.

Message HistoryServer::answer(const GetTail& request) const {
    auto tail = ledger_.tail(request.tip, request.blocks);
    return Tail{request.tip, tail ? *std::move(tail) : std::nullopt};
}

Message HistoryServer::answer(const GetSamples& request) const {
    auto samples = ledger_.samples(request.anchor, request.works);
    if (!samples || !*samples) return Samples{request.anchor, {}};
    return Samples{request.anchor, **std::move(samples)};
}

Message HistoryServer::answer(const GetEvidence& request) const {
    auto evidence = ledger_.evidence(request.id);
    if (!evidence || !*evidence) return NotFound{{{ItemKind::block, request.id}}};
    return Evidence{request.id, **std::move(evidence)};
}

Message HistoryServer::answer(const GetTaskData& request) const {
    auto bytes = ledger_.task_chunk(request.task, request.chunk);
    if (!bytes || !*bytes) return TaskData{request.task, request.chunk, {}};
    return TaskData{request.task, request.chunk, **std::move(bytes)};
}

}  // namespace gradient::node
