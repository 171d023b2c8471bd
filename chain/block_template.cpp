#include "chain/block_template.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

Lane BlockTemplate::start_lane(std::uint32_t lane) const {
    Template own = tmpl;
    own.lane = lane;
    return {own, listed, parent->start(), targets, parent->network().params().work};
}

BlockTemplate make_template(std::shared_ptr<const ParentState> parent, const PublicKey& miner,
                            std::uint64_t now_ms) {
    const ParentContext& context = parent->context();
    const ConsensusParams& params = parent->network().params();
    BlockTemplate result;
    Template& tmpl = result.tmpl;
    tmpl.height = context.height + 1;
    tmpl.parent = context.id;
    tmpl.time_ms = std::max(now_ms, context.time_ms + 1);
    tmpl.bits = next_bits(params, context.height, context.time_ms);
    tmpl.settle_root = settle_root(result.listed);
    tmpl.transaction_root = transaction_root({});
    tmpl.state_root = parent->index().state_root;
    tmpl.history_root = context.history_root;
    tmpl.task = context.task;
    tmpl.miner = miner;
    const auto target = target_of(tmpl.bits, params);
    CHECK(target);  // next_bits gives no other
    result.targets = targets_for(*target, context.unit_work, params.work);
    result.parent = std::move(parent);
    return result;
}

Block assemble_block(BuiltSegment segment) {
    CHECK(segment.last == TicketClass::win);
    return {segment.header, {}, {}, std::move(segment.segment.body)};
}

}  // namespace gradient::chain
