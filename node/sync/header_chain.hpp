#pragma once

#include "chain/base/mmr.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/ledger.hpp"
#include "chain/types/header.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

namespace gradient::node {

/// The end of a chain of headers: all that judging the next one takes.
class HeaderEnd {
  public:
    /// A stored block.
    HeaderEnd(const chain::Hash256& id, const chain::BlockIndex& index);

    [[nodiscard]] const chain::Hash256& id() const noexcept { return parent_.id; }
    [[nodiscard]] std::uint64_t height() const noexcept { return parent_.height; }
    [[nodiscard]] const chain::U256& cumulative_work() const noexcept { return work_; }

    /// Checks every rule for which headers are enough, and makes the header the end. The task of a
    /// header whose parent is no stored block is not known: one of the largest unit work is
    /// supposed if it is a user's. An error changes nothing.
    [[nodiscard]] chain::Result<void, chain::HeaderError> extend(const chain::Header& header,
                                                                 const chain::Network& network,
                                                                 std::uint64_t now_ms);

    /// Makes a header the end that extend() has taken on this parent before.
    void extend_checked(const chain::Hash256& id, const chain::Header& header);

  private:
    chain::ParentContext parent_;
    bool task_known_ = true;
    chain::U256 work_;
    chain::MmrPeaks history_;
};

/// Headers of blocks that are not stored, each once, however many peers have shown it.
class HeaderPool {
  public:
    struct Entry {
        chain::Header header;
        chain::U256 cumulative_work;
        std::uint32_t holders = 0;
    };

    [[nodiscard]] const Entry* find(const chain::Hash256& id) const;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

    /// Holds a header once more.
    void hold(const chain::Hash256& id, const chain::Header& header,
              const chain::U256& cumulative_work);
    /// Lets go of one that was held.
    void release(const chain::Hash256& id);

  private:
    std::unordered_map<chain::Hash256, Entry> entries_;
};

/// The unstored part of one peer's chain: headers that follow one another on a stored block. Holds
/// them in the pool, which must outlive it.
class HeaderPath {
  public:
    /// Nothing yet above a stored block.
    HeaderPath(HeaderPool& pool, HeaderEnd base);
    HeaderPath(const HeaderPath&) = delete;
    HeaderPath& operator=(const HeaderPath&) = delete;
    HeaderPath(HeaderPath&& other) noexcept;
    HeaderPath& operator=(HeaderPath&& other) noexcept;
    ~HeaderPath();

    /// The path to a block that is stored or whose header and all below are in the pool.
    [[nodiscard]] static std::optional<HeaderPath> to(HeaderPool& pool, const chain::Ledger& ledger,
                                                      const chain::Hash256& id);

    [[nodiscard]] const HeaderEnd& end() const noexcept { return end_; }
    [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
    [[nodiscard]] bool empty() const noexcept { return ids_.empty(); }
    [[nodiscard]] const chain::Hash256& operator[](std::size_t place) const { return ids_[place]; }
    [[nodiscard]] std::uint64_t first_height() const noexcept {
        return end_.height() + 1 - ids_.size();
    }
    /// Whether the block with that id and height is on the path.
    [[nodiscard]] bool has(const chain::Hash256& id, std::uint64_t height) const;

    /// Adds a header at the end; an error changes nothing.
    [[nodiscard]] chain::Result<void, chain::HeaderError> extend(const chain::Hash256& id,
                                                                 const chain::Header& header,
                                                                 const chain::Network& network,
                                                                 std::uint64_t now_ms);
    /// The first block is stored now. Precondition: not empty.
    void pop_front();

  private:
    void release_all();

    HeaderPool* pool_;
    HeaderEnd end_;
    std::deque<chain::Hash256> ids_;  // heights ascending
};

}  // namespace gradient::node
