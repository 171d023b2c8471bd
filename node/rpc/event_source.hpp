#pragma once

#include "chain/ledger.hpp"
#include "chain/types/block.hpp"
#include "chain/types/segment.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/network/peer_figures.hpp"
#include "node/rpc/events.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace gradient::node {

/// Makes events of what happens in a node, for those who have subscribed. References must outlive
/// it.
class EventSource {
  public:
    /// Tips whose held-out score may still be told.
    static constexpr std::size_t kMaxUnscored = 64;

    EventSource(EventHub& hub, LedgerService& ledger) : hub_(hub), ledger_(ledger) {}

    // ---- on the ledger's strand
    void tip_changed(const chain::TipChange& change);
    void scored();
    void transaction_kept(const chain::Hash256& id);
    void peer_changed(const PeerChange& change);

    // ---- from any thread
    /// A lane of this node has ended with a hit.
    void hit(const chain::Segment& segment);
    /// A lane of this node has won.
    void won(const chain::Block& block);

  private:
    struct Unscored {
        std::uint64_t height = 0;
        chain::Hash256 id;
    };

    void publish_later(Topic topic, boost::json::object event);

    EventHub& hub_;
    LedgerService& ledger_;
    std::deque<Unscored> unscored_;
};

/// What the parameters of a topic's notifications look like.
[[nodiscard]] Schema event_schema(Topic topic);

/// What a topic's events are, in a sentence.
[[nodiscard]] std::string_view topic_summary(Topic topic) noexcept;

}  // namespace gradient::node
