#include "chain/state/state.hpp"

#include "chain/base/check.hpp"

#include <utility>

namespace gradient::chain {

Result<StateValue, StoreError> State::get(const StateKey& key) const {
    const auto found = touched_.find(key);
    return found != touched_.end() ? found->second : base_.get(key);
}

void State::set(const StateKey& key, StateValue value) {
    const auto [entry, inserted] = touched_.try_emplace(key);
    if (journals_) journal_.push_back({key, !inserted, entry->second});
    entry->second = std::move(value);
}

State::Checkpoint State::checkpoint() noexcept {
    journals_ = true;
    return Checkpoint{journal_.size()};
}

void State::rollback(Checkpoint checkpoint) {
    CHECK(static_cast<std::size_t>(checkpoint) <= journal_.size());
    while (journal_.size() > static_cast<std::size_t>(checkpoint)) {
        JournalEntry& last = journal_.back();
        if (last.was_touched) {
            touched_[last.key] = std::move(last.value);
        } else {
            touched_.erase(last.key);
        }
        journal_.pop_back();
    }
}

Result<StateDiff, StoreError> State::diff() const {
    StateDiff diff;
    for (const auto& [key, value] : touched_) {
        TRY_ASSIGN(const StateValue before, base_.get(key));
        StateWrite write{key, value};
        if (write == StateWrite{key, before}) continue;
        diff.writes.push_back(std::move(write));
    }
    return diff;
}

}  // namespace gradient::chain
