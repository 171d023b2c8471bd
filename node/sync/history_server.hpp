#pragma once

#include "chain/ledger.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/offence.hpp"
#include "node/p2p/peer_id.hpp"
#include "node/sync/outlets.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <variant>

namespace gradient::node {

/// Bytes that may be spent: so many a second, saved up for kHistorySavedSeconds.
class ByteBudget {
  public:
    explicit ByteBudget(std::uint64_t bytes_per_second) noexcept;

    /// Whether there is anything to spend. What is spent may exceed it once.
    [[nodiscard]] bool has_any(SteadyTime now);
    void spend(std::uint64_t bytes) noexcept { left_ -= static_cast<double>(bytes); }

  private:
    double rate_;
    double left_;
    SteadyTime at_{};  // when `left_` was last reckoned
};

/// Serves what others judge this node's chain by: tails, samples, evidence, data of tasks. Each
/// peer has a budget of bytes; requests beyond it wait, and too many that wait are held against the
/// peer. Lives on the ledger's strand.
class HistoryServer {
  public:
    /// The ledger must outlive the server; of the outlets it uses `send` and `report`.
    HistoryServer(const chain::Ledger& ledger, SyncOutlets outlets);

    void on_get_tail(PeerId peer, const GetTail& message, SteadyTime now);
    void on_get_samples(PeerId peer, const GetSamples& message, SteadyTime now);
    void on_get_evidence(PeerId peer, const GetEvidence& message, SteadyTime now);
    void on_get_task_data(PeerId peer, const GetTaskData& message, SteadyTime now);
    void peer_left(PeerId peer);
    /// Serves what waits. To be called several times a second.
    void tick(SteadyTime now);

  private:
    using Request = std::variant<GetTail, GetSamples, GetEvidence, GetTaskData>;
    struct Peer {
        ByteBudget budget;
        std::deque<Request> waiting;
    };

    void take(PeerId peer, Request request, SteadyTime now);
    void serve(PeerId id, Peer& peer, SteadyTime now);
    [[nodiscard]] Message answer(const GetTail& request) const;
    [[nodiscard]] Message answer(const GetSamples& request) const;
    [[nodiscard]] Message answer(const GetEvidence& request) const;
    [[nodiscard]] Message answer(const GetTaskData& request) const;

    const chain::Ledger& ledger_;
    SyncOutlets outlets_;
    ByteBudget total_;
    std::map<PeerId, Peer> peers_;
};

}  // namespace gradient::node
