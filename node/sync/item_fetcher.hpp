#pragma once

#include "node/p2p/messages.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/relay_types.hpp"
#include "node/sync/silence_watch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace gradient::node {

/// Gets transactions and shares that peers have told of: each from one peer at a time, from the
/// next if the first fails or is late. Being late is no offence, and a late answer is as good as
/// any; only a peer that sends nothing at all for long has stalled.
///
/// A transaction is told by its id. A share's id can't be told from its bytes, so shares are taken
/// to come in the order asked; that is why a request that is late stays in the order until its
/// answer comes or the peer goes.
class ItemFetcher {
  public:
    /// Items that one peer has told of and that are not here yet.
    static constexpr std::size_t kMaxOffers = 4096;
    /// Peers remembered to have one item.
    static constexpr std::size_t kMaxSources = 8;
    /// Requests under way to one peer, late ones among them.
    static constexpr std::size_t kMaxRequests = 128;
    /// Late requests to one peer while which it is asked for nothing more.
    static constexpr std::size_t kMaxLate = 8;
    /// What an answer may take beside its bytes, and the rate at which these must come, before
    /// another peer is asked. Twice as long for each peer that has been late with the item.
    static constexpr std::chrono::milliseconds kTimeout{2'000};
    static constexpr std::size_t kMinBytesPerSecond = std::size_t{1} << 20U;
    static constexpr unsigned kMaxDoublings = 3;
    /// What may pass before another copy of a parked item is asked for. A block is judged in less.
    static constexpr std::chrono::milliseconds kParkTime{3'000};

    /// How many items of a peer may be under way, late ones among them.
    struct Allowance {
        std::size_t transactions = 0;
        std::size_t shares = 0;
    };

    /// `max_share_bytes`: the most that a share may have.
    ItemFetcher(const SyncOutlets& outlets, RelayFigures& figures, std::size_t max_share_bytes);

    void peer_joined(PeerId peer) { peers_.try_emplace(peer); }
    /// What was asked of it is to be asked of others.
    void peer_left(PeerId peer);

    /// A peer has the item, and this node lacks it.
    void offer(PeerId peer, const ItemId& item);
    /// Asks a peer for what it has, as far as it may be asked. To be called after everything that
    /// may have changed that.
    void ask(PeerId peer, const Allowance& allowance, SteadyTime now);

    /// Whether an answer was asked for.
    enum class Answer : std::uint8_t { asked, another_asked, unsolicited };
    /// A transaction has come. If another one was asked for, that has failed.
    [[nodiscard]] Answer take_transaction(PeerId peer, const chain::Hash256& id);
    /// A share has come: the id by which it was asked for.
    [[nodiscard]] std::optional<chain::Hash256> take_share(PeerId peer);
    /// The peer does not have these items.
    void take_not_found(PeerId peer, const NotFound& message);

    /// Whether the item is still wanted: otherwise it has come from another peer already.
    [[nodiscard]] bool wants(const chain::Hash256& id) const { return wanted_.contains(id); }
    /// The peer's copy is here and can't be judged for now: others are asked after kParkTime only.
    void park(PeerId peer, const chain::Hash256& id, SteadyTime now);
    /// The peer's copy was of no use.
    void failed(PeerId peer, const chain::Hash256& id);
    /// The item is here, or wanted no more.
    void done(const chain::Hash256& id);
    /// Asks others for what has not come in time.
    void tick(SteadyTime now);

    /// Items that a peer has told of and that are still wanted. For figures and tests.
    [[nodiscard]] std::size_t offers_of(PeerId peer) const;
    [[nodiscard]] std::size_t wanted() const noexcept { return wanted_.size(); }

  private:
    struct Request {
        ItemId item;
        SteadyTime deadline;
        bool late = false;  // others are asked, but the answer may come
    };
    struct Peer {
        std::deque<ItemId>
            to_ask;  // in the order told; each is looked up again when its turn comes
        std::deque<Request> requests;
        SilenceWatch silence;
        std::size_t offers = 0;  // wanted items of which it is a source
    };
    struct Wanted {
        ItemKind kind = ItemKind::transaction;
        std::vector<PeerId> sources;  // not those that have failed
        std::optional<PeerId> from;   // who has been asked, or has sent what is being judged
        std::size_t requests = 0;     // under way, late ones among them
        unsigned late = 0;            // how often it has been
    };
    struct Parked {
        SteadyTime until;
        PeerId peer{};
        chain::Hash256 id;
    };
    using WantedPlace = std::unordered_map<chain::Hash256, Wanted>::iterator;

    void remove_source(WantedPlace place, PeerId peer);
    void try_others(WantedPlace place);
    ItemId end_request(Peer& peer, std::deque<Request>::iterator request);
    void took(PeerId id, const ItemId& item);
    [[nodiscard]] std::chrono::milliseconds patience(const Wanted& wanted) const;
    void mark_late(PeerId id, Peer& peer, SteadyTime now);

    const SyncOutlets& outlets_;
    RelayFigures& figures_;
    std::chrono::milliseconds share_timeout_;
    std::map<PeerId, Peer> peers_;
    std::unordered_map<chain::Hash256, Wanted> wanted_;
    std::deque<Parked> parked_;  // in the order of time
};

}  // namespace gradient::node
