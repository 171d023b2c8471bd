#pragma once

#include "chain/ledger.hpp"
#include "node/sync/block_downloads.hpp"
#include "node/sync/header_chain.hpp"
#include "node/sync/header_survey.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/silence_watch.hpp"
#include "node/sync/sync_limits.hpp"
#include "node/sync/sync_status.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace gradient::node {

/// Catches up with peers that claim more work than the tip has. A header proves nothing, since its
/// last digest may be invented: headers say what to fetch, and the tip moves by judged blocks
/// alone. Each peer's chain is followed for itself; blocks that chains share are fetched once, from
/// all who have shown their headers.
///
/// Lives on the ledger's strand; see SyncOutlets.
class BlockSync {
  public:
    BlockSync(const chain::Ledger& ledger, SyncOutlets outlets, const SyncLimits& limits = {});

    void peer_joined(PeerId peer, const Hello& hello, SteadyTime now);
    void peer_left(PeerId peer, SteadyTime now);

    /// To be told of every announcement. One whose parent is stored is left to relay for
    /// SyncLimits::relay_time.
    void on_announce(PeerId peer, const Announce& announce, SteadyTime now);
    /// What a peer claims beside its announcements.
    void on_claim(PeerId peer, const TipClaim& claimed, SteadyTime now);
    /// Whether an announced block is for sync to fetch, headers first: its parent is not stored.
    [[nodiscard]] bool needs_headers(const Announce& announce) const;
    /// Relay can't get on without earlier blocks: what the peer claims is not left to it any more.
    void announced_unknown_parent(PeerId peer, SteadyTime now);

    /// Relay fetches or judges this block: not fetched here for SyncLimits::relay_fetch_time, or
    /// until it has been judged.
    void left_to_relay(const chain::Hash256& id, SteadyTime now);

    /// `now_ms`: this node's clock, milliseconds since 1970.
    void on_headers(PeerId peer, const Headers& message, SteadyTime now, std::uint64_t now_ms);

    /// Whether this block has been asked of that peer here: then its answer, BlockMessage or
    /// NotFound, belongs here.
    [[nodiscard]] bool is_asked(PeerId peer, const chain::Hash256& id) const {
        return downloads_.is_asked(peer, id);
    }
    /// A block that nobody asked for is held against its sender.
    void on_block(PeerId peer, std::shared_ptr<const chain::Block> block, SteadyTime now);
    /// Items that were not asked for here are passed over.
    void on_not_found(PeerId peer, const NotFound& message, SteadyTime now);

    /// The verdict on a block that was submitted, here or by relay.
    void block_judged(PeerId peer, const chain::Hash256& id,
                      const chain::Result<chain::CommitOutcome, chain::SubmitError>& result,
                      SteadyTime now);
    /// The ledger's tip is another, for whatever reason.
    void tip_changed(SteadyTime now);
    /// To be called a few times a second.
    void tick(SteadyTime now);

    [[nodiscard]] SyncStatus status(SteadyTime now) const;

  private:
    struct HeaderRequest {
        std::vector<chain::Hash256> locator;
        SteadyTime asked;
        SteadyTime deadline;
        bool late = false;
        bool survey = false;
    };
    struct Peer {
        TipClaim claim;
        std::optional<HeaderRequest> request;
        std::optional<HeaderPath> path;      ///< none until it has answered
        std::optional<HeaderSurvey> survey;  ///< of what lies above a path with too little work
        SteadyTime ask_after;                ///< no headers are asked for before
        bool refused = false;                ///< nothing more until it claims something else
        std::size_t short_falls = 0;         ///< answers that showed less than it claims
        SilenceWatch silence;
        double header_credit = 0;
        SteadyTime credit_at;
    };

    /// What became of a header that was shown.
    enum class Added : std::uint8_t { taken, too_early };

    // ---- claims and headers, block_sync_headers.cpp
    [[nodiscard]] std::optional<chain::BlockIndex> stored(const chain::Hash256& id) const;
    [[nodiscard]] const chain::U256& tip_work() const;
    static void claim(Peer& peer, const TipClaim& claim, SteadyTime ask_after);
    [[nodiscard]] bool wants_more(const Peer& peer) const;
    [[nodiscard]] static chain::U256 known_work(const Peer& peer);
    [[nodiscard]] bool needs_survey(const Peer& peer) const;
    [[nodiscard]] bool wants_headers(const Peer& peer, SteadyTime now) const;
    [[nodiscard]] std::vector<chain::Hash256> locator(const Peer& peer) const;
    void ask_for_headers(SteadyTime now);
    bool adopt_claim(PeerId id, Peer& peer);
    void renew_credit(Peer& peer, SteadyTime now) const;
    void mark_late_headers(SteadyTime now);
    void no_headers(PeerId id, Peer& peer, const HeaderRequest& request, SteadyTime now);
    void take_headers(PeerId id, Peer& peer, const HeaderRequest& request, const Headers& message,
                      SteadyTime now, std::uint64_t now_ms);
    [[nodiscard]] std::optional<HeaderPath> path_to(Peer& peer, const chain::Hash256& id);
    [[nodiscard]] chain::Result<Added, Offence> add_header(HeaderPath& path,
                                                           const chain::Header& header, Peer& peer,
                                                           std::uint64_t now_ms);
    void take_survey(PeerId id, Peer& peer, const HeaderRequest& request, const Headers& message,
                     SteadyTime now, std::uint64_t now_ms);
    void headers_ended(PeerId id, Peer& peer, SteadyTime now);
    void fell_short(PeerId id, Peer& peer, const chain::U256& shown, SteadyTime now);
    static void forget_chain(Peer& peer);
    void refuse(PeerId id, Peer& peer, const Offence& offence);

    // ---- blocks
    [[nodiscard]] bool is_useful(const Peer& peer) const;
    void choose_leader(SteadyTime now);
    [[nodiscard]] const HeaderPath* best_path() const;
    [[nodiscard]] bool on_best_chain(const chain::Hash256& id, std::uint64_t height) const;
    [[nodiscard]] bool is_next(const chain::Hash256& id) const;
    [[nodiscard]] bool has_room(bool next, bool on_best) const;
    bool ask_for_block(PeerId id, const Peer& peer, SteadyTime now);
    void ask_for_blocks(SteadyTime now);
    void make_room();
    void drop_silent_peers(SteadyTime now);

    // ---- verdicts
    [[nodiscard]] chain::U256 branch_work(const chain::Hash256& id, std::uint64_t height) const;
    bool submit_next(const Peer& peer, SteadyTime now);
    void submit_blocks(SteadyTime now);
    void block_stored(const chain::Hash256& id, SteadyTime now);
    void block_invalid(const chain::Hash256& id, const chain::SubmitError& error);
    void block_not_judged(PeerId sender, const chain::Hash256& id, const chain::SubmitError& error);
    void give_up_chain(const chain::Hash256& id, const chain::SubmitError& why);
    void pop_stored();

    void clean_up(SteadyTime now);
    void go_on(SteadyTime now);
    [[nodiscard]] std::uint64_t next_height() const;
    [[nodiscard]] SyncState state(SteadyTime now) const;

    const chain::Ledger& ledger_;
    SyncOutlets outlets_;
    SyncLimits limits_;
    HeaderPool pool_;  // outlives the peers' paths
    std::map<PeerId, Peer> peers_;
    BlockDownloads downloads_;
    std::optional<PeerId> leader_;  // whose chain is fetched first
    std::set<chain::Hash256> condemned_;
    std::deque<chain::Hash256> condemned_order_;          // the same ids, oldest first
    std::map<chain::Hash256, SteadyTime> left_to_relay_;  // until when
    std::optional<Offence> last_refusal_;
    std::optional<chain::SubmitError> own_failure_;
    std::deque<SteadyTime> stored_times_;  // of the last blocks that were stored
};

}  // namespace gradient::node
