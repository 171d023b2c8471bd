#include "tools/cli/sender.hpp"

#include "chain/crypto/address.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "node/setup/failure.hpp"
#include "tools/wallet/wallet.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gradient::cli {

namespace {

namespace json = boost::json;

node::Failure damaged(std::string_view member) {
    return {node::ExitCode::network,
            fmt::format("The node's answer is damaged: {} is wrong.", member)};
}

std::string text_of(const json::value& value) {
    return std::string(value.as_string());
}

chain::Amount amount_of(const json::value& answer, std::string_view member) {
    const auto amount = chain::Amount::parse(text_of(answer.at(member)));
    if (!amount) throw damaged(member);
    return *amount;
}

chain::Hash256 hash_of(const json::value& answer, std::string_view member) {
    const auto hash = chain::Hash256::from_hex(text_of(answer.at(member)));
    if (!hash) throw damaged(member);
    return *hash;
}

}  // namespace

void add_sender_options(CLI::App& command, SenderOptions& options) {
    command.add_option("--from", options.from, "Name of the wallet's key that pays")
        ->type_name("NAME")
        ->capture_default_str();
    command
        .add_option("--passphrase-file", options.passphrase_file,
                    fmt::format("File whose first line is the passphrase; without it {} or the "
                                "terminal",
                                wallet::kPassphraseVariable))
        ->type_name("FILE");
    command
        .add_option("--fee", options.fee,
                    "Coins to the miner for each transaction; the least that the rules ask for if "
                    "left out")
        ->type_name("COINS");
}

Sender::Sender(const CommonOptions& common, const SenderOptions& options)
    : client_(common.data_directory) {
    if (options.fee) fee_ = parse_coins("--fee", *options.fee);
    const wallet::Wallet wallet(common.data_directory / "wallet");
    const auto entry = wallet.find(options.from);
    if (entry.error) {
        throw node::Failure(node::ExitCode::data_directory,
                            fmt::format("Wallet key {}: {}.", wallet.file_of(entry.name).string(),
                                        wallet::to_string(*entry.error)));
    }
    address_ = entry.address;
    const auto rates = client_.call("fee_rates");
    network_ = {rates.at("network_id").to_number<std::uint32_t>(), hash_of(rates, "genesis")};
    rates_.byte_fee = amount_of(rates, "byte_fee");
    rates_.replay_fee = amount_of(rates, "replay_fee");
    const auto account = client_.call("account_show", {{"address", address_}});
    next_nonce_ = account.at("next_nonce").to_number<std::uint64_t>();
    key_.emplace(wallet.open(options.from, wallet::read_passphrase(options.passphrase_file,
                                                                   wallet::PassphraseUse::open)));
}

chain::Amount Sender::fee_of(const chain::Action& action) const {
    if (fee_) return *fee_;
    chain::SignedTransaction unsigned_one;  // as long as the signed one
    unsigned_one.action = action;
    const auto least = chain::least_fee(unsigned_one, rates_);
    if (!least) {
        throw node::Failure(node::ExitCode::failure,
                            "The least fee of this transaction exceeds the largest amount.");
    }
    return *least;
}

Sent Sender::send(chain::Action action, std::string_view allowed) {
    const chain::Amount fee = fee_of(action);
    const auto transaction = sign_transaction(*key_, network_, next_nonce_, fee, std::move(action));
    const auto answer =
        client_.call("transaction_submit", {{"transaction", transaction_hex(transaction)}});
    if (answer.at("accepted").as_bool()) {
        ++next_nonce_;
        return {hash_of(answer, "id"), fee, {}};
    }
    const std::string refusal = text_of(answer.at("refusal"));
    if (allowed.empty() || refusal != allowed) {
        throw node::Failure(node::ExitCode::failure,
                            fmt::format("The node refuses the transaction ({}): {}", refusal,
                                        text_of(answer.at("message"))));
    }
    return {hash_of(answer, "id"), fee, refusal};
}

boost::json::object wait_for_transaction(node::RpcClient& client, const chain::Hash256& id,
                                         std::uint64_t confirmations,
                                         std::chrono::milliseconds limit) {
    // How long one long-poll waits; the loop repeats it.
    constexpr std::chrono::milliseconds kPoll{10'000};
    const auto began = std::chrono::steady_clock::now();
    for (;;) {
        const auto used = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - began);
        const auto wait = std::clamp(limit - used, std::chrono::milliseconds::zero(), kPoll);
        auto view = client
                        .call("transaction_wait",
                              {{"id", id.to_hex()},
                               {"confirmations", confirmations},
                               {"timeout_ms", wait.count()}},
                              wait)
                        .as_object();
        if (view.at("ready").as_bool()) return view;
        const std::string status = text_of(view.at("status"));
        if (status == "gone") {
            throw node::Failure(
                node::ExitCode::failure,
                fmt::format("Transaction {} will not be included ({}): {}", id.to_hex(),
                            text_of(view.at("reason")), text_of(view.at("message"))));
        }
        if (status == "unknown") {
            throw node::Failure(
                node::ExitCode::failure,
                fmt::format("The node knows no transaction {} in its pool or newest blocks.",
                            id.to_hex()));
        }
        if (used >= limit) {
            throw node::Failure(node::ExitCode::failure,
                                fmt::format("Transaction {} is {} and did not get {} "
                                            "confirmation(s) in time.",
                                            id.to_hex(), status, confirmations));
        }
    }
}

void show_fee(const CommonOptions& common, chain::Amount fee) {
    if (common.json) return;
    fmt::print("fee  {} coins\n", fee.to_string());
    static_cast<void>(std::fflush(stdout));
}

}  // namespace gradient::cli
