#pragma once

// What the settlements of a task leave for later ones, and the medians over it (chain/SPEC.md,
// "Settlement"). Everything is counted in hits, which can't be had without the work.

#include "chain/base/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

namespace gradient::chain {

/// Most hits of a segment (WorkParams::max_hits is at most this).
inline constexpr std::uint32_t kMaxSegmentHits = 128;

/// The history keeps the shortest run of last segments with this many hits.
inline constexpr std::uint32_t kHistoryHits = 512;

/// With fewer hits the medians say nothing yet.
inline constexpr std::uint32_t kLeastHistoryHits = 64;

/// Rounds whose weights the history keeps.
inline constexpr std::size_t kHistoryRounds = 32;

/// Most segments that enter one settlement.
inline constexpr std::size_t kMaxSettledSegments = 1024;

/// Weights of a segment and of a round never exceed these: 128 hits, 4096 units, 1024 segments.
inline constexpr std::uint64_t kMaxSegmentWeight = std::uint64_t{kMaxSegmentHits} << 12U;
inline constexpr std::uint64_t kMaxRoundWeight = kMaxSettledSegments * kMaxSegmentWeight;

/// Displacements are below 2^31: see displacement() in chain/state/settlement.hpp.
inline constexpr std::uint64_t kMaxDisplacement = (std::uint64_t{1} << 31U) - 1;

/// One settled segment in a task's history: its hits and its displacement after clipping.
struct SegmentRecord {
    static constexpr std::size_t kEncodedSize = 12;

    std::uint32_t hits = 0;          ///< 1..kMaxSegmentHits
    std::uint64_t displacement = 0;  ///< at most kMaxDisplacement

    friend bool operator==(const SegmentRecord&, const SegmentRecord&) = default;
    static auto fields(auto& self) { return std::tie(self.hits, self.displacement); }
};

/// What settlements leave for later ones of the same task; a state entry.
struct SettlementHistory {
    std::vector<SegmentRecord> segments;       ///< in order of settling, the latest last
    std::vector<std::uint64_t> round_weights;  ///< of the last rounds, the latest last

    friend bool operator==(const SettlementHistory&, const SettlementHistory&) = default;
    // Every record has a hit, so that no more than kHistoryHits of them are ever kept.
    static auto fields(auto& self) {
        return field_list(bounded<kHistoryHits>(self.segments),
                          bounded<kHistoryRounds>(self.round_weights));
    }
};

/// Whether settlements can have left this history: every number in its range, and no record more
/// than the rules keep. Says of a stored entry that it is damaged before settle_round() relies on
/// it.
[[nodiscard]] bool is_possible(const SettlementHistory& history) noexcept;

/// A value and how much it counts in a median.
struct WeightedValue {
    std::uint64_t value = 0;
    std::uint64_t weight = 0;
};

/// The lower median: the smallest value v such that the values <= v have at least half of all
/// weight. Precondition: the weights' sum is above 0 and below 2^63.
[[nodiscard]] std::uint64_t lower_median(std::vector<WeightedValue> values);

/// The usual segment of a history: hits-weighted lower medians over its records.
struct UsualSegment {
    std::uint64_t displacement_per_hit = 0;  ///< median of floor(displacement / hits)
    std::uint32_t hits = 0;                  ///< median of hits
};

/// Medians of the history; nothing if it holds fewer than kLeastHistoryHits hits.
[[nodiscard]] std::optional<UsualSegment> usual_segment(const SettlementHistory& history);

/// Half the lower median of the last rounds' weights, 0 without rounds: the least weight that a
/// round's mean is divided by, so that a thin list can't carry a whole step.
[[nodiscard]] std::uint64_t least_weight(const SettlementHistory& history);

/// The history with a round's records and its weight at the end, cut to what is kept.
[[nodiscard]] SettlementHistory extended(SettlementHistory history,
                                         std::span<const SegmentRecord> records,
                                         std::uint64_t round_weight);

}  // namespace gradient::chain
