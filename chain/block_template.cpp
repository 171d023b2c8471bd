#include "chain/block_template.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

Lane BlockTemplate::start_lane(std::uint32_t lane) const {
    Template own = tmpl;
    own.lane = lane;
    return {own, listed, start, targets, parent->network().params().work};
}

Block BlockTemplate::assemble_block(BuiltSegment segment) const {
    CHECK(segment.last == TicketClass::win);
    Block block{segment.header, {}, contents->transactions, std::move(segment.segment.body)};
    for (const VerifiedShare& share : contents->shares) block.listed.push_back(*share.segment);
    return block;
}

Result<BlockTemplate, StoreError> make_template(std::shared_ptr<const ParentState> parent,
                                                TemplateContents contents, const PublicKey& miner,
                                                std::uint64_t now_ms, Trainers& trainers) {
    const ParentContext& context = parent->context();
    const ConsensusParams& params = parent->network().params();
    std::vector<SegmentOutcome> outcomes;
    std::vector<Hash256> listed;
    for (const VerifiedShare& share : contents.shares) {
        outcomes.push_back(share.outcome);
        listed.push_back(share.outcome.id);
    }
    TRY_ASSIGN(auto start, parent->start_with(outcomes, trainers));
    CHECK(start);

    Template tmpl;
    tmpl.height = context.height + 1;
    tmpl.parent = context.id;
    tmpl.time_ms = std::max(now_ms, context.time_ms + 1);
    tmpl.bits = next_bits(params, context.height, context.time_ms);
    tmpl.settle_root = settle_root(listed);
    tmpl.transaction_root = transaction_root(contents.transactions);
    tmpl.state_root = parent->index().state_root;
    tmpl.history_root = context.history_root;
    tmpl.task = context.task;
    tmpl.miner = miner;
    const auto target = target_of(tmpl.bits, params);
    CHECK(target);  // next_bits gives no other
    const Targets targets = targets_for(*target, context.unit_work, params.work);
    return BlockTemplate{std::move(parent),
                         tmpl,
                         std::make_shared<const TemplateContents>(std::move(contents)),
                         std::move(listed),
                         *std::move(start),
                         targets};
}

}  // namespace gradient::chain
