#pragma once

#include "node/p2p/messages.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/relay_types.hpp"
#include "node/sync/rolling_set.hpp"
#include "node/sync/serve_budget.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace gradient::node {

/// Tells peers which transactions and shares this node has, and gives them what they ask for.
class ItemAnnouncer {
  public:
    /// Items that a peer is remembered to know.
    static constexpr std::size_t kKnownItems = 16'384;
    /// What a transaction waits for others to be told of together. A share waits for nothing.
    static constexpr std::chrono::milliseconds kBatchTime{100};
    /// Items of the pools that a peer is told of when it comes near: as many as it remembers.
    static constexpr std::size_t kMaxTold = 4096;
    /// What asking for one item costs of a peer's budget beside its bytes.
    static constexpr std::size_t kRequestBytes = 256;

    ItemAnnouncer(const RelayView& view, const SyncOutlets& outlets, RelayFigures& figures)
        : view_(view), outlets_(outlets), figures_(figures) {}

    void peer_joined(PeerId peer) { peers_.try_emplace(peer); }
    void peer_left(PeerId peer) { peers_.erase(peer); }

    /// The peer has come near this node's tip: it is told what the pools hold, once, and of
    /// everything new from then on.
    void tell_pools(PeerId peer);
    /// The peer has the item: it is not told of it.
    void mark_known(PeerId peer, const chain::Hash256& id);
    /// This node has the item: every peer that is told of anything and does not know it is told.
    void announce(const ItemId& item, SteadyTime now);
    /// Answers from the pools, in the order asked: by that order the peer tells which share is
    /// which. What is not there, or above what the peer may have now, is named in a NotFound at its
    /// place.
    void serve(PeerId peer, const GetItems& request, SteadyTime now);
    /// Sends the batches that are due.
    void tick(SteadyTime now);

  private:
    struct Peer {
        bool is_near = false;  // or has been: it is told of items
        RollingSet known{kKnownItems};
        std::vector<ItemId> batch;
        SteadyTime due;  // if there is a batch
        ServeBudget budget;
    };

    void flush(PeerId id, Peer& peer);
    [[nodiscard]] bool may_send(PeerId id, Peer& peer, std::size_t bytes, SteadyTime now) const;
    [[nodiscard]] std::optional<Message> find(const ItemId& item) const;

    const RelayView& view_;
    const SyncOutlets& outlets_;
    RelayFigures& figures_;
    std::map<PeerId, Peer> peers_;
};

}  // namespace gradient::node
