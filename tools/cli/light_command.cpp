#include "chain/consensus/genesis_spec.hpp"
#include "chain/network.hpp"
#include "node/network/light_run.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradient::cli {

namespace {

namespace json = boost::json;

struct LightOptions {
    std::vector<std::string> peers;
    std::filesystem::path chain_spec;
    std::optional<std::filesystem::path> snapshot;
};

std::shared_ptr<const chain::Network> load_network(const std::filesystem::path& file) {
    auto spec = chain::load_chain_spec(file.string());
    if (!spec) throw node::Failure(node::ExitCode::chain_spec, spec.error().message);
    auto network = chain::make_network(*std::move(spec));
    if (!network) throw node::Failure(node::ExitCode::chain_spec, network.error().message);
    return *std::move(network);
}

json::object peer_view(const node::JudgedPeer& peer) {
    return {{"address", peer.address},
            {"believed", peer.is_believed},
            {"verdict", peer.verdict},
            {"height", peer.claim.height},
            {"tip", peer.claim.id.to_hex()},
            {"work", peer.claim.cumulative_work.to_hex()},
            {"samples", peer.history.samples},
            {"units_replayed", peer.replays},
            {"bytes", peer.bytes},
            {"ms", peer.time.count()}};
}

std::string peers_text(const std::vector<node::JudgedPeer>& peers) {
    Table table({"address", "claims height", "believed", "samples", "replayed", "bytes", "s"});
    for (const auto& peer : peers) {
        table.add({peer.address, grouped(peer.claim.height), peer.is_believed ? "yes" : "no",
                   grouped(peer.history.samples), grouped(peer.replays), grouped(peer.bytes),
                   fmt::format("{:.1f}", static_cast<double>(peer.time.count()) / 1000.0)});
    }
    std::string text = table.text();
    for (const auto& peer : peers) text += fmt::format("{}: {}\n", peer.address, peer.verdict);
    return text;
}

void run_light(const LightOptions& options, const CommonOptions& common) {
    ProgressBar bar("judging");
    node::LightRun run;
    run.network = load_network(options.chain_spec);
    run.peers = options.peers;
    run.snapshot = options.snapshot;
    run.progress = [&bar](const std::string&, std::uint64_t done, std::uint64_t of) {
        if (of > 0) bar.show(done, of);
    };
    const auto result = node::run_light(run);
    bar.clear();
    json::array list;
    for (const auto& peer : result.peers) list.push_back(peer_view(peer));
    json::object view{{"peers", std::move(list)}};
    std::string text = peers_text(result.peers);
    const bool is_believed = !result.peers.empty() && result.peers.front().is_believed;
    if (is_believed) {
        const auto& best = result.peers.front();
        view["tip"] = best.claim.id.to_hex();
        text += fmt::format("best chain: height {}, tip {}\n", best.claim.height,
                            best.claim.id.to_hex());
    }
    if (result.snapshot) {
        view["snapshot_height"] = result.snapshot->offer.height;
        view["state_root"] = result.snapshot->offer.state_root.to_hex();
        text += fmt::format("snapshot of height {}, state root {}\n", result.snapshot->offer.height,
                            result.snapshot->offer.state_root.to_hex());
    }
    print_result(common, view, text);
    if (!is_believed)
        throw node::Failure(node::ExitCode::invalid_chain, "No peer's chain is believed.");
    if (options.snapshot && !result.snapshot) {
        throw node::Failure(node::ExitCode::network,
                            "No believed peer offers a snapshot that its chain commits to.");
    }
}

}  // namespace

void add_light_command(CLI::App& app, const CommonOptions& common) {
    auto options = std::make_shared<LightOptions>();
    CLI::App* const light = app.add_subcommand(
        "light", "Judge the chains that nodes claim, from headers and samples of their work alone");
    light->add_option("--connect", options->peers, "Node to ask; may be given often")
        ->type_name("HOST:PORT")
        ->required();
    light->add_option("--chain", options->chain_spec, "Chain spec of the network")
        ->type_name("FILE")
        ->required();
    light
        ->add_option("--snapshot", options->snapshot,
                     "Fetch a snapshot that the best chain commits to into this file")
        ->type_name("FILE");
    light->callback([options, &common] { run_light(*options, common); });
}

}  // namespace gradient::cli
