#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace CLI {
class App;
}  // namespace CLI

namespace gradient::cli {

/// Options that every command has.
struct CommonOptions {
    std::filesystem::path data_directory;
    bool json = false;
};

/// Prints a command's result: the object with --json, else the text.
void print_result(const CommonOptions& common, const boost::json::object& result,
                  std::string_view text);

/// Each adds its commands to the program. A command throws node::Failure or node::RpcFailure to
/// fail. `common` is filled when a command runs, and outlives it.
void add_init_command(CLI::App& app, const CommonOptions& common);
void add_node_commands(CLI::App& app, const CommonOptions& common);
void add_light_command(CLI::App& app, const CommonOptions& common);
void add_peer_commands(CLI::App& app, const CommonOptions& common);
void add_model_commands(CLI::App& app, const CommonOptions& common);
void add_snapshot_commands(CLI::App& app, const CommonOptions& common);
void add_verify_command(CLI::App& app, const CommonOptions& common);
void add_watch_command(CLI::App& app, const CommonOptions& common);
void add_rpc_commands(CLI::App& app, const CommonOptions& common);
void add_task_commands(CLI::App& app, const CommonOptions& common);
void add_data_commands(CLI::App& app, const CommonOptions& common);
void add_proof_commands(CLI::App& app, const CommonOptions& common);
/// `send`, `tx` and what the wallet shows of accounts; after add_wallet_commands.
void add_transaction_commands(CLI::App& app, const CommonOptions& common);

}  // namespace gradient::cli
