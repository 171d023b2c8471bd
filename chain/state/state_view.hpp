#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/state/store_error.hpp"

#include <memory>

namespace gradient::chain {

/// Where an entry of the state lives: a kind byte and its fields, see chain/state/entries.hpp.
using StateKey = Bytes;

/// An entry's bytes, shared because some are large; null if there is no such entry.
using StateValue = std::shared_ptr<const Bytes>;

/// Read access to the state after some block. Implementations never change under the reader.
class StateView {
  public:
    StateView() = default;
    StateView(const StateView&) = delete;
    StateView& operator=(const StateView&) = delete;
    virtual ~StateView() = default;

    /// The entry's bytes, or null. Fails only if what must be there can't be read.
    [[nodiscard]] virtual Result<StateValue, StoreError> get(const StateKey& key) const = 0;
};

/// The state before the first block: no entries.
class EmptyState final : public StateView {
  public:
    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey&) const override {
        return StateValue();
    }
};

}  // namespace gradient::chain
