#include "chain/state/settlement_history.hpp"

#include "chain/base/check.hpp"

#include <algorithm>

namespace gradient::chain {

namespace {

std::uint64_t hits_of(const SettlementHistory& history) noexcept {
    std::uint64_t hits = 0;
    for (const SegmentRecord& record : history.segments) hits += record.hits;
    return hits;
}

// Where the shortest suffix with kHistoryHits hits begins: at 0 if all have fewer.
std::size_t first_kept(std::span<const SegmentRecord> records) noexcept {
    std::uint64_t hits = 0;
    std::size_t first = records.size();
    while (first > 0 && hits < kHistoryHits) hits += records[--first].hits;
    return first;
}

}  // namespace

bool is_possible(const SettlementHistory& history) noexcept {
    const auto possible_record = [](const SegmentRecord& record) {
        return record.hits >= 1 && record.hits <= kMaxSegmentHits &&
               record.displacement <= kMaxDisplacement;
    };
    const auto possible_weight = [](std::uint64_t weight) {
        return weight >= 1 && weight <= kMaxRoundWeight;
    };
    return history.round_weights.size() <= kHistoryRounds &&
           std::ranges::all_of(history.segments, possible_record) &&
           std::ranges::all_of(history.round_weights, possible_weight) &&
           first_kept(history.segments) == 0;
}

std::uint64_t lower_median(std::vector<WeightedValue> values) {
    std::uint64_t total = 0;
    for (const WeightedValue& entry : values) total += entry.weight;
    CHECK(total > 0 && total < std::uint64_t{1} << 63U);
    std::ranges::sort(values, {}, &WeightedValue::value);
    std::uint64_t below = 0;
    auto median = values.begin();
    for (;; ++median) {
        below += median->weight;
        if (2 * below >= total) return median->value;
    }
}

std::optional<UsualSegment> usual_segment(const SettlementHistory& history) {
    if (hits_of(history) < kLeastHistoryHits) return std::nullopt;
    std::vector<WeightedValue> displacements;
    std::vector<WeightedValue> hits;
    for (const SegmentRecord& record : history.segments) {
        displacements.push_back({record.displacement / record.hits, record.hits});
        hits.push_back({record.hits, record.hits});
    }
    return UsualSegment{lower_median(std::move(displacements)),
                        static_cast<std::uint32_t>(lower_median(std::move(hits)))};
}

std::uint64_t least_weight(const SettlementHistory& history) {
    if (history.round_weights.empty()) return 0;
    std::vector<WeightedValue> weights;
    for (const std::uint64_t weight : history.round_weights) weights.push_back({weight, 1});
    return lower_median(std::move(weights)) / 2;
}

SettlementHistory extended(SettlementHistory history, std::span<const SegmentRecord> records,
                           std::uint64_t round_weight) {
    auto& segments = history.segments;
    segments.insert(segments.end(), records.begin(), records.end());
    segments.erase(segments.begin(),
                   segments.begin() + static_cast<std::ptrdiff_t>(first_kept(segments)));
    auto& weights = history.round_weights;
    weights.push_back(round_weight);
    if (weights.size() > kHistoryRounds) weights.erase(weights.begin());
    return history;
}

}  // namespace gradient::chain
