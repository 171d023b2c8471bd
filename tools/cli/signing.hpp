#pragma once

#include "chain/base/amount.hpp"
#include "chain/base/bytes.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/transaction.hpp"

#include <cstdint>
#include <string>

namespace gradient::cli {

/// What a signature is bound to.
struct SigningNetwork {
    std::uint32_t network_id = 0;
    chain::Hash256 genesis;  ///< id of the genesis block
};

/// A transaction of the key's account, signed.
[[nodiscard]] chain::SignedTransaction sign_transaction(const chain::SecretKey& key,
                                                        const SigningNetwork& network,
                                                        std::uint64_t nonce, chain::Amount fee,
                                                        chain::Action action);

/// As the node's method transaction_submit takes it: the encoding of a Transaction, in hexadecimal.
[[nodiscard]] std::string transaction_hex(const chain::SignedTransaction& transaction);

/// Reads an amount of coins; throws node::Failure(usage) with a sentence that names the option.
[[nodiscard]] chain::Amount parse_coins(const std::string& option, const std::string& text);

}  // namespace gradient::cli
