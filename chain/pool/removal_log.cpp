#include "chain/pool/removal_log.hpp"

namespace gradient::chain {

void RemovalLog::add(const Removed& removed) {
    if (capacity_ == 0) return;
    if (removed_.size() == capacity_) {
        const auto oldest = latest_.find(removed_.front().id);
        if (oldest->second == first_) latest_.erase(oldest);
        removed_.pop_front();
        first_ += 1;
    }
    latest_[removed.id] = first_ + removed_.size();
    removed_.push_back(removed);
}

std::optional<Removed> RemovalLog::find(const Hash256& id) const {
    const auto found = latest_.find(id);
    if (found == latest_.end()) return std::nullopt;
    return removed_[found->second - first_];
}

}  // namespace gradient::chain
