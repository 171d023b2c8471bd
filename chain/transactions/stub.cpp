#include "chain/transactions/fraud_rules.hpp"
namespace gradient::chain {
Result<void, StoreError> close_fraud_agenda(State&, std::uint64_t, const ConsensusParams&) { return {}; }
}
