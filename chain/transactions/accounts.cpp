#include "chain/transactions/accounts.hpp"

#include "chain/base/check.hpp"

namespace gradient::chain {

Result<Account, StoreError> read_account(const StateView& view, const Address& owner) {
    TRY_ASSIGN(const auto found, read_entry<Account>(view, account_key(owner)));
    return found.value_or(Account{});
}

void write_account(State& state, const Address& owner, const Account& account) {
    if (account == Account{}) {
        state.erase(account_key(owner));
    } else {
        state.put(account_key(owner), account);
    }
}

Result<void, StoreError> credit(State& state, const Address& owner, Amount amount) {
    TRY_ASSIGN(Account account, read_account(state, owner));
    const auto balance = checked_add(account.balance, amount);
    if (!balance) {
        return fail(bad_entry(account_key(owner), "its balance exceeds all the coins there are"));
    }
    account.balance = *balance;
    write_account(state, owner, account);
    return {};
}

Result<void, StoreError> debit_sender(State& state, const Address& sender, Amount cost) {
    TRY_ASSIGN(Account account, read_account(state, sender));
    const auto balance = checked_sub(account.balance, cost);
    CHECK(balance);
    account.balance = *balance;
    account.nonce += 1;
    write_account(state, sender, account);
    return {};
}

}  // namespace gradient::chain
