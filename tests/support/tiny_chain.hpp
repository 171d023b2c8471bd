#pragma once

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/types/block.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/segment_builder.hpp"
#include "model/task.hpp"
#include "tests/support/random_dataset.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace gradient::test {

/// The smallest model that trains: 512 parameters, one step of one sequence a unit.
inline model::AttentionConfig tiny_config() {
    model::AttentionConfig config;
    config.rows = 16;
    config.width = 16;
    config.value_width = 16;
    config.outputs = 16;
    config.batch = 1;
    config.steps_per_unit = 1;
    config.x_rate_shift = 6;
    return config;
}

inline const model::Dataset& tiny_data() {
    static const RandomDataset data(16, 16, 16, 700);
    return data;
}

/// A trainer of the tiny model.
inline model::Trainer tiny_trainer() {
    auto trainer = model::Trainer::create(tiny_config(), tiny_data());
    CHECK(trainer);
    return *std::move(trainer);
}

inline chain::SharedParameters tiny_parameters(std::uint8_t seed = 1) {
    model::Seed bytes{};
    bytes.fill(seed);
    return std::make_shared<const std::vector<std::int32_t>>(
        model::initial_parameters(tiny_config(), bytes));
}

inline chain::SecretKey tiny_key(std::uint8_t seed = 7) {
    std::array<std::uint8_t, 32> bytes{};
    bytes.fill(seed);
    return chain::SecretKey::from_seed(bytes);
}

/// A hash that is one byte, repeated.
inline chain::Hash256 hash_of(std::uint8_t value) {
    chain::Hash256 hash;
    hash.bytes.fill(value);
    return hash;
}

/// Parameters of a network on which one tiny unit in 2^win_bits wins, and up to four times as many,
/// but at most one in four, are hits.
inline chain::ConsensusParams tiny_params(unsigned win_bits = 5) {
    chain::ConsensusParams params;
    params.anchor.time_ms = 1'700'000'000'000;
    const chain::U256 often = chain::U256::max() >> win_bits;
    const chain::U256 work(model::unit_work(tiny_config()));
    params.anchor.bits = chain::to_compact(chain::divide(often, work).quotient);
    params.work.hits_per_win = 4;
    params.work.units_per_hit = 4;
    return params;
}

/// A genesis block seen as the parent of block 1.
inline chain::ParentContext tiny_parent(const chain::ConsensusParams& params) {
    chain::ParentContext parent;
    parent.id = hash_of(0x11);
    parent.height = 0;
    parent.time_ms = params.anchor.time_ms;
    parent.history_root = hash_of(0x22);
    parent.unit_work = model::unit_work(tiny_config());
    return parent;
}

/// The template of a lane on that parent.
inline chain::Template tiny_template(const chain::ConsensusParams& params, std::uint32_t lane = 0) {
    const chain::ParentContext parent = tiny_parent(params);
    chain::Template tmpl;
    tmpl.height = parent.height + 1;
    tmpl.parent = parent.id;
    tmpl.time_ms = parent.time_ms + 5'000;
    tmpl.bits = chain::next_bits(params, parent.height, parent.time_ms);
    tmpl.settle_root = chain::settle_root({});
    tmpl.transaction_root = chain::transaction_root({});
    tmpl.state_root = hash_of(0x33);
    tmpl.history_root = parent.history_root;
    tmpl.miner = tiny_key().public_key();
    tmpl.lane = lane;
    return tmpl;
}

inline chain::Targets tiny_targets(const chain::ConsensusParams& params) {
    return chain::targets_for(*chain::target_of(params.anchor.bits, params),
                              model::unit_work(tiny_config()), params.work);
}

/// A lane on the tiny parent, not yet run.
inline chain::Lane tiny_lane(const chain::ConsensusParams& params, std::uint32_t lane = 0) {
    return {tiny_template(params, lane), {}, tiny_parameters(), tiny_targets(params), params.work};
}

/// Runs a lane until a unit wins.
inline void run_to_win(chain::Lane& lane, model::Trainer& trainer) {
    for (;;) {
        const auto ticket = lane.step(trainer);
        CHECK(ticket);
        if (*ticket == chain::TicketClass::win) return;
    }
}

/// The first lane that wins at its unit K, and its segment.
inline chain::BuiltSegment tiny_segment(const chain::ConsensusParams& params,
                                        model::Trainer& trainer, std::uint32_t least_units = 1,
                                        std::uint32_t most_units = chain::kMaxUnits) {
    for (std::uint32_t number = 0;; ++number) {
        chain::Lane lane = tiny_lane(params, number);
        run_to_win(lane, trainer);
        if (lane.units() < least_units || lane.units() > most_units) continue;
        auto built = chain::build_segment(lane, tiny_key(), trainer);
        CHECK(built);
        return *std::move(built);
    }
}

/// The block that a winning segment makes.
inline chain::Block tiny_block(const chain::BuiltSegment& built) {
    return {built.header, {}, {}, built.segment.body};
}

}  // namespace gradient::test
