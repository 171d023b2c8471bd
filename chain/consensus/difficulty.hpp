#pragma once

#include "chain/base/u256.hpp"
#include "chain/consensus/params.hpp"

#include <cstdint>
#include <optional>

namespace gradient::chain {

/// The bits that a block must carry, given its parent's height and time (ASERT, chain/SPEC.md
/// section 8). Relative to the anchor the target doubles with every half-life that the parent's
/// time lies behind the schedule `anchor time + interval * height`, and halves with every one ahead
/// of it. Exact integers; the result lies between 1 and max_bits' target, rounded to compact form.
[[nodiscard]] std::uint32_t next_bits(const ConsensusParams& params, std::uint64_t parent_height,
                                      std::uint64_t parent_time_ms) noexcept;

/// The target of a compact form if that is canonical, not zero, and no easier than the network
/// allows.
[[nodiscard]] std::optional<U256> target_of(std::uint32_t bits,
                                            const ConsensusParams& params) noexcept;

/// Work of a block with these bits in reference FLOPs: floor(2^256 / (target + 1)). Precondition:
/// target_of(bits) has a value.
[[nodiscard]] U256 block_work(std::uint32_t bits) noexcept;

}  // namespace gradient::chain
