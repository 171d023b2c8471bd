#pragma once

// The settlement of a training round in exact integers (chain/SPEC.md, "Settlement"): pure
// functions on plain data. What a round's segments changed becomes one step of the task's model.

#include "chain/state/settlement_history.hpp"
#include "chain/types/limits.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gradient::chain {

/// Parameters saturate here: 2045 working units of 2^16 grid steps (model/SPEC.md section 1).
inline constexpr std::int32_t kParameterLimit = 2045 << 16;

/// Differences of parameters, and so deltas and momentum, stay within +-this: below 2^28.
inline constexpr std::int32_t kDeltaLimit = 2 * kParameterLimit;

/// A segment as the settlement of its task's round sees it.
struct SettledSegment {
    std::uint32_t hits = 0;               ///< h, 1..kMaxSegmentHits
    std::uint32_t paid_units = 0;         ///< L >= 1, the unit of its last hit
    std::uint32_t lateness = 0;           ///< s: 0 on time (winner and listed), 1..3 blocks late
    std::span<const std::int32_t> delta;  ///< theta_K - theta_0 of its lane, within +-kDeltaLimit
};

/// What of a network's and a task's parameters the settlement obeys.
struct SettlementRules {
    std::uint32_t full_units = 1;            ///< units from which a lane counts in full, 1..4096
    std::uint64_t initial_displacement = 0;  ///< per hit, until the history has its 64 hits
};

/// What a settlement makes of a task.
struct SettledRound {
    std::vector<std::int32_t> theta;     ///< the model after
    std::vector<std::int32_t> momentum;  ///< for the next round; empty if all zeros
    SettlementHistory history;           ///< for later rounds
};

/// Settles a round: clips the segments' deltas, averages them by weight, adds momentum where two
/// and more segments enter, and steps. Without segments nothing changes. The order of segments
/// shows in the history alone.
/// Preconditions: at most kMaxParameters parameters, momentum empty (all zeros) or as long as
/// theta, every delta as long as theta; is_possible(history); at most kMaxSettledSegments segments,
/// their fields and the rules in the ranges stated above.
[[nodiscard]] SettledRound settle_round(std::span<const std::int32_t> theta,
                                        std::span<const std::int32_t> momentum,
                                        const SettlementHistory& history,
                                        std::span<const SettledSegment> segments,
                                        const SettlementRules& rules);

/// Whether a settled step may enter the model: unless its error on the held-out draw is more than
/// 1.05 times the reference model's on the same draw, 20 * after <= 21 * reference in 128 bits.
/// Errors are not negative; any two numbers have an answer.
[[nodiscard]] bool step_is_acceptable(std::int64_t error_after,
                                      std::int64_t error_reference) noexcept;

/// Whether at a 64th settlement the model becomes the reference: it is not worse than that.
[[nodiscard]] bool reference_moves(std::int64_t error_after, std::int64_t error_reference) noexcept;

/// w = hits * min(paid_units, full_units): a segment's weight in its round.
[[nodiscard]] std::uint64_t segment_weight(std::uint32_t hits, std::uint32_t paid_units,
                                           std::uint32_t full_units) noexcept;

/// floor(sqrt(sum_i floor(|delta_i| / 64)^2)): how far a segment moved the model, in units of 64
/// grid steps. At most kMaxDisplacement. Precondition: every delta_i within +-kDeltaLimit, at most
/// kMaxParameters of them.
[[nodiscard]] std::uint64_t displacement(std::span<const std::int32_t> delta) noexcept;

/// The displacement of to - from. Precondition: that difference is as above.
[[nodiscard]] std::uint64_t displacement(std::span<const std::int32_t> from,
                                         std::span<const std::int32_t> to);

/// How far a segment of so many hits may move the model before it is clipped:
/// 2 * med * max(h, isqrt(h * h_med)) with a median of at least 1, so that a task which stood still
/// can move again, or twice the initial displacement for each of its hits while nothing is usual
/// yet. Saturates at 2^63 - 1. Precondition: hits are 1..kMaxSegmentHits.
[[nodiscard]] std::uint64_t displacement_cap(std::uint32_t hits,
                                             const std::optional<UsualSegment>& usual,
                                             std::uint64_t initial_displacement) noexcept;

}  // namespace gradient::chain
