#pragma once

#include "node/p2p/messages.hpp"
#include "node/sync/block_relay.hpp"
#include "node/sync/item_relay.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/relay_types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace gradient::node {

/// How often the relay wants to be told the time.
inline constexpr std::chrono::milliseconds kRelayTick{50};

/// How new things travel: transactions and shares by inventory, blocks by header and outline. It
/// reads no clock and owns no socket; see SyncOutlets. Belongs to the ledger's strand.
///
/// Nothing is told to a peer twice, nor to one that is known to have it; everything that a peer can
/// make this remember is bounded, for each peer and in all. Messages of peers that have not joined
/// are dropped.
class Relay {
  public:
    Relay(const RelayView& view, SyncOutlets outlets)
        : view_(view),
          outlets_(std::move(outlets)),
          items_(view_, outlets_, figures_),
          blocks_(view_, outlets_, figures_) {}
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    /// A peer has said hello.
    void peer_joined(PeerId peer, const Hello& hello) {
        items_.peer_joined(peer, hello.tip.cumulative_work);
        blocks_.peer_joined(peer, hello.tip.cumulative_work);
    }
    void peer_left(PeerId peer, SteadyTime now) {
        items_.peer_left(peer, now);
        blocks_.peer_left(peer, now);
    }

    /// What a peer claims in a ping.
    void on_claim(PeerId peer, const TipClaim& claim) {
        items_.claimed(peer, claim.cumulative_work);
    }

    // ---- messages. `now_ms`: this node's clock, milliseconds since 1970.
    AnnounceOutcome on_announce(PeerId peer, const Announce& message, SteadyTime now,
                                std::uint64_t now_ms) {
        items_.claimed(peer, message.cumulative_work);
        return blocks_.on_announce(peer, message, now, now_ms);
    }
    void on_get_outline(PeerId peer, const GetOutline& message, SteadyTime now) {
        blocks_.server().on_get_outline(peer, message, now);
    }
    void on_outline(PeerId peer, Outline message, SteadyTime now) {
        blocks_.on_outline(peer, std::move(message), now);
    }
    void on_get_parts(PeerId peer, const GetParts& message, SteadyTime now) {
        blocks_.server().on_get_parts(peer, message, now);
    }
    void on_parts(PeerId peer, Parts message, SteadyTime now) {
        blocks_.on_parts(peer, std::move(message), now);
    }
    /// Served::no: the relay does not have the block at hand, and says nothing. A block that is
    /// proven and not stored yet is served here alone.
    [[nodiscard]] Served on_get_block(PeerId peer, const GetBlock& message, SteadyTime now) {
        return blocks_.server().on_get_block(peer, message, now);
    }
    /// Asked::no: the relay did not ask for the block, which is left in the message.
    [[nodiscard]] Asked on_block(PeerId peer, BlockMessage& message) {
        return blocks_.on_block(peer, message);
    }
    void on_inventory(PeerId peer, const Inventory& message, SteadyTime now) {
        items_.on_inventory(peer, message, now);
    }
    void on_get_items(PeerId peer, const GetItems& message, SteadyTime now) {
        items_.on_get_items(peer, message, now);
    }
    void on_transaction(PeerId peer, TransactionMessage message, SteadyTime now) {
        items_.on_transaction(peer, std::move(message), now);
    }
    void on_share(PeerId peer, ShareMessage message, SteadyTime now) {
        items_.on_share(peer, std::move(message), now);
    }
    /// Whoever asked: what the relay did not ask for means nothing to it.
    void on_not_found(PeerId peer, const NotFound& message, SteadyTime now) {
        items_.on_not_found(peer, message, now);
        blocks_.on_not_found(peer, message, now);
    }

    // ---- what came of a submission
    void transaction_judged(PeerId peer, const chain::Hash256& id, const Verdict& verdict,
                            SteadyTime now) {
        items_.transaction_judged(peer, id, verdict, now);
    }
    /// `segment`: the very one that was submitted.
    void share_judged(PeerId peer, const SharedSegment& segment, const Verdict& verdict,
                      SteadyTime now) {
        items_.share_judged(peer, segment, verdict, now);
    }
    /// Of any block that was submitted, whoever did.
    void block_judged(PeerId peer, const chain::Hash256& id, const BlockVerdict& verdict,
                      SteadyTime now, std::uint64_t now_ms) {
        blocks_.block_judged(peer, id, verdict, now, now_ms);
    }

    // ---- the node's own
    /// A transaction or share has come into its pool by another way: made here, or by RPC.
    void item_accepted(const ItemId& item, std::optional<PeerId> from, SteadyTime now) {
        items_.item_accepted(item, from, now);
    }
    /// A block's last unit has been replayed, and the rest of it has not been judged.
    void block_proven(const SharedBlock& block) { blocks_.block_proven(block); }
    /// The pools must have followed the tip before.
    void tip_changed(const chain::TipChange& change, SteadyTime now, std::uint64_t now_ms) {
        items_.tip_changed(change, now);
        blocks_.tip_changed(change, now, now_ms);
    }
    /// To be called every kRelayTick or so.
    void tick(SteadyTime now) {
        items_.tick(now);
        blocks_.tick(now);
    }

    /// Whether the relay is fetching the block: the sync need not.
    [[nodiscard]] bool is_fetching(const chain::Hash256& block) const {
        return blocks_.is_fetching(block);
    }
    [[nodiscard]] const RelayFigures& figures() const noexcept { return figures_; }
    // ---- for figures and tests
    [[nodiscard]] const ItemRelay& items() const noexcept { return items_; }
    [[nodiscard]] const BlockRelay& blocks() const noexcept { return blocks_; }

  private:
    RelayView view_;
    SyncOutlets outlets_;
    RelayFigures figures_;
    ItemRelay items_;
    BlockRelay blocks_;
};

}  // namespace gradient::node
