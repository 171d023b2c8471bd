#include "chain/history_proofs.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace gradient::chain {

namespace {

// Nodes of the active chain's range. A failed read is kept, and looks like a missing node.
class StoredNodes {
  public:
    explicit StoredNodes(const BlockReader& reader) noexcept : reader_(reader) {}

    std::optional<MmrNode> operator()(MmrPosition position) const {
        auto node = reader_.history_node(position);
        if (node) return *node;
        if (verdict_) verdict_ = fail(std::move(node).error());
        return std::nullopt;
    }
    [[nodiscard]] const Result<void, StoreError>& verdict() const noexcept { return verdict_; }

  private:
    const BlockReader& reader_;
    mutable Result<void, StoreError> verdict_;
};

// The leaf of the first `count` whose work goes beyond the value.
std::optional<std::uint64_t> find_leaf(const StoredNodes& nodes, std::uint64_t count,
                                       const U256& work) {
    for (MmrPosition at : mmr_peak_positions(count)) {
        const auto peak = nodes(at);
        if (!peak) return std::nullopt;
        if (work >= peak->work_after) continue;
        while (at.level > 0) {
            at = {static_cast<std::uint8_t>(at.level - 1), 2 * at.index};
            const auto left = nodes(at);
            if (!left) return std::nullopt;
            if (work >= left->work_after) ++at.index;
        }
        return at.index;
    }
    return std::nullopt;
}

Result<std::optional<BlockIndex>, StoreError> active_index(const BlockReader& reader,
                                                           std::uint64_t height) {
    TRY_ASSIGN(const auto id, reader.active_at(height));
    if (!id) return std::nullopt;
    return reader.index(*id);
}

Result<std::optional<BlockIndex>, StoreError> active_index(const BlockReader& reader,
                                                           const Hash256& id) {
    TRY_ASSIGN(auto index, reader.index(id));
    if (!index) return std::nullopt;
    TRY_ASSIGN(const auto active, reader.active_at(index->height()));
    if (active != id) return std::nullopt;
    return index;
}

Result<std::optional<HistorySample>, StoreError> prove_sample(const BlockReader& reader,
                                                              const StoredNodes& nodes,
                                                              std::uint64_t height,
                                                              std::uint64_t count) {
    TRY_ASSIGN(const auto index, active_index(reader, height));
    TRY_ASSIGN(const auto parent, active_index(reader, height - 1));
    if (!index || !parent) return std::nullopt;
    auto place = mmr_prove(nodes, height, count);
    auto parent_place = mmr_prove(nodes, height - 1, height);
    auto prefix = mmr_prove_prefix(nodes, height, count);
    if (!place || !parent_place || !prefix) return std::nullopt;
    return HistorySample{index->header,     parent->cumulative_work,  parent->header,
                         *std::move(place), *std::move(parent_place), *std::move(prefix)};
}

}  // namespace

Result<std::optional<HistoryTail>, StoreError> prove_tail(const BlockReader& reader,
                                                          const Hash256& tip, std::size_t blocks) {
    TRY_ASSIGN(const auto last, active_index(reader, tip));
    if (!last || last->height() == 0 || blocks == 0) return std::nullopt;
    const std::uint64_t most = std::min(blocks, kTailBlocks);
    const std::uint64_t first = last->height() < most ? 1 : last->height() + 1 - most;
    TRY_ASSIGN(const auto below, active_index(reader, first - 1));
    const StoredNodes nodes(reader);
    auto genesis = mmr_prove(nodes, 0, first);
    TRY(nodes.verdict());
    if (!below || !genesis) return std::nullopt;
    HistoryTail tail{below->history, *std::move(genesis), {}};
    for (std::uint64_t height = first; height <= last->height(); ++height) {
        TRY_ASSIGN(const auto index, active_index(reader, height));
        if (!index) return std::nullopt;
        tail.headers.push_back(index->header);
    }
    return tail;
}

Result<std::optional<std::vector<HistorySample>>, StoreError> prove_samples(
    const BlockReader& reader, const Hash256& anchor, std::span<const U256> works) {
    TRY_ASSIGN(const auto above, active_index(reader, anchor));
    if (!above) return std::nullopt;
    const std::uint64_t count = above->height();
    const StoredNodes nodes(reader);
    std::vector<HistorySample> samples;
    for (const U256& work : works) {
        const auto height = find_leaf(nodes, count, work);
        TRY(nodes.verdict());
        if (!height || *height == 0) return std::nullopt;
        TRY_ASSIGN(auto sample, prove_sample(reader, nodes, *height, count));
        TRY(nodes.verdict());
        if (!sample) return std::nullopt;
        samples.push_back(*std::move(sample));
    }
    return samples;
}

}  // namespace gradient::chain
