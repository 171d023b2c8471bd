#include "chain/audit.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "node/setup/data_directory.hpp"
#include "node/setup/store_failure.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>

namespace gradient::cli {

namespace {

struct VerifyOptions {
    std::filesystem::path directory;
    bool all_units = false;
};

void report_success(const chain::AuditReport& report, double seconds, const CommonOptions& common) {
    const auto& progress = report.progress;
    Listing lines;
    lines.add("result", "valid: every rule holds, every state root was derived anew");
    lines.add("height", grouped(progress.height));
    lines.add("tip", report.tip.to_hex());
    lines.add("state root", report.state_root.to_hex());
    lines.add("model digest", report.model.to_hex());
    lines.add("units claimed", grouped(progress.units_claimed));
    lines.add("units replayed", grouped(progress.units_replayed));
    lines.add("time", fmt::format("{:.1f} s", seconds));
    print_result(common,
                 {{"valid", true},
                  {"height", progress.height},
                  {"tip", report.tip.to_hex()},
                  {"state_root", report.state_root.to_hex()},
                  {"model_digest", report.model.to_hex()},
                  {"units_claimed", progress.units_claimed},
                  {"units_replayed", progress.units_replayed},
                  {"seconds", seconds}},
                 lines.text());
}

void run_verify(const VerifyOptions& options, const CommonOptions& common) {
    const auto directory = node::DataDirectory::open_existing(options.directory);
    auto spec = chain::load_chain_spec(directory.chain_spec().string());
    if (!spec) throw node::Failure(node::ExitCode::data_directory, spec.error().message);
    auto network = chain::make_network(*std::move(spec));
    if (!network) throw node::Failure(node::ExitCode::data_directory, network.error().message);
    const auto store =
        chain::LevelDbStore::open(directory.database().string(), chain::OpenMode::must_exist);
    if (!store) throw node::store_failure(store.error());

    ProgressBar bar("verifying");
    const auto begin = std::chrono::steady_clock::now();
    const auto listener = [&](const chain::AuditProgress& progress) {
        bar.show(progress.height, progress.tip_height);
        return true;
    };
    const auto depth =
        options.all_units ? chain::AuditDepth::all_units : chain::AuditDepth::openings;
    const auto report = chain::audit_chain(*network, **store, depth, listener);
    bar.clear();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (report) {
        report_success(*report, took.count(), common);
        return;
    }
    const auto& failure = report.error();
    if (common.json) {
        print_result(common,
                     {{"valid", false},
                      {"height", failure.height},
                      {"id", failure.id.to_hex()},
                      {"rule", failure.rule}},
                     "");
    }
    throw node::Failure(node::ExitCode::invalid_chain,
                        fmt::format("The chain is not valid: {}", failure.to_string()));
}

}  // namespace

void add_verify_command(CLI::App& app, const CommonOptions& common) {
    auto options = std::make_shared<VerifyOptions>();
    CLI::App* const verify =
        app.add_subcommand("verify", "Check every block of a data directory again, without a node");
    verify->add_option("directory", options->directory, "Data directory")
        ->required()
        ->type_name("DIR");
    verify->add_flag("--all-units", options->all_units,
                     "Replay every unit, not only the opened ones: as much work as mining was");
    verify->callback([options, &common] { run_verify(*options, common); });
}

}  // namespace gradient::cli
