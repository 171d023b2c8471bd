#pragma once

#include "chain/base/u256.hpp"
#include "node/p2p/messages.hpp"
#include "node/sync/block_assembly.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/outline_server.hpp"
#include "node/sync/relay_types.hpp"
#include "node/sync/rolling_set.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace gradient::node {

/// What came of an announcement.
enum class AnnounceOutcome : std::uint8_t {
    known,           // the block is stored
    fetching,        // the block is being fetched or judged
    waiting,         // its parent is being fetched or judged: its turn comes after that
    headers_needed,  // its parent is unknown, and it claims enough work to be worth its headers
    ignored,         // too little work, not its time yet, or no room
    refused,         // it has broken a rule, now or before
};

/// Whether a message was an answer to something that the relay asked.
enum class Asked : std::uint8_t { yes, no };

/// How new blocks travel: announced by their headers, fetched as outlines, put together from the
/// pools. See node/SPEC.md section 6.
class BlockRelay {
  public:
    /// Blocks that a peer is remembered to know.
    static constexpr std::size_t kKnownBlocks = 256;
    /// Blocks being fetched or judged, in all and on one peer's word.
    static constexpr std::size_t kMaxFetches = 24;
    static constexpr std::size_t kMaxPeerFetches = 3;
    /// Announcements of one peer that wait for their parent.
    static constexpr std::size_t kMaxWaiting = 4;
    /// Requests under way to one peer, late ones among them.
    static constexpr std::size_t kMaxRequests = 32;
    /// Refused blocks remembered.
    static constexpr std::size_t kMaxRefused = 4096;
    /// What an answer may take before another is asked too, beside the first, for parts and whole
    /// blocks as long as a full block takes at the least rate more; each time twice as long as
    /// before. To be late is no fault, but whoever was has others asked beside it at once.
    static constexpr std::chrono::milliseconds kOutlineTimeout{1'000};
    static constexpr std::chrono::milliseconds kPartsTimeout{2'000};
    static constexpr std::size_t kMinBytesPerSecond = std::size_t{4} << 20U;
    /// What fetching a block may take in all; then sync fetches it.
    static constexpr std::chrono::milliseconds kFetchTimeout{30'000};

    BlockRelay(const RelayView& view, const SyncOutlets& outlets, RelayFigures& figures)
        : view_(view), outlets_(outlets), figures_(figures), server_(view, outlets, figures) {}

    /// `work`: behind the tip that it has claimed in its hello.
    void peer_joined(PeerId peer, const chain::U256& work);
    /// Asks others for what was asked of it.
    void peer_left(PeerId peer, SteadyTime now);

    // ---- messages. `now_ms`: this node's clock, for the rules on a header's time.
    AnnounceOutcome on_announce(PeerId peer, const Announce& message, SteadyTime now,
                                std::uint64_t now_ms);
    void on_outline(PeerId peer, Outline message, SteadyTime now);
    void on_parts(PeerId peer, Parts message, SteadyTime now);
    /// A whole block; what the relay did not ask for is left as it is.
    [[nodiscard]] Asked on_block(PeerId peer, BlockMessage& message);
    void on_not_found(PeerId peer, const NotFound& message, SteadyTime now);

    // ---- the ledger
    /// The tip has changed: peers that do not know it are told.
    void tip_changed(const chain::TipChange& change, SteadyTime now, std::uint64_t now_ms);
    /// A block's work is proved, though the rest of it is not: it is told and served from now on.
    void block_proven(const SharedBlock& block);
    /// What became of a block; nothing happens if the relay did not submit it.
    void block_judged(PeerId peer, const chain::Hash256& id, const BlockVerdict& verdict,
                      SteadyTime now, std::uint64_t now_ms);

    /// To be called every kRelayTick or so.
    void tick(SteadyTime now);

    /// Whether the relay is after the block: nobody else need fetch it.
    [[nodiscard]] bool is_fetching(const chain::Hash256& id) const { return fetches_.contains(id); }
    [[nodiscard]] std::size_t fetches() const noexcept { return fetches_.size(); }
    [[nodiscard]] OutlineServer& server() noexcept { return server_; }

  private:
    enum class Stage : std::uint8_t { outline, parts, whole, judgement };
    struct Request {
        Stage kind = Stage::outline;
        chain::Hash256 block;
        friend bool operator==(const Request&, const Request&) = default;
    };
    struct Peer {
        RollingSet known{kKnownBlocks};
        chain::U256 work;  // the most that it has claimed
        std::vector<Request> requests;
        std::vector<Announce> waiting;
        bool is_late = false;  // with what it was asked last
    };
    struct Fetch {
        chain::Header header;
        PeerId announcer{};
        Stage stage = Stage::outline;
        std::vector<PeerId> sources;       // not those that have been asked
        std::optional<PeerId> from;        // who has sent what is used, if anything has come
        std::chrono::milliseconds wait{};  // before one more is asked
        SteadyTime deadline;               // when one more is asked
        SteadyTime end;                    // when it is given up
        std::optional<BlockAssembly> assembly;
        std::optional<chain::IncludedSegments> included;  // as the outline named them
        bool is_mixed = false;   // of pools or several peers: what does not fit is nobody's fault
        bool is_proven = false;  // its work is proved
    };
    using FetchPlace = std::map<chain::Hash256, Fetch>::iterator;

    AnnounceOutcome consider(PeerId peer, const Announce& message, const chain::Hash256& id,
                             SteadyTime now, std::uint64_t now_ms);
    [[nodiscard]] AnnounceOutcome judge_header(PeerId peer, const Announce& message,
                                               const chain::Hash256& id,
                                               const chain::BlockIndex& parent, SteadyTime now,
                                               std::uint64_t now_ms);
    [[nodiscard]] AnnounceOutcome without_parent(PeerId peer, const Announce& message);
    [[nodiscard]] bool make_room(PeerId peer, SteadyTime now);
    void tell(const chain::Header& header, const chain::U256& work);

    void start_fetch(const chain::Hash256& id, const chain::Header& header, PeerId peer,
                     SteadyTime now);
    void add_source(FetchPlace place, PeerId peer, SteadyTime now);
    [[nodiscard]] std::optional<PeerId> take_source(Fetch& fetch);
    [[nodiscard]] static bool owes(const Peer& peer, const Request& request);
    [[nodiscard]] bool is_pending(const Request& request) const;
    void ask_next(FetchPlace place, SteadyTime now);
    void ask_another(FetchPlace place, SteadyTime now);
    void enter(FetchPlace place, Stage stage);
    void ask(FetchPlace place, PeerId peer, SteadyTime now);
    [[nodiscard]] bool take_request(PeerId peer, const Request& request);
    void wrong_answer(PeerId peer, Stage kind, SteadyTime now);
    void assembled(FetchPlace place, SteadyTime now);
    void submit(FetchPlace place, SharedBlock block);
    void whole_or_next(FetchPlace place, const Offence& offence, SteadyTime now);
    void ask_whole(FetchPlace place, SteadyTime now);
    void judged_bad(FetchPlace place, const chain::SubmitError& error, SteadyTime now);
    void retry_waiting(SteadyTime now, std::uint64_t now_ms);

    const RelayView& view_;
    const SyncOutlets& outlets_;
    RelayFigures& figures_;
    OutlineServer server_;
    std::map<PeerId, Peer> peers_;
    std::map<chain::Hash256, Fetch> fetches_;
    RollingSet refused_{kMaxRefused};
};

}  // namespace gradient::node
