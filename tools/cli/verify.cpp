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
#include <optional>
#include <string>
#include <string_view>

namespace gradient::cli {

namespace {

struct VerifyOptions {
    std::filesystem::path directory;
    bool all_units = false;
};

// A store that remembers the first failure to read it: an audit tells only its sentence.
class RememberingView final : public chain::KeyValueView {
  public:
    explicit RememberingView(const chain::KeyValueView& behind) noexcept : behind_(behind) {}

    [[nodiscard]] const std::optional<chain::StoreError>& error() const noexcept { return error_; }

    [[nodiscard]] chain::Result<std::optional<chain::Bytes>, chain::StoreError> get(
        chain::ByteSpan key) const override {
        auto value = behind_.get(key);
        if (!value && !error_) error_ = value.error();
        return value;
    }
    [[nodiscard]] chain::Result<void, chain::StoreError> scan(
        chain::ByteSpan prefix, const chain::KeyValueVisitor& visit) const override {
        auto scanned = behind_.scan(prefix, visit);
        if (!scanned && !error_) error_ = scanned.error();
        return scanned;
    }

  private:
    const chain::KeyValueView& behind_;
    mutable std::optional<chain::StoreError> error_;
};

// What an audit's finding means: damage of what this machine stored is no block's fault. Sentences
// about damage, and only they, speak of what is stored or of the directory.
node::Failure failure_of(const chain::AuditFailure& found,
                         const std::optional<chain::StoreError>& error) {
    if (error) return node::store_failure(*error);
    const auto says = [&](std::string_view words) {
        return found.rule.find(words) != std::string::npos;
    };
    if (says("stored ") || says("the directory ")) {
        return {node::ExitCode::data_directory,
                fmt::format("The data directory is damaged: {}", found.to_string())};
    }
    return {node::ExitCode::invalid_chain,
            fmt::format("The chain is not valid: {}", found.to_string())};
}

void report_success(const chain::AuditReport& report, double seconds, const CommonOptions& common) {
    const auto& progress = report.progress;
    Listing lines;
    lines.add("result", "valid: every rule holds, every state root was derived anew");
    if (report.first_header > 0) {
        lines.add("from a snapshot",
                  fmt::format("nothing is stored below height {}", grouped(report.first_header)));
    }
    if (report.first_block > 1) {
        lines.add("pruned", fmt::format("below height {} headers, their history and the state they "
                                        "commit to were checked, bodies are gone",
                                        grouped(report.first_block)));
    }
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
                  {"first_header", report.first_header},
                  {"first_block", report.first_block},
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
    const RememberingView view(**store);
    const auto report = chain::audit_chain(*network, view, depth, listener);
    bar.clear();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (report) {
        report_success(*report, took.count(), common);
        return;
    }
    const auto& found = report.error();
    const node::Failure failure = failure_of(found, view.error());
    if (common.json && failure.code() == node::ExitCode::invalid_chain) {
        print_result(common,
                     {{"valid", false},
                      {"height", found.height},
                      {"id", found.id.to_hex()},
                      {"rule", found.rule}},
                     "");
    }
    throw node::Failure(failure);
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
