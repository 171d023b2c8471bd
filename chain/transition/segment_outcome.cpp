#include "chain/transition/segment_outcome.hpp"

#include "chain/work/delta_codec.hpp"

#include <utility>

namespace gradient::chain {

SegmentOutcome outcome_of(const ProvenSegment& segment, std::size_t size_bytes) {
    const CheckedSegment& checked = segment.checked();
    const std::vector<std::int32_t>& start = *checked.start().parameters;
    const std::vector<std::int32_t>& end = segment.parameters();
    std::vector<std::int32_t> delta(start.size());
    for (std::size_t i = 0; i < delta.size(); ++i) delta[i] = end[i] - start[i];
    SegmentOutcome outcome;
    outcome.id = segment.id();
    outcome.template_hash = checked.template_hash();
    outcome.miner = segment.tmpl().miner;
    outcome.round = segment.tmpl().height;
    outcome.task = segment.tmpl().task;
    outcome.hits = segment.hits();
    outcome.paid_units = segment.paid_units();
    outcome.units = segment.units();
    outcome.replays = segment.units_replayed();
    outcome.size_bytes = size_bytes;
    outcome.targets = checked.targets();
    outcome.delta = std::make_shared<const std::vector<std::int32_t>>(std::move(delta));
    return outcome;
}

Contribution contribution_of(const SegmentOutcome& outcome, std::uint32_t lateness) {
    Contribution contribution;
    contribution.round = outcome.round;
    contribution.task = outcome.task;
    contribution.hits = outcome.hits;
    contribution.paid_units = outcome.paid_units;
    contribution.units = outcome.units;
    contribution.lateness = lateness;
    contribution.delta =
        encode_delta(std::vector<std::int32_t>(outcome.delta->size()), *outcome.delta);
    return contribution;
}

Result<LoadedContribution, StoreError> load_contribution(const Contribution& contribution,
                                                         const StateKey& key,
                                                         std::size_t parameters) {
    auto delta = decode_delta(std::vector<std::int32_t>(parameters), contribution.delta);
    if (!delta) return fail(bad_entry(key, "its delta is no coded difference"));
    return LoadedContribution{contribution.round,
                              contribution.task,
                              contribution.hits,
                              contribution.paid_units,
                              contribution.units,
                              contribution.lateness,
                              std::make_shared<const std::vector<std::int32_t>>(*std::move(delta))};
}

void Contributions::add(const SegmentOutcome& outcome) {
    added_[outcome.id] = {outcome.round,      outcome.task,  outcome.hits,
                          outcome.paid_units, outcome.units, 0,
                          outcome.delta};
}

Result<std::optional<LoadedContribution>, StoreError> Contributions::find(
    const Hash256& segment, std::size_t parameters) const {
    if (const auto found = added_.find(segment); found != added_.end()) return found->second;
    const StateKey key = contribution_key(segment);
    TRY_ASSIGN(const auto entry, read_entry<Contribution>(view_, key));
    if (!entry) return std::nullopt;
    TRY_ASSIGN(auto loaded, load_contribution(*entry, key, parameters));
    return loaded;
}

Result<std::optional<std::uint64_t>, StoreError> Contributions::round_of(
    const Hash256& segment) const {
    if (const auto found = added_.find(segment); found != added_.end()) return found->second.round;
    TRY_ASSIGN(const auto entry, read_entry<Contribution>(view_, contribution_key(segment)));
    if (!entry) return std::nullopt;
    return entry->round;
}

}  // namespace gradient::chain
