#pragma once

#include "chain/consensus/params.hpp"
#include "chain/types/task.hpp"

namespace gradient::chain {

/// Names every consensus parameter once, for reading, writing and hashing alike. Order and names
/// are part of the chain spec's version. Targets go through visitor.bits().
template <class Visitor, class Params>
void visit_params(Visitor& visitor, Params& params) {
    visitor.field("interval_ms", params.interval_ms);
    visitor.field("half_life_ms", params.half_life_ms);
    visitor.bits("max_bits", params.max_bits);
    visitor.field("max_future_ms", params.max_future_ms);
    visitor.field("genesis_time_ms", params.anchor.time_ms);
    visitor.bits("genesis_bits", params.anchor.bits);
    visitor.field("max_units", params.work.max_units);
    visitor.field("max_hits", params.work.max_hits);
    visitor.field("hits_per_win", params.work.hits_per_win);
    visitor.field("units_per_hit", params.work.units_per_hit);
    visitor.field("guards", params.work.guards);
    visitor.field("max_segment_bytes", params.work.max_segment_bytes);
    visitor.field("max_block_bytes", params.max_block_bytes);
    visitor.field("block_reward", params.block_reward);
    visitor.field("hit_reward", params.hit_reward);
    visitor.field("halving_blocks", params.halving_blocks);
    visitor.field("full_pay_units", params.full_pay_units);
    visitor.field("maturity_blocks", params.maturity_blocks);
    visitor.field("cut_divisor", params.cut_divisor);
    visitor.field("byte_fee", params.byte_fee);
    visitor.field("replay_fee", params.replay_fee);
    visitor.field("fraud_deposit", params.fraud_deposit);
    visitor.field("task_weight", params.task_weight);
    visitor.field("max_task_creations", params.max_task_creations);
    visitor.field("max_unit_work", params.max_unit_work);
    visitor.field("held_out_sequences", params.held_out_sequences);
}

/// The same for the model's shape and hyper-parameters.
template <class Visitor, class Shape>
void visit_model(Visitor& visitor, Shape& shape) {
    visitor.field("rows", shape.rows);
    visitor.field("width", shape.width);
    visitor.field("value_width", shape.value_width);
    visitor.field("outputs", shape.outputs);
    visitor.field("batch", shape.batch);
    visitor.field("steps_per_unit", shape.steps_per_unit);
    visitor.field("causal", shape.causal);
    visitor.field("x_exponent", shape.x_exponent);
    visitor.field("y_exponent", shape.y_exponent);
    visitor.field("x_rate_mantissa", shape.x_rate_mantissa);
    visitor.field("x_rate_shift", shape.x_rate_shift);
    visitor.field("y_rate_mantissa", shape.y_rate_mantissa);
    visitor.field("y_rate_shift", shape.y_rate_shift);
    visitor.field("jitter", shape.jitter);
    visitor.field("x_clip", shape.x_clip);
    visitor.field("y_clip", shape.y_clip);
    visitor.field("x_init", shape.x_init);
}

}  // namespace gradient::chain
