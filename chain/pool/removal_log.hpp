#pragma once

#include "chain/pool/pool_errors.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

namespace gradient::chain {

/// The last transactions that left the pool, so that their senders can be told why.
class RemovalLog {
  public:
    explicit RemovalLog(std::size_t capacity) noexcept : capacity_(capacity) {}

    /// Forgets the oldest one if the log is full.
    void add(const Removed& removed);

    /// The latest removal of a transaction, if it is remembered.
    [[nodiscard]] std::optional<Removed> find(const Hash256& id) const;

  private:
    std::size_t capacity_;
    std::uint64_t first_ = 0;  // number of the oldest one
    std::deque<Removed> removed_;
    std::unordered_map<Hash256, std::uint64_t> latest_;  // numbers
};

}  // namespace gradient::chain
