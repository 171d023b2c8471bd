#include "chain/work/segment_builder.hpp"

#include "chain/base/check.hpp"
#include "chain/work/guards.hpp"

#include <algorithm>

namespace gradient::chain {

namespace {

std::vector<std::uint32_t> units_of(std::span<const Opening> openings) {
    std::vector<std::uint32_t> units;
    units.reserve(openings.size());
    for (const Opening& opening : openings) units.push_back(opening.unit);
    return units;
}

// Hits and guards of the lane and its last unit, units ascending.
Result<std::vector<Opening>, LaneError> open_units(const Lane& lane, model::Trainer& trainer) {
    const std::uint32_t paid = lane.last_hit();
    std::vector<Opening> openings = lane.hits();
    auto others =
        draw_guards(lane.outcome(paid).digest, paid, units_of(openings), lane.params().guards);
    if (lane.units() > paid) others.push_back(lane.units());
    for (const std::uint32_t unit : others) {
        TRY_ASSIGN(auto before, lane.state_before(unit, trainer));
        openings.push_back({unit, std::move(before)});
    }
    std::sort(openings.begin(), openings.end(),
              [](const Opening& a, const Opening& b) { return a.unit < b.unit; });
    return openings;
}

}  // namespace

Result<BuiltSegment, LaneError> build_segment(const Lane& lane, const SecretKey& key,
                                              model::Trainer& trainer) {
    CHECK(key.public_key() == lane.tmpl().miner);
    const std::uint32_t units = lane.units();
    if (lane.last_hit() == 0) return fail(LaneError::no_hit);
    BuiltSegment built;
    built.segment.tmpl = lane.tmpl();
    built.segment.listed = lane.listed();
    SegmentBody& body = built.segment.body;
    for (std::uint32_t unit = 1; unit <= units; ++unit) {
        body.digests.push_back(lane.outcome(unit).state);
    }
    TRY_ASSIGN(body.openings, open_units(lane, trainer));
    const Hash256& last = lane.outcome(units).digest;
    body.signature = key.sign(segment_message(lane.template_hash(), units, last));
    built.header = {lane.tmpl(), units, last};
    built.last = lane.targets().classify(last);
    built.hits = static_cast<std::uint32_t>(lane.hits().size());
    built.evidence = {units == 1 ? Hash256{} : lane.outcome(units - 2).digest,
                      body.openings.back().before};
    return built;
}

WorkEvidence evidence_of(const SegmentBody& body, std::span<const Hash256> digests) {
    const std::uint32_t units = body.units();
    CHECK(!body.openings.empty() && body.openings.back().unit == units);
    CHECK(digests.size() == std::size_t{units} + 1);
    return {units == 1 ? Hash256{} : digests[units - 2], body.openings.back().before};
}

}  // namespace gradient::chain
