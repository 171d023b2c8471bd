#include "chain/consensus/genesis_spec.hpp"
#include "node/rpc/client.hpp"
#include "node/setup/data_directory.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/figures_text.hpp"
#include "tools/cli/model_commands.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

namespace gradient::cli {

namespace {

namespace json = boost::json;

// How long one long-poll waits; the loop repeats it.
constexpr std::uint64_t kPollMs = 10'000;

TextFigures tables_of(const std::filesystem::path& data_directory) {
    const auto spec = chain::load_chain_spec((data_directory / "chain.json").string());
    if (!spec) throw node::Failure(node::ExitCode::chain_spec, spec.error().message);
    const auto text = model::TextDataset::create(spec->text);
    if (!text)
        throw node::Failure(node::ExitCode::chain_spec, std::string(model::describe(text.error())));
    return figures_of(*text);
}

std::string line_of(const json::value& block, const json::value& status, const NgramScore& bigram) {
    const auto& held_out = block.at("held_out");
    const auto scored = [&](const char* name) {
        return held_out.is_null() ? "-" : decimal_text(held_out.at(name));
    };
    return fmt::format("{:>7}  {:>6}  {:>7}  {:>7}  {:>7.4f}  {:>8}  {:>7.4f}  {:>7}  {:>8}",
                       number(block.at("height")), number(block.at("units")),
                       decimal_text(block.at("loss")), scored("brier"), bigram.brier,
                       scored("accuracy"), bigram.accuracy,
                       decimal_text(status.at("mining").at("useful_fraction")),
                       decimal_text(status.at("chain").at("verification_ratio")));
}

constexpr auto kHead =
    "         units            held-out score (Brier)  held-out accuracy  useful    verifi-\n"
    " height  trained    loss    model   bigram     model   bigram  fraction  cation ratio\n";

void run_watch(std::uint64_t blocks, const CommonOptions& common) {
    node::RpcClient client(common.data_directory);
    const auto tables = tables_of(common.data_directory);
    const std::uint64_t first = number(client.call("status").at("height"));
    if (!common.json) fmt::print("{}", kHead);
    ProgressBar bar("blocks");
    for (std::uint64_t height = first + 1; blocks == 0 || height <= first + blocks; ++height) {
        if (blocks > 0) bar.show(height - first - 1, blocks);
        while (true) {
            const auto reached = client.call(
                "wait_block", {{"height", height}, {"timeout_ms", kPollMs}, {"evaluated", true}},
                std::chrono::milliseconds(kPollMs));
            if (reached.at("ready").as_bool()) break;
        }
        const auto block = client.call("chain_show", {{"block", std::to_string(height)}});
        bar.clear();
        if (common.json) {
            fmt::print("{}\n", json::serialize(block));
        } else {
            fmt::print("{}\n", line_of(block, client.call("status"), tables.bigram));
        }
        std::fflush(stdout);
    }
    bar.clear();
    if (blocks == 0) return;
    const auto evaluation = evaluate_model(load_model(common.data_directory));
    print_result(common, to_json(evaluation), "\n" + to_text(evaluation));
}

}  // namespace

void add_watch_command(CLI::App& app, const CommonOptions& common) {
    auto blocks = std::make_shared<std::uint64_t>(0);
    CLI::App* const watch = app.add_subcommand("watch", "Show a line for each new block");
    watch
        ->add_option("--blocks", *blocks,
                     "Stop after so many blocks, with a summary; 0: go on until stopped")
        ->capture_default_str();
    watch->callback([blocks, &common] { run_watch(*blocks, common); });
}

}  // namespace gradient::cli
