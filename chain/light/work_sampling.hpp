#pragma once

// How many blocks of a chain are sampled, and which (chain/SPEC.md section 25). Values of work, not
// heights: they may differ from judge to judge and are no rule of the chain.

#include "chain/base/bytes.hpp"
#include "chain/base/u256.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace gradient::chain {

/// A chain passes with a chance below 2^-kSecurityBits if less than kRealPart of the work since it
/// left the honest chain is real.
inline constexpr double kSecurityBits = 40;
inline constexpr double kRealPart = 0.5;

/// Samples taken at least and at most; more are needed only if less than 2^-37 of the work is in
/// the tail.
inline constexpr std::size_t kMinSamples = 40;
inline constexpr std::size_t kMaxSamples = 1024;

/// The part of a chain that is sampled: cumulative work from the end of genesis to the tail.
struct SampledRange {
    U256 first;  ///< work up to and including genesis
    U256 end;    ///< up to the tail's first block; above `first`
    U256 total;  ///< up to and including the tip; above `end`
};

/// The chance that one sample misses every false block, if less than `real_part` of the work since
/// the fork is real. 0: the false ones reach into the tail.
[[nodiscard]] double miss_chance(const SampledRange& range, double real_part) noexcept;

/// How many samples it takes; nothing if more than kMaxSamples.
[[nodiscard]] std::optional<std::size_t> sample_count(const SampledRange& range) noexcept;

/// Draws values of cumulative work in [first, end) with a density in proportion to
/// 1 / (total - value), from a seed that nobody else knows.
[[nodiscard]] std::vector<U256> draw_samples(const SampledRange& range, const Hash256& seed,
                                             std::size_t count);

}  // namespace gradient::chain
