#pragma once

#include "chain/types/limits.hpp"
#include "node/p2p/limits.hpp"

#include <chrono>
#include <cstddef>

namespace gradient::node {

/// How much catching up may cost. Tests make it smaller.
struct SyncLimits {
    /// Headers of unstored blocks that are held for one peer. What several have shown is held once.
    std::size_t peer_headers = kMaxHeadersPerMessage;
    /// Headers beyond these that are checked without being held, where a branch leaves the chain so
    /// far below the tip that the held ones have too little work; and which part of the held ones
    /// lies between two that are remembered.
    std::size_t survey_headers = std::size_t{1} << 20U;
    std::size_t surveys_per_path = 4;
    /// Headers that one peer may have checked beyond those of blocks that came to be stored, and
    /// how many more a second.
    std::size_t header_credit = 4 * kMaxHeadersPerMessage;
    std::size_t header_credit_per_second = 50;
    /// Blocks above its first unstored one that are fetched of the best chain, and of any other.
    std::size_t window_blocks = 32;
    std::size_t side_window_blocks = 4;
    /// Bytes of blocks that are held or expected; one more may come of the next that can be judged.
    std::size_t window_bytes = 64U << 20U;
    /// Blocks asked of one peer at a time: a peer begins at one, and moves up with each that comes
    /// in time.
    std::size_t max_in_flight = 4;
    /// Peers that one block is asked of at a time, as one after the other is late.
    std::size_t max_askings = 3;
    /// Blocks being judged at a time.
    std::size_t max_submitted = 2;
    /// A block is late, and asked of another, after this time and twice what its likely bytes take
    /// at the peer's rate. That is measured, never believed to be below least_rate, and at first
    /// taken to be first_rate. To be late is no fault: lines and machines differ.
    std::chrono::milliseconds block_time = 2s;
    std::size_t first_rate = 512 * 1024;  // bytes a second
    std::size_t least_rate = 8 * 1024;    // bytes a second
    /// Late blocks are not counted among max_askings after so many times what they had.
    int overdue_times = 4;
    /// Headers are late after this time.
    std::chrono::milliseconds headers_time = 10s;
    /// What an announcement has to bring a block before its headers are asked for; and relay, to
    /// bring a block whose parent is stored, before sync fetches it.
    std::chrono::milliseconds relay_time = 10s;
    std::chrono::milliseconds relay_fetch_time = 30s;
    /// Until what could not be done is tried again: judging a block; asking for headers or a block
    /// that the peer did not have.
    std::chrono::milliseconds judge_again = 1s;
    std::chrono::milliseconds ask_again = 5s;
    /// Ids of invalid blocks that are remembered.
    std::size_t max_condemned = 4096;
    /// Blocks that a peer may have announced beyond the end of its chain, in work of the tip's; how
    /// often it is asked again for their headers before they are given up, and after which time.
    std::size_t blocks_ahead = 8;
    std::size_t ahead_askings = 20;
    std::chrono::milliseconds ahead_wait = 500ms;
};

/// What a block is expected to take (bytes) before any has been seen.
inline constexpr std::size_t kFirstLikelyBytes = std::size_t{1} << 20U;
static_assert(kFirstLikelyBytes <= chain::kMaxBlockBytes);

}  // namespace gradient::node
