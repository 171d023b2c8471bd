#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/light/history_proofs.hpp"
#include "chain/light/history_sample.hpp"
#include "chain/state/store_error.hpp"
#include "chain/storage/block_store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gradient::chain {

/// The active chain of a store, as its holder tells others of it. A block that is not on it, and
/// whatever came with a snapshot, is not to be had.
class StoredHistory {
  public:
    /// `view` must outlive the object.
    explicit StoredHistory(const KeyValueView& view) noexcept : reader_(view) {}

    /// See prove_tail; of the block with that id.
    [[nodiscard]] Result<std::optional<HistoryTail>, StoreError> tail(const Hash256& tip,
                                                                      std::size_t blocks) const;
    /// See prove_samples; below the block with that id.
    [[nodiscard]] Result<std::optional<std::vector<HistorySample>>, StoreError> samples(
        const Hash256& anchor, std::span<const U256> works) const;

  private:
    [[nodiscard]] Result<std::optional<std::uint64_t>, StoreError> active_height(
        const Hash256& id) const;
    [[nodiscard]] HistorySource source(Result<void, StoreError>& verdict) const;

    BlockReader reader_;
};

}  // namespace gradient::chain
