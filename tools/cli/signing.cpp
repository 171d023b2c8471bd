#include "tools/cli/signing.hpp"

#include "node/setup/failure.hpp"

#include <fmt/format.h>

#include <utility>

namespace gradient::cli {

chain::SignedTransaction sign_transaction(const chain::SecretKey& key,
                                          const SigningNetwork& network, std::uint64_t nonce,
                                          chain::Amount fee, chain::Action action) {
    chain::SignedTransaction transaction;
    transaction.network_id = network.network_id;
    transaction.sender = key.public_key();
    transaction.nonce = nonce;
    transaction.fee = fee;
    transaction.action = std::move(action);
    transaction.signature = key.sign(chain::transaction_message(network.genesis, transaction));
    return transaction;
}

std::string transaction_hex(const chain::SignedTransaction& transaction) {
    return chain::to_hex(chain::encode(chain::Transaction{transaction}));
}

chain::Amount parse_coins(const std::string& option, const std::string& text) {
    const auto amount = chain::Amount::parse(text);
    if (!amount) {
        throw node::Failure(
            node::ExitCode::usage,
            fmt::format("{} must be an amount of coins from 0 to {} with at most eight digits "
                        "after the point, not '{}'.",
                        option, chain::kMaxAmount.to_string(), text));
    }
    return *amount;
}

}  // namespace gradient::cli
