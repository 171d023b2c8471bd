#pragma once

#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/store_error.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/key_value.hpp"

#include <cstddef>
#include <cstdint>

namespace gradient::chain {

/// How much of the active chain a node keeps, counted in blocks from the tip down. Less than
/// prune_floor() means prune_floor().
struct PrunePolicy {
    std::uint64_t keep_bodies = 0;  ///< whole bodies; 0: all
    std::uint64_t keep_undo = 0;    ///< undo diffs, never fewer than bodies; 0: all
};

/// What one step of pruning did.
struct PruneStep {
    std::uint64_t bodies = 0;       ///< of the active chain that have become stubs
    std::uint64_t undo = 0;         ///< diffs of the active chain that have gone
    std::uint64_t side_blocks = 0;  ///< blocks of dead side branches that have gone
    bool finished = false;          ///< nothing is left to prune as long as the tip stands
};

/// Blocks beyond maturity that stay whole in any case (blocks): as many as a side branch may fork
/// deep (Ledger::kSideBranchBlocks), and more than late shares and fraud proofs reach back.
inline constexpr std::uint64_t kPruneMargin = 20;

/// The last blocks that no policy prunes: pay that has not matured may still be taken back for what
/// these blocks' segments show.
[[nodiscard]] std::uint64_t prune_floor(const ConsensusParams& params) noexcept;

/// Adds what one step prunes to a batch: of at most `max_blocks` blocks each, bodies and undo
/// diffs, and the side branches that fork below. Nothing with cumulative work above `work_floor` is
/// pruned: a side branch may fork there.
[[nodiscard]] Result<PruneStep, StoreError> add_prune_step(
    WriteBatch& batch, const KeyValueView& store, std::uint64_t tip_height, const U256& work_floor,
    const ConsensusParams& params, const PrunePolicy& policy, std::size_t max_blocks);

/// The error for what would need a state or body that is pruned.
[[nodiscard]] StoreError pruned(const Hash256& id, std::uint64_t height, const KeptHistory& kept);

}  // namespace gradient::chain
