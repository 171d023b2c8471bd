#pragma once

#include "node/p2p/messages.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/recent_blocks.hpp"
#include "node/sync/relay_types.hpp"
#include "node/sync/serve_budget.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace gradient::node {

/// Whether a request has been answered, or is for somebody else to answer.
enum class Served : std::uint8_t { yes, no };

/// Gives new blocks to peers that ask for them: any stored one as outline and parts, and whole
/// those that are at hand, among which are the proven ones that are not stored yet.
class OutlineServer {
  public:
    /// What a request costs of a peer's budget beside the bytes that are sent.
    static constexpr std::size_t kRequestBytes = 1024;

    OutlineServer(const RelayView& view, const SyncOutlets& outlets, RelayFigures& figures)
        : view_(view), outlets_(outlets), figures_(figures), recent_(view.ledger) {}

    void peer_joined(PeerId peer) { budgets_.try_emplace(peer); }
    void peer_left(PeerId peer) { budgets_.erase(peer); }

    void on_get_outline(PeerId peer, const GetOutline& message, SteadyTime now);
    void on_get_parts(PeerId peer, const GetParts& message, SteadyTime now);
    /// Answers only if the block is at hand and the peer may have it now.
    [[nodiscard]] Served on_get_block(PeerId peer, const GetBlock& message, SteadyTime now);

    [[nodiscard]] RecentBlocks& recent() noexcept { return recent_; }
    [[nodiscard]] const RecentBlocks& recent() const noexcept { return recent_; }

  private:
    void answer(PeerId peer, const chain::Hash256& block, std::optional<Message> message,
                SteadyTime now);
    [[nodiscard]] bool may_ask(PeerId peer, SteadyTime now);

    const RelayView& view_;
    const SyncOutlets& outlets_;
    RelayFigures& figures_;
    RecentBlocks recent_;
    std::map<PeerId, ServeBudget> budgets_;
};

}  // namespace gradient::node
