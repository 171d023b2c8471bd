#pragma once

#include "chain/base/bytes.hpp"
#include "chain/ledger.hpp"
#include "chain/storage/block_stub.hpp"
#include "node/sync/relay_types.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace gradient::node {

/// The last blocks that were made, got or asked for, at hand for those who ask next; others are
/// read from the ledger.
class RecentBlocks {
  public:
    static constexpr std::size_t kMaxBytes = 4 * chain::kMaxBlockBytes;
    static constexpr std::size_t kMaxBlocks = 16;
    /// Blocks this far below the tip are read anew for each request.
    static constexpr std::uint64_t kMaxDepth = 8;

    struct Entry {
        chain::Hash256 id;
        SharedBlock block;
        /// Ids of its shares; nothing if they are not known before the block has been judged.
        std::optional<chain::IncludedSegments> included;
        std::size_t bytes = 0;
    };

    explicit RecentBlocks(const chain::Ledger& ledger) noexcept : ledger_(ledger) {}

    /// Keeps a block that is not in the ledger yet. The oldest go if there is no room.
    void add(const chain::Hash256& id, SharedBlock block,
             std::optional<chain::IncludedSegments> included);
    /// A block that is kept has been stored: from now on the ledger says what its shares' ids are.
    void stored(const chain::Hash256& id);
    /// Forgets a block that turned out to be bad.
    void remove(const chain::Hash256& id);
    /// A block that is kept here or stored whole.
    [[nodiscard]] std::optional<Entry> find(const chain::Hash256& id);
    /// A block that is kept here.
    [[nodiscard]] std::optional<Entry> at_hand(const chain::Hash256& id) const;

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_; }

  private:
    [[nodiscard]] std::optional<Entry> load(const chain::Hash256& id) const;
    void keep(Entry entry);

    const chain::Ledger& ledger_;
    std::deque<Entry> entries_;  // oldest first
    std::size_t bytes_ = 0;
};

}  // namespace gradient::node
