#include "chain/consensus/segment_rules.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/unit.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

CheckedSegment::CheckedSegment(Shared shared)
    : shared_(std::make_shared<const Shared>(std::move(shared))) {}

ProvenSegment::ProvenSegment(CheckedSegment checked, std::vector<ReplayedUnit> replays) noexcept
    : checked_(std::move(checked)) {
    for (ReplayedUnit& replay : replays) {
        mean_loss_ += replay.loss() / static_cast<std::int64_t>(replays.size());
        if (!replay.parameters_.empty()) parameters_ = std::move(replay.parameters_);
    }
}

Result<void, SegmentError> check_segment_form(const SegmentBody& body,
                                              const WorkParams& params) noexcept {
    if (body.digests.empty()) return fail(SegmentError::no_units);
    if (body.digests.size() > params.max_units) return fail(SegmentError::too_many_units);
    if (body.openings.size() > params.max_hits + params.guards + 1) {
        return fail(SegmentError::too_many_openings);
    }
    const auto is_no_unit = [&body](const Opening& opening) {
        return opening.unit == 0 || opening.unit > body.units();
    };
    if (std::any_of(body.openings.begin(), body.openings.end(), is_no_unit)) {
        return fail(SegmentError::opening_out_of_range);
    }
    const auto out_of_order = [](const Opening& a, const Opening& b) { return a.unit >= b.unit; };
    if (std::adjacent_find(body.openings.begin(), body.openings.end(), out_of_order) !=
        body.openings.end()) {
        return fail(SegmentError::opening_order);
    }
    return {};
}

namespace {

std::size_t segment_bytes(std::span<const Hash256> listed, const SegmentBody& body) {
    SizeCounter list;
    write_compact(list, listed.size());
    return Template::kEncodedSize + list.size() + listed.size_bytes() + encoded_size(body);
}

// Hits and guards are derived, never claimed: what is opened must be just these and unit K.
Result<void, SegmentError> check_opened_units(const SegmentBody& body,
                                              std::span<const std::uint32_t> hits,
                                              std::span<const std::uint32_t> guards) noexcept {
    const auto opens = [&](std::uint32_t unit) {
        const auto found = std::lower_bound(
            body.openings.begin(), body.openings.end(), unit,
            [](const Opening& opening, std::uint32_t wanted) { return opening.unit < wanted; });
        return found != body.openings.end() && found->unit == unit;
    };
    if (!std::all_of(hits.begin(), hits.end(), opens)) return fail(SegmentError::missing_hit);
    if (!std::all_of(guards.begin(), guards.end(), opens)) return fail(SegmentError::missing_guard);
    if (!opens(body.units())) return fail(SegmentError::missing_last_unit);
    // All three kinds are opened, and no unit twice, so any other opening shows in the count.
    const std::size_t last = body.units() > hits.back() ? 1 : 0;
    if (body.openings.size() != hits.size() + guards.size() + last) {
        return fail(SegmentError::unexpected_opening);
    }
    return {};
}

Result<std::vector<std::int32_t>, SegmentError> opened_parameters(const LaneStart& start,
                                                                  const Opening& opening) {
    auto parameters = decode_delta(*start.parameters, opening.before.delta);
    if (!parameters) return fail(SegmentError::bad_delta);
    return *std::move(parameters);
}

// Whether an opening is the state that the digests commit to: c_{k-1}.
Result<void, SegmentError> check_opening(const SegmentBody& body, const LaneStart& start,
                                         const Opening& opening) {
    TRY_ASSIGN(const auto parameters, opened_parameters(start, opening));
    const Hash256 state =
        state_digest(model_digest(parameters), opening.before.loss, opening.before.gradient);
    const Hash256& expected = opening.unit == 1 ? start.state : body.digests[opening.unit - 2];
    if (state != expected) return fail(SegmentError::opening_differs);
    return {};
}

std::vector<std::uint32_t> find_hits(const Targets& targets, std::span<const Hash256> digests) {
    std::vector<std::uint32_t> hits;
    for (std::uint32_t unit = 1; unit < digests.size(); ++unit) {
        if (targets.classify(digests[unit]) != TicketClass::none) hits.push_back(unit);
    }
    return hits;
}

}  // namespace

Result<CheckedSegment, SegmentError> check_segment(const Template& tmpl,
                                                   std::span<const Hash256> listed,
                                                   std::shared_ptr<const SegmentBody> body,
                                                   const SegmentContext& context,
                                                   const ConsensusParams& params) {
    TRY(check_segment_form(*body, params.work));
    if (segment_bytes(listed, *body) > params.work.max_segment_bytes) {
        return fail(SegmentError::too_large);
    }
    if (settle_root(listed) != tmpl.settle_root) return fail(SegmentError::wrong_list);

    const Hash256 lane = template_hash(tmpl);
    auto digests = lane_digests(lane, context.start.state, body->digests);
    const Hash256& last = digests.back();
    if (context.last_digest && last != *context.last_digest) {
        return fail(SegmentError::wrong_last_digest);
    }
    const Hash256 message = segment_message(lane, body->units(), last);
    if (!verify_signature(tmpl.miner, message, body->signature)) {
        return fail(SegmentError::bad_signature);
    }
    if (context.required == TicketClass::win &&
        context.targets.classify(last) != TicketClass::win) {
        return fail(SegmentError::last_unit_no_win);
    }
    auto hits = find_hits(context.targets, digests);
    if (hits.empty()) return fail(SegmentError::no_hit);
    if (hits.size() > params.work.max_hits) return fail(SegmentError::too_many_hits);
    // From the last hit's digest: one drawn from a unit after it could be drawn again for free.
    const auto guards = draw_guards(digests[hits.back()], hits.back(), hits, params.work.guards);
    TRY(check_opened_units(*body, hits, guards));
    // Unit K's first: it is the one that a forger must have computed.
    for (std::size_t i = body->openings.size(); i-- > 0;) {
        TRY(check_opening(*body, context.start, body->openings[i]));
    }
    const Hash256 id = segment_id(lane, last);
    return CheckedSegment({tmpl, lane, std::move(body), context.start, context.targets, id,
                           std::move(digests), std::move(hits)});
}

Result<ReplayedUnit, SegmentError> replay_opening(const CheckedSegment& segment,
                                                  std::size_t opening, model::Trainer& trainer) {
    CHECK(opening < segment.opening_count());
    const SegmentBody& body = segment.body();
    const Opening& opened = body.openings[opening];
    const std::uint32_t unit = opened.unit;
    TRY_ASSIGN(auto parameters, opened_parameters(segment.start(), opened));
    const auto outcome =
        run_unit(trainer, segment.template_hash(), unit, segment.digests()[unit - 1], parameters);
    if (!outcome) return fail(SegmentError::untrainable_state);
    if (outcome->state != body.digests[unit - 1]) return fail(SegmentError::replay_differs);
    ReplayedUnit replayed;
    replayed.segment_ = segment.id();
    replayed.opening_ = opening;
    replayed.loss_ = outcome->loss;
    if (unit == body.units()) replayed.parameters_ = std::move(parameters);
    return replayed;
}

Result<ProvenSegment, SegmentError> prove_segment(const CheckedSegment& segment,
                                                  std::vector<ReplayedUnit> replays) {
    std::vector<bool> seen(segment.opening_count());
    for (const ReplayedUnit& replay : replays) {
        CHECK(replay.segment() == segment.id());
        if (replay.opening() < seen.size()) seen[replay.opening()] = true;
    }
    const bool complete = std::find(seen.begin(), seen.end(), false) == seen.end();
    if (!complete || replays.size() != seen.size()) return fail(SegmentError::replay_missing);
    return ProvenSegment(segment, std::move(replays));
}

Result<ProvenSegment, SegmentError> verify_segment(const CheckedSegment& segment,
                                                   model::Trainer& trainer) {
    std::vector<ReplayedUnit> replays;
    replays.reserve(segment.opening_count());
    for (std::size_t i = segment.opening_count(); i-- > 0;) {
        TRY_ASSIGN(auto replay, replay_opening(segment, i, trainer));
        replays.push_back(std::move(replay));
    }
    return prove_segment(segment, std::move(replays));
}

}  // namespace gradient::chain
