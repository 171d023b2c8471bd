#pragma once

#include "chain/base/amount.hpp"
#include "chain/consensus/params.hpp"
#include "chain/work/targets.hpp"

#include <cstdint>

namespace gradient::chain {

/// What the miner of the block at `height` gets for the win itself. Halves every halving_blocks;
/// nothing for the genesis block.
[[nodiscard]] Amount block_reward(const ConsensusParams& params, std::uint64_t height) noexcept;

/// What one hit of a segment is paid at `height`: R(height) * p_win / p_hit. With s = max(0, bit
/// length of targets.hit - 128), floor(R * (win >> s) / (hit >> s)); R itself if hit is zero.
[[nodiscard]] Amount hit_reward(const ConsensusParams& params, std::uint64_t height,
                                const Targets& targets) noexcept;

/// What a segment of K units and that many hits is paid: floor(hits * hit reward * min(K, full pay
/// units) / full pay units).
[[nodiscard]] Amount segment_reward(const ConsensusParams& params, std::uint64_t height,
                                    const Targets& targets, std::uint32_t hits,
                                    std::uint32_t units) noexcept;

}  // namespace gradient::chain
