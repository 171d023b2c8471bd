#pragma once
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
namespace gradient::chain {
[[nodiscard]] Result<void, StoreError> credit(State& state, const Address& owner, Amount amount);
}
