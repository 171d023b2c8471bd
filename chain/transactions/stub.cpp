#include "chain/transactions/accounts.hpp"
#include "chain/transactions/fraud_rules.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/transactions/transaction_rules.hpp"
namespace gradient::chain {
Result<void, StoreError> credit(State& state, const Address& owner, Amount amount) {
    TRY_ASSIGN(auto found, read_entry<Account>(state, account_key(owner)));
    Account account = found.value_or(Account{});
    account.balance = *checked_add(account.balance, amount);
    state.put(account_key(owner), account);
    return {};
}
Result<void, StoreError> end_task(State&, std::uint32_t, TaskStatus, std::uint64_t) { return {}; }
Result<void, StoreError> refund_ended_tasks(State&, std::uint64_t) { return {}; }
Result<void, StoreError> close_fraud_agenda(State&, std::uint64_t, const ConsensusParams&) { return {}; }
std::optional<std::uint32_t> required_task(const SignedTransaction&) { return std::nullopt; }
Result<CheckedTransaction, TransactionError> check_transaction(std::shared_ptr<const SignedTransaction>, const TransactionContext&) { return fail(TransactionError::bad_signature); }
Result<AdmittedTransaction, TransactionFailure> admit_transaction(const StateView&, const CheckedTransaction&, const TransactionContext&, const BlockTally&) { return fail(TransactionFailure(TransactionError::bad_signature)); }
Result<void, StoreError> apply_transaction(State&, const AdmittedTransaction&, const TransactionContext&, BlockTally&) { return {}; }
}
