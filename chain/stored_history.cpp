#include "chain/stored_history.hpp"

#include <utility>

namespace gradient::chain {

// Failed reads look like something missing, and the first of them is kept.
HistorySource StoredHistory::source(Result<void, StoreError>& verdict) const {
    const auto found = [&verdict](auto read) {
        if (!read && verdict) verdict = fail(read.error());
        return read ? *std::move(read) : std::nullopt;
    };
    HistorySource source;
    source.node = [this, found](MmrPosition at) { return found(reader_.history_node(at)); };
    source.header = [this, found](std::uint64_t height) -> std::optional<Header> {
        const auto id = found(reader_.active_at(height));
        if (!id) return std::nullopt;
        const auto index = found(reader_.index(*id));
        if (!index) return std::nullopt;
        return index->header;
    };
    return source;
}

Result<std::optional<std::uint64_t>, StoreError> StoredHistory::active_height(
    const Hash256& id) const {
    TRY_ASSIGN(const auto index, reader_.index(id));
    if (!index) return std::nullopt;
    TRY_ASSIGN(const auto active, reader_.active_at(index->height()));
    if (active != id) return std::nullopt;
    return index->height();
}

Result<std::optional<HistoryTail>, StoreError> StoredHistory::tail(const Hash256& tip,
                                                                   std::size_t blocks) const {
    TRY_ASSIGN(const auto height, active_height(tip));
    if (!height) return std::nullopt;
    Result<void, StoreError> verdict;
    auto tail = prove_tail(source(verdict), *height, blocks);
    TRY(verdict);
    return tail;
}

Result<std::optional<std::vector<HistorySample>>, StoreError> StoredHistory::samples(
    const Hash256& anchor, std::span<const U256> works) const {
    TRY_ASSIGN(const auto height, active_height(anchor));
    if (!height) return std::nullopt;
    Result<void, StoreError> verdict;
    auto samples = prove_samples(source(verdict), *height, works);
    TRY(verdict);
    return samples;
}

}  // namespace gradient::chain
