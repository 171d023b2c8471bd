#pragma once
#include "chain/consensus/params.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
namespace gradient::chain {
[[nodiscard]] Result<void, StoreError> close_fraud_agenda(State& state, std::uint64_t height, const ConsensusParams& params);
}
