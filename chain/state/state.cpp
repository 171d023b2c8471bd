#include "chain/state/state.hpp"

#include "chain/base/check.hpp"

#include <utility>

namespace gradient::chain {

Result<StateValue, StoreError> State::get(const StateKey& key) const {
    Known& known = entries_[key];
    if (known.is_set) return known.now;
    return before(key, known);
}

Result<StateValue, StoreError> State::before(const StateKey& key, Known& known) const {
    if (!known.is_read) {
        TRY_ASSIGN(known.before, base_.get(key));
        known.is_read = true;
    }
    return known.before;
}

void State::set(const StateKey& key, StateValue value) {
    const auto entry = entries_.try_emplace(key).first;
    Known& known = entry->second;
    if (journals_) journal_.push_back({entry, known.is_set, known.now});
    known.now = std::move(value);
    known.is_set = true;
}

State::Checkpoint State::checkpoint() noexcept {
    journals_ = true;
    return Checkpoint{journal_.size()};
}

void State::rollback(Checkpoint checkpoint) {
    CHECK(static_cast<std::size_t>(checkpoint) <= journal_.size());
    while (journal_.size() > static_cast<std::size_t>(checkpoint)) {
        JournalEntry& last = journal_.back();
        last.entry->second.now = std::move(last.value);
        last.entry->second.is_set = last.was_set;
        journal_.pop_back();
    }
}

Result<StateDiff, StoreError> State::diff() const {
    StateDiff diff;
    for (auto& [key, known] : entries_) {
        if (!known.is_set) continue;
        TRY_ASSIGN(const StateValue old, before(key, known));
        StateWrite write{key, known.now};
        if (write == StateWrite{key, old}) continue;
        diff.writes.push_back(std::move(write));
    }
    return diff;
}

}  // namespace gradient::chain
