#pragma once

// What a chain's holder tells somebody who judges the chain by samples (chain/SPEC.md section 25).

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/light/history_sample.hpp"
#include "chain/state/store_error.hpp"
#include "chain/storage/block_store.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace gradient::chain {

/// The last `blocks` headers up to a block of the active chain (at most kTailBlocks; never genesis)
/// and what they stand on. Nothing if the block is genesis or not on the active chain, or if the
/// chain came as a snapshot and has no history below.
[[nodiscard]] Result<std::optional<HistoryTail>, StoreError> prove_tail(const BlockReader& reader,
                                                                        const Hash256& tip,
                                                                        std::size_t blocks);

/// For each value the block, below the anchor, whose work takes the chain's cumulative work beyond
/// it. Nothing if the anchor is not on the active chain, a value is not below the anchor's own
/// work or is genesis's, or the chain came as a snapshot.
[[nodiscard]] Result<std::optional<std::vector<HistorySample>>, StoreError> prove_samples(
    const BlockReader& reader, const Hash256& anchor, std::span<const U256> works);

}  // namespace gradient::chain
