#pragma once

#include "node/network/peer_figures.hpp"
#include "node/sync/sync_status.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace gradient::node {

/// What the answer to "why am I stuck?" looks at.
struct StuckFacts {
    SyncStatus sync;
    std::uint64_t tip_height = 0;
    std::uint64_t tip_age_ms = 0;  ///< since this node took its tip
    std::uint64_t interval_ms = 0;
    /// Since a peer last told of a block that this node did not have; nothing: none has.
    std::optional<std::uint64_t> news_age_ms;
    std::size_t peers = 0;
    std::size_t known_addresses = 0;
    bool is_calling = false;  ///< there are addresses to call, or calls under way
    bool is_mining = false;
    bool is_waiting_to_mine = false;  ///< mining, if it is to be on, waits for catching up first
    SteadyTime now;
};

/// Intervals without a block after which a node that is in sync says so as being stuck: by chance
/// alone less often than once in 20,000 blocks.
inline constexpr std::uint64_t kQuietIntervals = 10;

/// What the node waits for, in words.
[[nodiscard]] StuckReport explain(const StuckFacts& facts);

}  // namespace gradient::node
