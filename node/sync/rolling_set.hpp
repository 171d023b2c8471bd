#pragma once

#include "chain/base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_set>

namespace gradient::node {

/// Stands for an id where a mistake in one of 2^64 costs nothing but a message. Salted by the
/// process, so that no stranger can make two ids meet.
using Fingerprint = std::uint64_t;
[[nodiscard]] inline Fingerprint fingerprint(const chain::Hash256& id) noexcept {
    return chain::hash_value(id);
}

/// The last so many ids that were put into it.
class RollingSet {
  public:
    explicit RollingSet(std::size_t capacity) noexcept : capacity_(capacity) {}

    /// Whether the id is new; the oldest goes if there is no room.
    bool insert(const chain::Hash256& id) {
        const Fingerprint mark = fingerprint(id);
        if (!marks_.insert(mark).second) return false;
        order_.push_back(mark);
        if (order_.size() > capacity_) {
            marks_.erase(order_.front());
            order_.pop_front();
        }
        return true;
    }
    [[nodiscard]] bool contains(const chain::Hash256& id) const {
        return marks_.contains(fingerprint(id));
    }
    void clear() noexcept {
        marks_.clear();
        order_.clear();
    }
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

  private:
    std::size_t capacity_;
    std::unordered_set<Fingerprint> marks_;
    std::deque<Fingerprint> order_;
};

}  // namespace gradient::node
