#pragma once

#include "chain/state/state_diff.hpp"
#include "chain/state/state_view.hpp"

#include <map>

namespace gradient::chain {

/// Entries of a state, in memory.
class MemoryState final : public StateView {
  public:
    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override {
        const auto found = values_.find(key);
        return found == values_.end() ? StateValue() : found->second;
    }

    void apply(const StateDiff& diff) {
        for (const StateWrite& write : diff.writes) {
            if (write.value) {
                values_[write.key] = write.value;
            } else {
                values_.erase(write.key);
            }
        }
    }

    [[nodiscard]] std::map<StateKey, Bytes> entries() const {
        std::map<StateKey, Bytes> copies;
        for (const auto& [key, value] : values_) copies[key] = *value;
        return copies;
    }

  private:
    std::map<StateKey, StateValue> values_;
};

}  // namespace gradient::chain
