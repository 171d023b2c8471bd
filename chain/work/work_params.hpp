#pragma once

#include "chain/types/limits.hpp"

#include <cstdint>

namespace gradient::chain {

/// The part of a network's parameters that lanes and segments obey. Permitted ranges are asserted
/// in chain/consensus/params.cpp.
struct WorkParams {
    /// Units of a lane, 1..kMaxUnits. Bounds a segment's digests (32 bytes each).
    std::uint32_t max_units = kMaxUnits;
    /// Hits of a segment, 1..128. Bounds what a segment costs to check.
    std::uint32_t max_hits = 128;
    /// A hit is at most this many times as likely as a win, 1..4096.
    std::uint32_t hits_per_win = 64;
    /// A hit that is no win costs at least this many units on average, 1..65536.
    std::uint32_t units_per_hit = 100;
    /// q: units opened beside the hits, 0..8.
    std::uint32_t guards = 2;
    /// Bytes of an encoded segment, at most kMaxBlockBytes less room for the rest of a block.
    std::uint32_t max_segment_bytes = 7 * 1024 * 1024;

    friend bool operator==(const WorkParams&, const WorkParams&) = default;
};

}  // namespace gradient::chain
