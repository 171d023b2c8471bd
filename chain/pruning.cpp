#include "chain/pruning.hpp"

#include "chain/ledger.hpp"
#include "chain/storage/block_stub.hpp"
#include "chain/transition/rounds.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace gradient::chain {

static_assert(kPruneMargin >= Ledger::kSideBranchBlocks);
static_assert(kPruneMargin > kRoundWindow);

namespace {

// First height to be kept if the last `keep` blocks are.
std::uint64_t first_kept(std::uint64_t tip_height, std::uint64_t keep) noexcept {
    return tip_height + 1 > keep ? tip_height + 1 - keep : 0;
}

class PruneBatch {
  public:
    PruneBatch(WriteBatch& batch, const KeyValueView& store, const U256& work_floor,
               std::size_t max_blocks) noexcept
        : reader_(store), writer_(batch), work_floor_(work_floor), max_blocks_(max_blocks) {}

    Result<PruneStep, StoreError> run(std::uint64_t bodies_end, std::uint64_t undo_end) {
        TRY_ASSIGN(const KeptHistory before, reader_.kept());
        KeptHistory after = before;
        const auto strip = [this](const Hash256& id) { return strip_body(id); };
        TRY_ASSIGN(const bool bodies_done, advance(after.bodies, bodies_end, strip));
        const auto forget = [this](const Hash256& id) -> Result<void, StoreError> {
            writer_.erase_diff(id);
            ++step_.undo;
            return {};
        };
        TRY_ASSIGN(const bool undo_done,
                   advance(after.undo, std::min(undo_end, after.bodies), forget));
        step_.finished = bodies_done && undo_done;
        if (after.bodies != before.bodies) TRY(drop_side_branches(after.bodies));
        if (after != before) writer_.put_kept(after);
        return step_;
    }

  private:
    // Treats the active chain's blocks from `cursor` on up to `end`; says whether none is left.
    template <class Treat>
    Result<bool, StoreError> advance(std::uint64_t& cursor, std::uint64_t end, const Treat& treat) {
        std::size_t left = max_blocks_;
        for (std::uint64_t height = std::max<std::uint64_t>(cursor, 1); height < end; ++height) {
            if (left-- == 0) return false;
            TRY_ASSIGN(const Hash256 id, reader_.require_active_at(height));
            TRY_ASSIGN(const BlockIndex index, reader_.require_index(id));
            if (index.cumulative_work > work_floor_) break;
            TRY(treat(id));
            cursor = height + 1;
        }
        return true;
    }

    Result<void, StoreError> strip_body(const Hash256& id) {
        TRY_ASSIGN(const auto block, reader_.block(id));
        if (!block) return {};  // a stub already: it was pruned before a change of branch
        writer_.put_stub(id, stub_of(*block));
        writer_.erase_block(id);
        writer_.erase_evidence(id);
        ++step_.bodies;
        return {};
    }

    // A branch whose first block has a height where the active chain is pruned goes as a whole.
    Result<void, StoreError> drop_side_branches(std::uint64_t kept) {
        TRY_ASSIGN(const auto side, reader_.side_blocks());
        std::set<Hash256> dropped;
        for (const SideBlock& block : side) {  // parents come before children
            TRY_ASSIGN(const BlockIndex index, reader_.require_index(block.id));
            const Hash256& parent = index.header.tmpl.parent;
            if (!dropped.contains(parent)) {
                if (block.height >= kept) continue;
                TRY_ASSIGN(const auto active, reader_.active_at(block.height - 1));
                if (active != parent) continue;
            }
            dropped.insert(block.id);
            writer_.erase_side_branch(block);
            ++step_.side_blocks;
        }
        return {};
    }

    BlockReader reader_;
    BlockWriter writer_;
    U256 work_floor_;
    std::size_t max_blocks_;
    PruneStep step_;
};

}  // namespace

std::uint64_t prune_floor(const ConsensusParams& params) noexcept {
    return params.maturity_blocks + kPruneMargin;
}

Result<PruneStep, StoreError> add_prune_step(WriteBatch& batch, const KeyValueView& store,
                                             std::uint64_t tip_height, const U256& work_floor,
                                             const ConsensusParams& params,
                                             const PrunePolicy& policy, std::size_t max_blocks) {
    const std::uint64_t floor = prune_floor(params);
    const auto end_of = [&](std::uint64_t keep) {
        return keep == 0 ? 0 : first_kept(tip_height, std::max(keep, floor));
    };
    return PruneBatch(batch, store, work_floor, max_blocks)
        .run(end_of(policy.keep_bodies), end_of(policy.keep_undo));
}

StoreError pruned(const Hash256& id, std::uint64_t height, const KeptHistory& kept) {
    return {StoreFault::pruned, "the state after block " + id.to_hex() + " at height " +
                                    std::to_string(height) +
                                    " has been pruned: this data directory leads back to the state "
                                    "after height " +
                                    std::to_string(kept.undo - 1) + " and no further"};
}

}  // namespace gradient::chain
