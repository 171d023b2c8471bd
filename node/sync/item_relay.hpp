#pragma once

#include "chain/base/u256.hpp"
#include "node/p2p/messages.hpp"
#include "node/sync/item_announcer.hpp"
#include "node/sync/item_fetcher.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/relay_types.hpp"
#include "node/sync/rolling_set.hpp"
#include "node/sync/share_orphans.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace gradient::node {

/// How transactions and shares travel: told by inventories, asked of one peer at a time, judged,
/// and told on. What hangs on a tip far above this node's is of no use to it: a peer that claims
/// one is asked for nothing before this node has caught up with it. See node/SPEC.md section 6.
class ItemRelay {
  public:
    /// Transactions of one peer that are asked for or being judged.
    static constexpr std::size_t kMaxTransactionsInJudgement = 128;
    /// Shares of one peer, and of all, that are being judged; and their bytes.
    static constexpr std::size_t kMaxSharesInJudgement = 16;
    static constexpr std::size_t kMaxShareBytesInJudgement = 4 * chain::kMaxBlockBytes;
    static constexpr std::size_t kMaxAllSharesInJudgement = 256;
    static constexpr std::size_t kMaxAllShareBytesInJudgement = 16 * chain::kMaxBlockBytes;
    /// Copies of one share that are fetched on one tip, as long as none tells what the share is.
    static constexpr std::uint8_t kMaxTries = 3;
    /// Shares whose tries are counted.
    static constexpr std::size_t kMaxTried = 65'536;
    /// Refused and included ids remembered: the relay asks for none of them again.
    static constexpr std::size_t kMaxRefused = 65'536;
    static constexpr std::size_t kMaxIncluded = 65'536;
    /// A peer whose shares were refused until it had no turn left gets one after this time.
    static constexpr std::chrono::seconds kShareRest{60};
    /// A peer is ahead if it claims the work of so many blocks like the tip more than the tip has:
    /// of what it tells now little can be judged here, and much will be in blocks by then.
    static constexpr std::uint64_t kBlocksAhead = 3;

    ItemRelay(const RelayView& view, const SyncOutlets& outlets, RelayFigures& figures);

    /// `work`: behind the tip that it has claimed in its hello.
    void peer_joined(PeerId peer, const chain::U256& work);
    /// What it claims now. Tells it what the pools hold once its claim is near the tip.
    void claimed(PeerId peer, const chain::U256& work);
    /// Asks others for what was asked of it.
    void peer_left(PeerId peer, SteadyTime now);

    /// A transaction or share is in its pool, whoever made it: peers that do not know it are told.
    void item_accepted(const ItemId& item, std::optional<PeerId> from, SteadyTime now);

    // ---- messages
    void on_inventory(PeerId peer, const Inventory& message, SteadyTime now);
    void on_get_items(PeerId peer, const GetItems& message, SteadyTime now);
    void on_transaction(PeerId peer, TransactionMessage message, SteadyTime now);
    void on_share(PeerId peer, ShareMessage message, SteadyTime now);
    void on_not_found(PeerId peer, const NotFound& message, SteadyTime now);

    // ---- what came of a submission
    void transaction_judged(PeerId peer, const chain::Hash256& id, const Verdict& verdict,
                            SteadyTime now);
    void share_judged(PeerId peer, const SharedSegment& segment, const Verdict& verdict,
                      SteadyTime now);

    /// Tries the orphans again, and forgets what was refused on the old tip only.
    void tip_changed(const chain::TipChange& change, SteadyTime now);
    /// To be called every kRelayTick or so.
    void tick(SteadyTime now);

    // ---- for figures and tests
    [[nodiscard]] const ItemFetcher& fetcher() const noexcept { return fetcher_; }
    [[nodiscard]] const ShareOrphans& orphans() const noexcept { return orphans_; }
    [[nodiscard]] std::size_t shares_in_judgement() const noexcept { return shares_.size(); }

  private:
    struct Peer {
        chain::U256 work;              // that it claims
        bool was_ahead = false;        // and has not been told that it is no more
        std::size_t transactions = 0;  // in judgement
        std::size_t shares = 0;        // in judgement
        std::size_t share_bytes = 0;   // of these
        std::size_t share_turns = kMaxSharesInJudgement;
        SteadyTime rests_until;  // if it has no turns
    };
    struct JudgedShare {
        SharedSegment segment;
        PeerId peer{};
        chain::Hash256 asked;
        std::size_t bytes = 0;
    };

    [[nodiscard]] bool has(const ItemId& item) const;
    [[nodiscard]] chain::U256 horizon() const;
    void see_peers();
    [[nodiscard]] ItemFetcher::Allowance allowance(Peer& peer, SteadyTime now) const;
    void ask(PeerId peer, SteadyTime now);
    void ask_all(SteadyTime now);
    void refuse_transaction(const chain::Hash256& id, PeerId peer, const Offence& offence);
    void blame_for_share(const chain::Hash256& asked, PeerId peer, const Offence& offence);
    [[nodiscard]] bool is_last_try(const chain::Hash256& share);
    void not_on_this_tip(const chain::Hash256& asked, PeerId peer);
    void park(const JudgedShare& share, SteadyTime now);
    void submit_share(JudgedShare share);
    void keep_orphan(const JudgedShare& share, SteadyTime now);
    void share_accepted(const JudgedShare& share, const chain::Hash256& id, SteadyTime now);
    void release_orphans(SteadyTime now);
    void settle_included(const chain::TipChange& change);
    [[nodiscard]] std::vector<chain::Hash256> included_in(const chain::Hash256& block,
                                                          const SharedBlock& whole) const;

    const RelayView& view_;
    const SyncOutlets& outlets_;
    RelayFigures& figures_;
    ItemAnnouncer announcer_;
    ItemFetcher fetcher_;
    ShareOrphans orphans_;
    std::map<PeerId, Peer> peers_;
    std::unordered_map<chain::Hash256, PeerId> transactions_;  // in judgement
    std::unordered_map<const chain::Segment*, JudgedShare> shares_;
    std::size_t share_bytes_ = 0;
    // Transactions only: of a share that is refused, the id is not known.
    RollingSet refused_{kMaxRefused};
    RollingSet refused_on_tip_{kMaxRefused};
    std::unordered_map<Fingerprint, std::uint8_t> tries_;  // of shares, on this tip
    RollingSet included_{kMaxIncluded};
    std::uint64_t tip_number_ = 1;  // counts the tips
    chain::U256 horizon_;           // who claims so much work is ahead
};

}  // namespace gradient::node
