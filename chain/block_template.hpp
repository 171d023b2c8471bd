#pragma once

#include "chain/base/bytes.hpp"
#include "chain/crypto/key.hpp"
#include "chain/parent_state.hpp"
#include "chain/types/block.hpp"
#include "chain/types/header.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/segment_builder.hpp"
#include "chain/work/targets.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gradient::chain {

/// What a miner starts lanes from. Cheap to copy, for any thread; valid until the tip changes.
///
///     const BlockTemplate work = make_template(ledger.tip(), key.public_key(), now_ms);
///     auto trainer = work.parent->network().make_trainer();
///     Lane lane = work.start_lane(0);
///     ... lane.step(*trainer) until it wins ...
///     const Block block = assemble_block(*build_segment(lane, key, *trainer));
struct BlockTemplate {
    std::shared_ptr<const ParentState> parent;  ///< the block to build on, its state and network
    Template tmpl;                              ///< of lane 0
    std::vector<Hash256> listed;                ///< behind tmpl.settle_root; none yet
    Targets targets;                            ///< of a lane's tickets

    /// Lane number `lane`, before its first unit.
    [[nodiscard]] Lane start_lane(std::uint32_t lane) const;
};

/// The template for lanes on a block. Its time is `now_ms`, or just after the parent's if that is
/// later.
[[nodiscard]] BlockTemplate make_template(std::shared_ptr<const ParentState> parent,
                                          const PublicKey& miner, std::uint64_t now_ms);

/// The block that a winning segment makes; its way to the chain is Ledger::submit_block, like a
/// stranger's. Precondition: the segment's last ticket wins.
[[nodiscard]] Block assemble_block(BuiltSegment segment);

}  // namespace gradient::chain
