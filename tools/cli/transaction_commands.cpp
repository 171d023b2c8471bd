#include "chain/crypto/address.hpp"
#include "node/rpc/client.hpp"
#include "node/setup/failure.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/figures_text.hpp"
#include "tools/cli/sender.hpp"
#include "tools/cli/terminal.hpp"
#include "tools/wallet/wallet.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace gradient::cli {

namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
    return std::string(value.as_string());
}

/// The account that a command looks at.
struct AccountOptions {
    std::string name = "default";
    std::optional<std::string> address;
    std::optional<std::uint64_t> count;
};

void add_account_options(CLI::App& command, AccountOptions& options) {
    CLI::Option* const name =
        command.add_option("name", options.name, "Name of the wallet's key")->capture_default_str();
    command.add_option("--address", options.address, "Any account's address instead")
        ->excludes(name)
        ->type_name("ADDRESS");
}

std::string address_of(const AccountOptions& options, const CommonOptions& common) {
    if (options.address) return *options.address;
    const wallet::Wallet wallet(common.data_directory / "wallet");
    const auto entry = wallet.find(options.name);
    if (entry.error) {
        throw node::Failure(node::ExitCode::data_directory,
                            fmt::format("Wallet key {}: {}.", wallet.file_of(entry.name).string(),
                                        wallet::to_string(*entry.error)));
    }
    return entry.address;
}

std::string balance_text(const json::object& account) {
    Listing lines;
    lines.add("address", text_of(account.at("address")));
    lines.add("balance", text_of(account.at("balance")) + " coins");
    lines.add("maturing", text_of(account.at("maturing_total")) + " coins");
    lines.add("nonce", std::to_string(number(account.at("nonce"))));
    lines.add("in the pool", std::to_string(account.at("pooled").as_array().size()));
    // The next ones only: a miner has one for each block of the maturity.
    constexpr std::size_t kMostPays = 5;
    const auto& maturing = account.at("maturing").as_array();
    std::string text = lines.text();
    for (std::size_t i = 0; i < std::min(maturing.size(), kMostPays); ++i) {
        text += fmt::format("  {} coins at height {}\n", text_of(maturing[i].at("amount")),
                            grouped(number(maturing[i].at("height"))));
    }
    if (maturing.size() > kMostPays) {
        text += fmt::format("  and {} more up to height {}\n", maturing.size() - kMostPays,
                            grouped(number(maturing.back().at("height"))));
    }
    return text;
}

// What an entry of a history says beside its kind.
std::string details_of(const json::object& entry, const std::string& self) {
    if (entry.at("kind") == "pay") {
        return fmt::format("{}matures at height {}",
                           entry.at("mined_block").as_bool() ? "won the block, " : "",
                           grouped(number(entry.at("matures"))));
    }
    const std::string from = text_of(entry.at("from"));
    if (entry.at("kind") == "transfer")
        return from == self ? "to " + text_of(entry.at("to")) : "from " + from;
    return "id " + text_of(entry.at("id"));
}

std::string history_text(const json::object& history) {
    const std::string self = text_of(history.at("address"));
    Table table({"height", "time", "kind", "coins", "what"});
    for (const auto& value : history.at("entries").as_array()) {
        const auto& entry = value.as_object();
        const auto* const amount = entry.if_contains("amount");
        table.add({grouped(number(entry.at("height"))), utc_time(number(entry.at("time_ms"))),
                   text_of(entry.at("kind")),
                   amount != nullptr && amount->is_string() ? text_of(*amount) : "-",
                   details_of(entry, self)});
    }
    return table.text() + fmt::format("Looked through down to height {}.\n",
                                      grouped(number(history.at("lowest_height"))));
}

void add_wallet_views(CLI::App& wallet, const CommonOptions& common) {
    auto balance_options = std::make_shared<AccountOptions>();
    CLI::App* const balance = wallet.add_subcommand("balance", "What an account has");
    add_account_options(*balance, *balance_options);
    balance->callback([balance_options, &common] {
        const auto address = address_of(*balance_options, common);
        const auto result =
            node::RpcClient(common.data_directory).call("account_show", {{"address", address}});
        print_result(common, result.as_object(), balance_text(result.as_object()));
    });

    auto history_options = std::make_shared<AccountOptions>();
    CLI::App* const history =
        wallet.add_subcommand("history", "What an account got and spent, newest first");
    add_account_options(*history, *history_options);
    history->add_option("--count", history_options->count, "Number of entries, 20 if left out");
    history->callback([history_options, &common] {
        json::object params{{"address", address_of(*history_options, common)}};
        if (history_options->count) params["count"] = *history_options->count;
        const auto result =
            node::RpcClient(common.data_directory).call("account_history", std::move(params));
        print_result(common, result.as_object(), history_text(result.as_object()));
    });
}

struct SendOptions {
    SenderOptions sender;
    std::string to;
    std::string amount;
};

void run_send(const SendOptions& options, const CommonOptions& common) {
    const auto to = chain::parse_address(options.to, chain::kDefaultAddressPrefix);
    if (!to) {
        throw node::Failure(node::ExitCode::usage,
                            fmt::format("--to: {}.", chain::to_string(to.error())));
    }
    const chain::Action transfer = chain::Transfer{*to, parse_coins("--amount", options.amount)};
    Sender sender(common, options.sender);
    show_fee(common, sender.fee_of(transfer));
    const Sent sent = sender.send(transfer);
    print_result(common,
                 {{"id", sent.id.to_hex()},
                  {"from", sender.address()},
                  {"to", options.to},
                  {"amount", parse_coins("--amount", options.amount).to_string()},
                  {"fee", sent.fee.to_string()}},
                 fmt::format("id   {}\n", sent.id.to_hex()));
}

void add_send(CLI::App& app, const CommonOptions& common) {
    auto options = std::make_shared<SendOptions>();
    CLI::App* const send = app.add_subcommand("send", "Send coins to an address");
    send->add_option("--to", options->to, "Who gets them")->required()->type_name("ADDRESS");
    send->add_option("--amount", options->amount, "How many, with up to eight decimals")
        ->required()
        ->type_name("COINS");
    add_sender_options(*send, options->sender);
    send->callback([options, &common] { run_send(*options, common); });
}

// The view of a transaction as one flat list.
std::string transaction_text(const json::object& view) {
    json::object flat;
    for (const auto& [name, value] : view) {
        if (name != "transaction") flat[name] = value;
    }
    if (const auto* const inner = view.if_contains("transaction"))
        flat.insert(inner->as_object().begin(), inner->as_object().end());
    return object_text(flat);
}

struct WaitOptions {
    std::string id;
    std::uint64_t confirmations = 1;
    std::uint64_t timeout_s = 3600;
};

void add_tx(CLI::App& app, const CommonOptions& common) {
    CLI::App* const tx = app.add_subcommand("tx", "Look at transactions");
    tx->require_subcommand(1);
    auto wanted = std::make_shared<std::string>();
    CLI::App* const show = tx->add_subcommand("show", "Where a transaction is");
    show->add_option("id", *wanted, "Id of the transaction")->required();
    show->callback([wanted, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("transaction_show", {{"id", *wanted}});
        print_result(common, result.as_object(), transaction_text(result.as_object()));
    });

    auto options = std::make_shared<WaitOptions>();
    CLI::App* const wait = tx->add_subcommand("wait", "Wait until a transaction is included");
    wait->add_option("id", options->id, "Id of the transaction")->required();
    wait->add_option("--confirmations", options->confirmations, "Blocks from its own up")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    wait->add_option("--timeout", options->timeout_s, "Longest time to wait, in seconds")
        ->check(CLI::Range(0, 1'000'000))
        ->capture_default_str();
    wait->callback([options, &common] {
        const auto id = chain::Hash256::from_hex(options->id);
        if (!id) {
            throw node::Failure(node::ExitCode::usage,
                                "A transaction's id has 64 hexadecimal digits.");
        }
        node::RpcClient client(common.data_directory);
        const auto view = wait_for_transaction(client, *id, options->confirmations,
                                               std::chrono::seconds(options->timeout_s));
        print_result(common, view, transaction_text(view));
    });
}

}  // namespace

void add_transaction_commands(CLI::App& app, const CommonOptions& common) {
    add_wallet_views(*app.get_subcommand("wallet"), common);
    add_send(app, common);
    add_tx(app, common);
}

}  // namespace gradient::cli
