#pragma once

// The settlement of a training round in exact integers (chain/SPEC.md, "Settlement"). Clipping of
// deltas, momentum and the held-out rule concern rounds of two and more segments and come with
// shares; a round of one segment is the sequential lane itself.

#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// Parameters saturate here: 2045 working units of 2^16 grid steps (model/SPEC.md section 1).
inline constexpr std::int32_t kParameterLimit = 2045 << 16;

/// A segment of a round as the settlement sees it.
struct SettledSegment {
    std::uint64_t weight = 0;                  ///< segment_weight()
    std::span<const std::int32_t> parameters;  ///< theta_K; as long as theta
};

/// w = hits * min(K, full_units): a segment's weight in its round. full_units is the K from which a
/// lane counts in full (ConsensusParams::full_pay_units).
[[nodiscard]] std::uint64_t segment_weight(std::uint32_t hits, std::uint32_t units,
                                           std::uint32_t full_units) noexcept;

/// theta'_i = clamp(theta_i + floor(sum_j w_j (theta_K,j,i - theta_i) / W)) with
/// W = max(sum_j w_j, least_weight, 1), floor toward minus infinity, clamped to +-kParameterLimit.
/// Precondition: at most 2^7 segments, weights at most 2^22, all of theta's length.
[[nodiscard]] std::vector<std::int32_t> settle(std::span<const std::int32_t> theta,
                                               std::span<const SettledSegment> segments,
                                               std::uint64_t least_weight);

/// floor(sqrt(sum_i floor(|to_i - from_i| / 64)^2)): how far a segment moved the model, in units of
/// 64 grid steps. Saturates at 2^32 - 1.
[[nodiscard]] std::uint64_t displacement(std::span<const std::int32_t> from,
                                         std::span<const std::int32_t> to) noexcept;

}  // namespace gradient::chain
