#pragma once

#include "chain/types/block.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/sync_limits.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace gradient::node {

/// Which blocks have been asked of whom, and those that have arrived and wait to be judged. Knows
/// nothing of chains: what is to be fetched, and in which order, its owner says.
class BlockDownloads {
  public:
    /// A block that has arrived.
    struct Arrived {
        std::shared_ptr<const chain::Block> block;
        PeerId sender{};
        std::size_t bytes = 0;
        bool submitted = false;
        SteadyTime not_before;  ///< when it may be submitted
    };

    /// Blocks that are on their way, for status.
    struct Progress {
        std::size_t in_flight = 0;
        std::size_t peers = 0;
        std::uint64_t first_height = 0;
        std::uint64_t last_height = 0;
        /// Set if everything on its way is late: of whom the lowest was asked first, and when.
        std::optional<std::pair<PeerId, SteadyTime>> late;
    };

    explicit BlockDownloads(const SyncLimits& limits) : limits_(limits) {}

    void add_peer(PeerId peer) { peers_.try_emplace(peer, Peer{{}, 1, limits_.first_rate, {}}); }
    void remove_peer(PeerId peer);

    // ---- asking

    /// Whether one more block may be asked of that peer.
    [[nodiscard]] bool has_slot(PeerId peer) const;
    /// Whether that block should be asked of that peer: it is not there, and nobody else is about
    /// to send it in time.
    [[nodiscard]] bool should_ask(PeerId peer, const chain::Hash256& id, SteadyTime now) const;
    /// Notes that the block is asked of the peer now.
    void asked(PeerId peer, const chain::Hash256& id, std::uint64_t height, SteadyTime now);
    /// Whether the block has been asked of the peer, and not answered.
    [[nodiscard]] bool is_asked(PeerId peer, const chain::Hash256& id) const;

    /// Whether the peer does not send that block: it is late with it, or has said not to have it.
    [[nodiscard]] bool is_failing(PeerId peer, const chain::Hash256& id, SteadyTime now) const;

    // ---- answers

    /// Takes a block that was asked of the peer; nothing happens if it is there already or no
    /// longer wanted.
    void arrived(PeerId peer, const chain::Hash256& id, std::shared_ptr<const chain::Block> block,
                 SteadyTime now);
    /// The peer does not have the block that was asked of it: not asked of it again before `until`.
    void not_found(PeerId peer, const chain::Hash256& id, SteadyTime until);
    /// Marks what has become late: less is asked of its peers, and they are taken to be slower.
    void mark_late(SteadyTime now);
    /// Whether the peer has not answered everything that it was asked for.
    [[nodiscard]] bool owes(PeerId peer) const;

    // ---- what has arrived

    [[nodiscard]] Arrived* find(const chain::Hash256& id);
    [[nodiscard]] const Arrived* find(const chain::Hash256& id) const;
    /// Drops what arrived, and never asks its sender for it again.
    void drop_copy(const chain::Hash256& id);
    /// Drops what arrived, to make room.
    void drop_for_now(const chain::Hash256& id);
    /// Drops everything about a block: it is stored, or not wanted any more.
    void forget(const chain::Hash256& id);
    /// The same for all blocks for which `wanted` is false.
    void keep_only(const std::function<bool(const chain::Hash256&)>& wanted);
    /// Ids of the blocks that have arrived, with their heights.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, chain::Hash256>> waiting() const;

    // ---- counters

    [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
    /// Bytes held and expected.
    [[nodiscard]] std::size_t window_bytes() const noexcept;
    /// What a block is expected to take.
    [[nodiscard]] std::size_t likely_bytes() const noexcept { return likely_bytes_; }
    [[nodiscard]] std::size_t submitted() const;
    /// Height of one that is being judged.
    [[nodiscard]] std::optional<std::uint64_t> submitted_height() const;
    [[nodiscard]] Progress progress(SteadyTime now) const;

  private:
    struct Request {
        chain::Hash256 id;
        std::uint64_t height = 0;
        SteadyTime asked;
        SteadyTime deadline;
        bool late = false;
    };
    struct Peer {
        std::vector<Request> requests;
        std::size_t allowed = 1;
        std::size_t rate = 0;     // bytes a second, as far as known
        SteadyTime last_arrival;  // of a block
    };
    struct Refusal {
        PeerId peer{};
        SteadyTime until;
    };
    struct Entry {
        std::uint64_t height = 0;
        Arrived arrived;
        std::vector<PeerId> askings;
        std::vector<Refusal> refusals;
    };

    std::optional<Request> take_request(PeerId peer, const chain::Hash256& id);
    void drop_arrived(Entry& entry);
    [[nodiscard]] static bool is_refused(const Entry& entry, PeerId peer, SteadyTime now);
    [[nodiscard]] const Request* request(PeerId peer, const chain::Hash256& id) const;
    [[nodiscard]] bool is_late(PeerId peer, const chain::Hash256& id, SteadyTime now) const;
    [[nodiscard]] bool is_overdue(PeerId peer, const chain::Hash256& id, SteadyTime now) const;
    void note_rate(Peer& peer, const Request& request, std::size_t bytes, SteadyTime now) const;

    const SyncLimits& limits_;
    std::map<PeerId, Peer> peers_;
    std::unordered_map<chain::Hash256, Entry> entries_;
    std::size_t held_bytes_ = 0;
    std::size_t likely_bytes_ = kFirstLikelyBytes;
};

}  // namespace gradient::node
