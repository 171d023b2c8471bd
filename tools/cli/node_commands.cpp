#include "node/rpc/client.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/figures_text.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>
#include <optional>

namespace gradient::cli {

namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
    return std::string(value.as_string());
}

std::string status_text(const json::object& s) {
    const auto& mining = s.at("mining").as_object();
    const auto& chain = s.at("chain").as_object();
    Listing lines;
    lines.add("version", text_of(s.at("version")));
    lines.add("network",
              fmt::format("{} (genesis {})", text_of(s.at("network")), text_of(s.at("genesis"))));
    lines.add("height", grouped(number(s.at("height"))));
    lines.add("tip", text_of(s.at("tip")));
    lines.add("tip time", utc_time(number(s.at("tip_time_ms"))));
    lines.add("model digest", text_of(s.at("model").at("digest")));
    lines.add("held-out score", scores_text(s.at("held_out")));
    lines.gap();
    lines.add("mining", mining.at("active").as_bool()
                            ? fmt::format("{} lane(s), engine {}", number(mining.at("lanes")),
                                          text_of(mining.at("engine")))
                            : "off");
    lines.add("speed",
              fmt::format("{:.1f} units/s, {}", mining.at("units_per_second").to_number<double>(),
                          with_prefix(mining.at("flops").to_number<double>(), "FLOP/s")));
    lines.add("units computed", fmt::format("{}: {} in blocks, {} abandoned, {} in progress",
                                            grouped(number(mining.at("units_computed"))),
                                            grouped(number(mining.at("units_in_blocks"))),
                                            grouped(number(mining.at("units_abandoned"))),
                                            grouped(number(mining.at("units_in_progress")))));
    lines.add("useful fraction",
              fraction_text(mining.at("useful_fraction")) + " of this node's units");
    if (!mining.at("restart_ms_last").is_null()) {
        lines.add("restart", fmt::format("{:.0f} ms from the last new block to a unit on it, "
                                         "median {:.0f} ms",
                                         mining.at("restart_ms_last").to_number<double>(),
                                         mining.at("restart_ms_median").to_number<double>()));
    }
    const auto& audit = s.at("audit").as_object();
    lines.add(
        "audits",
        fmt::format("{} segments, {} units, {} waiting; false {}, committed {}, revealed {}",
                    grouped(number(audit.at("segments_audited"))),
                    grouped(number(audit.at("units_replayed"))),
                    grouped(number(audit.at("segments_waiting"))), number(audit.at("proofs_found")),
                    number(audit.at("commitments_pending")), number(audit.at("proofs_revealed"))));
    lines.gap();
    lines.add("units in the chain",
              fmt::format("{}, of them {} hits", grouped(number(chain.at("units"))),
                          grouped(number(chain.at("hits")))));
    lines.add("useful fraction",
              chain.at("useful_fraction").is_null()
                  ? "not known yet"
                  : fmt::format("{} +- {} of the network's units, estimated from its wins",
                                decimal_text(chain.at("useful_fraction")),
                                decimal_text(chain.at("useful_fraction_error"))));
    lines.add("verification ratio",
              fraction_text(chain.at("verification_ratio")) + " of the units replayed");
    lines.add("progress efficiency", fraction_text(s.at("progress_efficiency")));
    return lines.text();
}

std::string blocks_text(const json::array& blocks) {
    Table table({"height", "time", "units", "hits", "replayed", "loss", "held-out Brier", "id"});
    for (const auto& block : blocks) {
        table.add(
            {grouped(number(block.at("height"))), utc_time(number(block.at("time_ms"))),
             grouped(number(block.at("units"))), grouped(number(block.at("hits"))),
             grouped(number(block.at("replayed"))), decimal_text(block.at("loss")),
             block.at("held_out").is_null() ? "-" : decimal_text(block.at("held_out").at("brier")),
             text_of(block.at("id"))});
    }
    return table.text();
}

void add_simple(CLI::App& app, const CommonOptions& common, const std::string& name,
                const std::string& help, const std::string& method, const std::string& done) {
    app.add_subcommand(name, help)->callback([&common, method, done] {
        const auto result = node::RpcClient(common.data_directory).call(method);
        print_result(common, result.as_object(), done);
    });
}

void add_chain_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const chain = app.add_subcommand("chain", "Look at the chain");
    chain->require_subcommand(1);

    struct ListOptions {
        std::optional<std::uint64_t> start;
        std::optional<std::uint64_t> count;
    };
    auto list_options = std::make_shared<ListOptions>();
    CLI::App* const list =
        chain->add_subcommand("list", "List blocks, the newest ones unless told otherwise");
    list->add_option("--start", list_options->start, "First height");
    list->add_option("--count", list_options->count, "Number of blocks");
    list->callback([list_options, &common] {
        json::object params;
        if (list_options->start) params["start"] = *list_options->start;
        if (list_options->count) params["count"] = *list_options->count;
        const auto result = node::RpcClient(common.data_directory).call("chain_list", params);
        print_result(common, result.as_object(), blocks_text(result.at("blocks").as_array()));
    });

    auto wanted = std::make_shared<std::string>();
    CLI::App* const show = chain->add_subcommand("show", "Show one block");
    show->add_option("block", *wanted, "Height or id")->required();
    show->callback([wanted, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("chain_show", {{"block", *wanted}});
        print_result(common, result.as_object(), object_text(result.as_object()));
    });
}

}  // namespace

void add_node_commands(CLI::App& app, const CommonOptions& common) {
    app.add_subcommand("status", "What the node is doing")->callback([&common] {
        const auto result = node::RpcClient(common.data_directory).call("status");
        print_result(common, result.as_object(), status_text(result.as_object()));
    });
    add_chain_commands(app, common);
    CLI::App* const mine = app.add_subcommand("mine", "Switch mining");
    mine->require_subcommand(1);
    add_simple(*mine, common, "start", "Start mining", "mine_start", "Mining.\n");
    add_simple(*mine, common, "stop", "Stop mining; the node goes on", "mine_stop",
               "Not mining.\n");
    add_simple(app, common, "stop", "Stop the node", "stop", "Stopping.\n");
}

}  // namespace gradient::cli
