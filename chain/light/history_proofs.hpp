#pragma once

// What a chain's holder tells a HistoryJudge.

#include "chain/base/mmr.hpp"
#include "chain/base/u256.hpp"
#include "chain/light/history_sample.hpp"
#include "chain/types/header.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace gradient::chain {

/// Where a chain's headers and range are; nothing where something is not to be had.
struct HistorySource {
    std::function<std::optional<MmrNode>(MmrPosition)> node;
    std::function<std::optional<Header>(std::uint64_t height)> header;
};

/// The last `blocks` headers up to a height (at most kTailBlocks; never genesis) and what they
/// stand on. Nothing at height 0, or if something is not to be had.
[[nodiscard]] std::optional<HistoryTail> prove_tail(const HistorySource& source,
                                                    std::uint64_t tip_height, std::size_t blocks);

/// For each value the block, below the anchor's height, whose work takes the chain's beyond it.
/// Nothing if a value is that of genesis or not below the anchor's, or if something is not to be
/// had.
[[nodiscard]] std::optional<std::vector<HistorySample>> prove_samples(const HistorySource& source,
                                                                      std::uint64_t anchor_height,
                                                                      std::span<const U256> works);

}  // namespace gradient::chain
