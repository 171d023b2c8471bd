#pragma once

#include "chain/base/check.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/types/fraud.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/task_model.hpp"
#include "chain/work/unit.hpp"
#include "tests/support/tiny_chain.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::test {

/// The tiny model as a task: its data are no text, so that no record's bytes make it.
inline chain::SharedTask tiny_task() {
    auto task = std::make_shared<chain::TaskRuntime>();
    task->record.shape = chain::from_model(tiny_config());
    task->data = std::make_unique<RandomDataset>(16, 16, 16, 700);
    task->unit_work = model::unit_work(tiny_config());
    return task;
}

/// A state that a lane claims after a unit.
struct ClaimedState {
    std::vector<std::int32_t> parameters;
    std::int64_t loss = 0;
    chain::Hash256 gradient;

    chain::Hash256 digest() const {
        return chain::state_digest(chain::model_digest(parameters), loss, gradient);
    }
};

/// What a liar does to the state that unit k has really led to.
using Lie = std::function<void(std::uint32_t unit, ClaimedState& state)>;

/// Moves one weight by one step instead of training unit `unit`.
inline Lie invent_unit(std::uint32_t unit) {
    return [unit](std::uint32_t k, ClaimedState& state) {
        if (k != unit) return;
        state.parameters[3] += 1 << 16;
        state.gradient = hash_of(0x5a);
    };
}

/// A segment that meets every rule of section 10 although its miner has lied: the lies lie between
/// openings.
struct LyingSegment {
    chain::Segment segment;
    std::vector<ClaimedState> states;     ///< after units 0 .. K
    std::vector<chain::Hash256> digests;  ///< s_0 .. s_K

    chain::Hash256 id() const {
        return chain::segment_id(chain::template_hash(segment.tmpl), digests.back());
    }
    std::uint32_t units() const { return segment.body.units(); }

    /// What shows that unit j is false, or tries to.
    chain::FalseUnitProof proof(std::uint32_t j) const {
        const ClaimedState& before = states[j - 1];
        const std::vector<std::int32_t> zeros(before.parameters.size());
        const auto& claimed = segment.body.digests;
        return {segment.tmpl,
                j,
                j == 1 ? chain::Hash256{} : digests[j - 2],
                {before.loss, before.gradient, chain::encode_delta(zeros, before.parameters)},
                {claimed.begin() + (j - 1), claimed.end()}};
    }
};

/// One lane of a liar up to its first win, which lies behind unit `last_lie`; nothing if a ticket
/// or a guard gives one of `lies` away.
inline std::optional<LyingSegment> try_lying_lane(const chain::ConsensusParams& params,
                                                  model::Trainer& trainer, std::uint32_t lane,
                                                  std::uint8_t key, const Lie& lie,
                                                  std::span<const std::uint32_t> lies) {
    const chain::SecretKey secret = tiny_key(key);
    const chain::Targets targets = tiny_targets(params);
    const auto start = tiny_parameters();
    LyingSegment made;
    chain::Segment& segment = made.segment;
    segment.tmpl = tiny_template(params, lane);
    segment.tmpl.miner = secret.public_key();
    const chain::Hash256 lane_hash = chain::template_hash(segment.tmpl);
    made.states.push_back({*start, 0, {}});
    made.digests.push_back(chain::lane_digest(lane_hash, made.states[0].digest()));
    std::vector<std::uint32_t> hits;
    const std::uint32_t last_lie = lies.empty() ? 0 : lies.back();
    for (std::uint32_t k = 1;; ++k) {
        ClaimedState state = made.states.back();
        const auto outcome =
            chain::run_unit(trainer, lane_hash, k, made.digests.back(), state.parameters);
        if (outcome) {
            state.loss = outcome->loss;
            state.gradient = outcome->gradient;
        }
        lie(k, state);
        segment.body.digests.push_back(state.digest());
        made.digests.push_back(
            chain::unit_digest(lane_hash, k, made.digests.back(), state.digest()));
        made.states.push_back(std::move(state));
        const auto ticket = targets.classify(made.digests.back());
        if (ticket != chain::TicketClass::none) hits.push_back(k);
        if (ticket != chain::TicketClass::win) continue;
        if (k <= last_lie) return std::nullopt;
        break;
    }
    std::vector<std::uint32_t> opened = hits;
    const auto guards =
        chain::draw_guards(made.digests.back(), hits.back(), hits, params.work.guards);
    opened.insert(opened.end(), guards.begin(), guards.end());
    std::sort(opened.begin(), opened.end());
    for (const std::uint32_t unit : lies) {
        if (std::binary_search(opened.begin(), opened.end(), unit)) return std::nullopt;
    }
    for (const std::uint32_t unit : opened) {
        const ClaimedState& before = made.states[unit - 1];
        segment.body.openings.push_back(
            {unit, {before.loss, before.gradient, chain::encode_delta(*start, before.parameters)}});
    }
    segment.body.signature =
        secret.sign(chain::segment_message(lane_hash, made.units(), made.digests.back()));
    return made;
}

/// The first lane from number `lane` on whose lies, at the units named, nothing gives away.
inline LyingSegment lying_segment(const chain::ConsensusParams& params, model::Trainer& trainer,
                                  std::uint32_t lane, std::uint8_t key, const Lie& lie,
                                  std::vector<std::uint32_t> lies) {
    for (;; ++lane) {
        auto made = try_lying_lane(params, trainer, lane, key, lie, lies);
        if (made) return *std::move(made);
    }
}

/// A segment whose unit j was not trained, and an honest one.
inline LyingSegment false_segment(const chain::ConsensusParams& params, model::Trainer& trainer,
                                  std::uint32_t lane, std::uint8_t key, std::uint32_t j) {
    return lying_segment(params, trainer, lane, key, invent_unit(j), {j});
}
inline LyingSegment honest_segment(const chain::ConsensusParams& params, model::Trainer& trainer,
                                   std::uint32_t lane, std::uint8_t key) {
    return lying_segment(params, trainer, lane, key, [](std::uint32_t, ClaimedState&) {}, {});
}

/// Two signed ends of the segment's lane: its own, and another at the unit before.
inline chain::DoubleSegmentProof double_proof(const LyingSegment& made, std::uint8_t key) {
    const auto end = [&](std::uint32_t units) {
        const chain::Hash256& last = made.digests[units];
        const auto message =
            chain::segment_message(chain::template_hash(made.segment.tmpl), units, last);
        return chain::SignedEnd{units, last, tiny_key(key).sign(message)};
    };
    return {made.segment.tmpl, {end(made.units() - 1), end(made.units())}};
}

}  // namespace gradient::test
