#pragma once

#include "chain/base/bytes.hpp"
#include "chain/crypto/key.hpp"
#include "chain/parent_state.hpp"
#include "chain/types/block.hpp"
#include "chain/types/header.hpp"
#include "chain/verification.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/segment_builder.hpp"
#include "chain/work/targets.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gradient::chain {

/// What a template takes in beside the parent.
struct TemplateContents {
    std::vector<VerifiedShare> shares;      ///< to be listed: of the round that the parent ended
    std::vector<Transaction> transactions;  ///< that admit on the parent in this order
};

/// What a miner starts lanes from. Cheap to copy, for any thread; valid until the tip changes.
///
///     const auto work = *make_template(ledger.tip(), {}, key.public_key(), now_ms, trainers);
///     Lane lane = work.start_lane(0);
///     ... lane.step(trainers.trainer_of(work.parent->task())) until it wins ...
///     const Block block = work.assemble_block(*build_segment(lane, key, trainer));
struct BlockTemplate {
    std::shared_ptr<const ParentState> parent;  ///< the block to build on, its state and network
    Template tmpl;                              ///< of lane 0
    std::shared_ptr<const TemplateContents> contents;
    std::vector<Hash256> listed;  ///< behind tmpl.settle_root
    LaneStart start;              ///< theta_0 with the listed shares settled
    Targets targets;              ///< of a lane's tickets

    /// Lane number `lane`, before its first unit.
    [[nodiscard]] Lane start_lane(std::uint32_t lane) const;

    /// The block that a winning segment of one of the lanes makes; its way to the chain is
    /// Ledger::submit_block, like a stranger's. Precondition: the segment's last ticket wins.
    [[nodiscard]] Block assemble_block(BuiltSegment segment) const;
};

/// The template for lanes on a block. Its time is `now_ms`, or just after the parent's if that is
/// later. Fails if the state can't be read. Precondition: the shares were verified on the parent
/// and are of the round that it ended.
[[nodiscard]] Result<BlockTemplate, StoreError> make_template(
    std::shared_ptr<const ParentState> parent, TemplateContents contents, const PublicKey& miner,
    std::uint64_t now_ms, Trainers& trainers);

}  // namespace gradient::chain
