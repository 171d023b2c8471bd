#pragma once

#include "chain/base/amount.hpp"
#include "chain/base/result.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_view.hpp"
#include "chain/state/store_error.hpp"

namespace gradient::chain {

/// What the address owns; balance and nonce 0 if it has no entry.
[[nodiscard]] Result<Account, StoreError> read_account(const StateView& view, const Address& owner);

/// Sets an account. One with balance and nonce 0 has no entry.
void write_account(State& state, const Address& owner, const Account& account);

/// Adds to a balance. Fails if the account can't be read, or would hold more than all the coins
/// there are: then the state is damaged.
[[nodiscard]] Result<void, StoreError> credit(State& state, const Address& owner, Amount amount);

/// Takes what a transaction costs its sender and counts the transaction. Precondition: the balance
/// covers it.
[[nodiscard]] Result<void, StoreError> debit_sender(State& state, const Address& sender,
                                                    Amount cost);

}  // namespace gradient::chain
