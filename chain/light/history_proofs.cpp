#include "chain/light/history_proofs.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

// The leaf of the first `count` whose work goes beyond the value.
std::optional<std::uint64_t> find_leaf(const HistorySource& source, std::uint64_t count,
                                       const U256& work) {
    for (MmrPosition at : mmr_peak_positions(count)) {
        const auto peak = source.node(at);
        if (!peak) return std::nullopt;
        if (work >= peak->work_after) continue;
        while (at.level > 0) {
            at = {static_cast<std::uint8_t>(at.level - 1), 2 * at.index};
            const auto left = source.node(at);
            if (!left) return std::nullopt;
            if (work >= left->work_after) ++at.index;
        }
        return at.index;
    }
    return std::nullopt;
}

std::optional<HistorySample> prove_sample(const HistorySource& source, std::uint64_t height,
                                          std::uint64_t count) {
    const auto header = source.header(height);
    const auto parent = source.header(height - 1);
    const auto leaf = source.node({0, height});
    auto place = mmr_prove(source.node, height, count);
    auto parent_place = mmr_prove(source.node, height - 1, height);
    auto prefix = mmr_prove_prefix(source.node, height, count);
    if (!header || !parent || !leaf || !place || !parent_place || !prefix) return std::nullopt;
    return HistorySample{*header,           leaf->work_before,        *parent,
                         *std::move(place), *std::move(parent_place), *std::move(prefix)};
}

}  // namespace

std::optional<HistoryTail> prove_tail(const HistorySource& source, std::uint64_t tip_height,
                                      std::size_t blocks) {
    const std::uint64_t most = std::min<std::uint64_t>(std::min(blocks, kTailBlocks), tip_height);
    if (most == 0) return std::nullopt;
    const std::uint64_t first = tip_height + 1 - most;
    auto below = mmr_load(source.node, first);
    auto genesis = mmr_prove(source.node, 0, first);
    const auto parent = source.header(first - 1);
    auto parent_place = mmr_prove(source.node, first - 1, first);
    if (!below || !genesis || !parent || !parent_place) return std::nullopt;
    HistoryTail tail{*std::move(below), *std::move(genesis), *parent, *std::move(parent_place), {}};
    for (std::uint64_t height = first; height <= tip_height; ++height) {
        const auto header = source.header(height);
        if (!header) return std::nullopt;
        tail.headers.push_back(*header);
    }
    return tail;
}

std::optional<std::vector<HistorySample>> prove_samples(const HistorySource& source,
                                                        std::uint64_t anchor_height,
                                                        std::span<const U256> works) {
    std::vector<HistorySample> samples;
    samples.reserve(works.size());
    for (const U256& work : works) {
        const auto height = find_leaf(source, anchor_height, work);
        if (!height || *height == 0) return std::nullopt;
        auto sample = prove_sample(source, *height, anchor_height);
        if (!sample) return std::nullopt;
        samples.push_back(*std::move(sample));
    }
    return samples;
}

}  // namespace gradient::chain
