#include "tools/cli/wallet_commands.hpp"

#include "chain/crypto/address.hpp"
#include "node/setup/failure.hpp"
#include "node/setup/files.hpp"
#include "node/setup/key_file.hpp"
#include "tools/wallet/wallet.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>

namespace gradient::cli {

namespace {

namespace json = boost::json;

struct WalletOptions {
    std::string name = "default";
    std::optional<std::filesystem::path> passphrase_file;
};

wallet::Wallet wallet_of(const CommonOptions& common) {
    return wallet::Wallet(common.data_directory / "wallet");
}

void add_name(CLI::App& command, WalletOptions& options) {
    command.add_option("name", options.name, "Name of the key")->capture_default_str();
}

void add_passphrase_file(CLI::App& command, WalletOptions& options) {
    command
        .add_option("--passphrase-file", options.passphrase_file,
                    fmt::format("File whose first line is the passphrase; without it {} or the "
                                "terminal",
                                wallet::kPassphraseVariable))
        ->type_name("FILE");
}

void add_new(CLI::App& wallet, const CommonOptions& common) {
    auto options = std::make_shared<WalletOptions>();
    CLI::App* const command = wallet.add_subcommand("new", "Make a key, encrypted by a passphrase");
    add_name(*command, *options);
    add_passphrase_file(*command, *options);
    command->callback([options, &common] {
        // A name that is wrong must not cost the user two entries of a passphrase.
        static_cast<void>(wallet_of(common).file_of(options->name));
        const auto passphrase =
            wallet::read_passphrase(options->passphrase_file, wallet::PassphraseUse::create);
        const auto entry =
            wallet_of(common).create(options->name, passphrase, chain::kDefaultAddressPrefix);
        print_result(common,
                     {{"name", entry.name},
                      {"address", entry.address},
                      {"file", wallet_of(common).file_of(entry.name).string()}},
                     fmt::format("{}\nKeep a copy of {} and remember the passphrase: nothing else "
                                 "can restore the key.\n",
                                 entry.address, wallet_of(common).file_of(entry.name).string()));
    });
}

struct ImportOptions {
    WalletOptions key;
    std::optional<std::filesystem::path> file;
};

void run_import(const ImportOptions& options, const CommonOptions& common) {
    const auto file = options.file.value_or(common.data_directory / "miner.key");
    static_cast<void>(wallet_of(common).file_of(options.key.name));
    if (!node::path_exists(file)) {
        throw node::Failure(node::ExitCode::usage,
                            fmt::format("There is no key file {}.", file.string()));
    }
    const auto key = node::load_or_create_key(file);
    const auto passphrase =
        wallet::read_passphrase(options.key.passphrase_file, wallet::PassphraseUse::create);
    const auto entry =
        wallet_of(common).add(options.key.name, key, passphrase, chain::kDefaultAddressPrefix);
    print_result(common,
                 {{"name", entry.name},
                  {"address", entry.address},
                  {"file", wallet_of(common).file_of(entry.name).string()}},
                 entry.address + "\n");
}

void add_import(CLI::App& wallet, const CommonOptions& common) {
    auto options = std::make_shared<ImportOptions>();
    CLI::App* const command = wallet.add_subcommand(
        "import", "Take a miner's key into the wallet, encrypted, so that its pay can be spent");
    add_name(*command, options->key);
    command
        ->add_option("--key-file", options->file,
                     "File with the key; miner.key of the data directory if left out")
        ->type_name("FILE");
    add_passphrase_file(*command, options->key);
    command->callback([options, &common] { run_import(*options, common); });
}

void add_list(CLI::App& wallet, const CommonOptions& common) {
    wallet.add_subcommand("list", "All keys with their addresses")->callback([&common] {
        json::array keys;
        std::string text;
        for (const auto& entry : wallet_of(common).list()) {
            json::object key{{"name", entry.name}, {"address", entry.address}};
            if (entry.error) key["error"] = wallet::to_string(*entry.error);
            keys.push_back(std::move(key));
            text += fmt::format("{:<16}  {}\n", entry.name,
                                entry.error ? wallet::to_string(*entry.error) : entry.address);
        }
        if (text.empty()) text = "No keys yet: make one with `gradient wallet new`.\n";
        print_result(common, {{"keys", keys}}, text);
    });
}

void add_address(CLI::App& wallet, const CommonOptions& common) {
    auto options = std::make_shared<WalletOptions>();
    CLI::App* const command = wallet.add_subcommand("address", "The address of one key");
    add_name(*command, *options);
    command->callback([options, &common] {
        const auto entry = wallet_of(common).find(options->name);
        if (entry.error) {
            throw node::Failure(
                node::ExitCode::data_directory,
                fmt::format("Wallet key {}: {}.", wallet_of(common).file_of(entry.name).string(),
                            wallet::to_string(*entry.error)));
        }
        print_result(common, {{"name", entry.name}, {"address", entry.address}},
                     entry.address + "\n");
    });
}

}  // namespace

void add_wallet_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const wallet = app.add_subcommand("wallet", "Make and list keys");
    wallet->require_subcommand(1);
    add_new(*wallet, common);
    add_import(*wallet, common);
    add_list(*wallet, common);
    add_address(*wallet, common);
}

}  // namespace gradient::cli
