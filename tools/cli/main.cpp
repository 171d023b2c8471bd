#include "node/rpc/client.hpp"
#include "node/setup/data_directory.hpp"
#include "node/setup/settings.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/wallet_commands.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <exception>
#include <string>

namespace gradient::cli {

namespace {

constexpr auto kFooter = R"(
Exit codes: 0 done; 1 failure; 2 wrong command line; 3 chain spec, text, data or snapshot missing or wrong; 4 data
directory in use, unreadable or of another kind; 5 node not reachable; 6 storage failed; 7 `verify` found an invalid chain, or
`proof check` a proof that does not hold.)";

int run(int argc, char** argv) {
    CLI::App app("Starts, watches and checks GradientCoin networks, and asks their models.",
                 "gradient");
    CommonOptions common{node::default_data_directory(), false};
    app.set_version_flag("--version", node::program_version("gradient"));
    app.add_option("--data", common.data_directory, "Data directory of the node")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_flag("--json", common.json, "Print one JSON object instead of text");
    app.require_subcommand(1);
    app.fallthrough();
    app.footer(kFooter);
    add_init_command(app, common);
    add_node_commands(app, common);
    add_peer_commands(app, common);
    add_light_command(app, common);
    add_watch_command(app, common);
    add_model_commands(app, common);
    add_verify_command(app, common);
    add_snapshot_commands(app, common);
    add_wallet_commands(app, common);
    add_transaction_commands(app, common);
    add_task_commands(app, common);
    add_data_commands(app, common);
    add_proof_commands(app, common);
    add_rpc_commands(app, common);
    try {
        app.parse(argc, argv);
        return static_cast<int>(node::ExitCode::ok);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? static_cast<int>(node::ExitCode::ok)
                                    : static_cast<int>(node::ExitCode::usage);
    } catch (const node::Failure& failure) {
        fmt::print(stderr, "gradient: {}\n", failure.what());
        return static_cast<int>(failure.code());
    } catch (const node::RpcFailure& failure) {
        fmt::print(stderr, "gradient: {}\n", failure.what());
        return static_cast<int>(node::ExitCode::failure);
    } catch (const std::exception& error) {
        fmt::print(stderr, "gradient: internal failure: {}.\n", error.what());
        return static_cast<int>(node::ExitCode::failure);
    }
}

}  // namespace

void print_result(const CommonOptions& common, const boost::json::object& result,
                  std::string_view text) {
    if (common.json) {
        fmt::print("{}\n", boost::json::serialize(result));
    } else {
        fmt::print("{}", text);
    }
    if (std::fflush(stdout) != 0) {
        throw node::Failure(node::ExitCode::storage, "Cannot write to standard output.");
    }
}

}  // namespace gradient::cli

int main(int argc, char** argv) {
    return gradient::cli::run(argc, argv);
}
