#include "node/rpc/client.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/figures_text.hpp"
#include "tools/cli/terminal.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>

namespace gradient::cli {

namespace {

namespace json = boost::json;

constexpr std::uint64_t kDayS = 86'400;

std::string text_of(const json::value& value) {
    return std::string(value.as_string());
}

std::string peers_text(const json::array& peers) {
    if (peers.empty()) return "No peers.\n";
    Table table({"peer", "address", "direction", "height", "ping ms", "sent", "received", "since",
                 "node", "program"});
    for (const auto& peer : peers) {
        table.add({std::to_string(number(peer.at("peer"))), text_of(peer.at("address")),
                   text_of(peer.at("direction")), grouped(number(peer.at("height"))),
                   peer.at("ping_ms").is_null() ? "-" : std::to_string(number(peer.at("ping_ms"))),
                   grouped(number(peer.at("bytes_sent"))),
                   grouped(number(peer.at("bytes_received"))),
                   fmt::format("{} s", number(peer.at("connected_s"))),
                   text_of(peer.at("node")).substr(0, 16), text_of(peer.at("agent"))});
    }
    return table.text();
}

std::string bans_text(const json::array& bans) {
    if (bans.empty()) return "Nobody is banned.\n";
    Table table({"who", "until", "why"});
    for (const auto& ban : bans) {
        table.add({text_of(ban.at("who")), utc_time(number(ban.at("until_s")) * 1000),
                   text_of(ban.at("reason"))});
    }
    return table.text();
}

}  // namespace

void add_peer_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const peers = app.add_subcommand("peers", "Look at the node's peers and choose them");
    peers->require_subcommand(0, 1);
    peers->callback([peers, &common] {
        if (!peers->get_subcommands().empty()) return;
        const auto result = node::RpcClient(common.data_directory).call("peers");
        print_result(common, {{"peers", result}}, peers_text(result.as_array()));
    });

    auto address = std::make_shared<std::string>();
    CLI::App* const add = peers->add_subcommand("add", "Connect to a peer and keep it");
    add->add_option("address", *address, "HOST:PORT")->required();
    add->callback([address, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("connect_peer", {{"address", *address}});
        print_result(common, result.as_object(), fmt::format("Calling {}.\n", *address));
    });

    auto peer = std::make_shared<std::uint64_t>();
    CLI::App* const drop = peers->add_subcommand("drop", "Disconnect a peer");
    drop->add_option("peer", *peer, "Number of the peer, from `gradient peers`")->required();
    drop->callback([peer, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("disconnect_peer", {{"peer", *peer}});
        print_result(common, result.as_object(), fmt::format("Peer {} is gone.\n", *peer));
    });

    struct BanOptions {
        std::string who;
        std::uint64_t seconds = kDayS;
    };
    auto ban = std::make_shared<BanOptions>();
    CLI::App* const banning = peers->add_subcommand("ban", "Have no dealings with a node");
    banning->add_option("who", ban->who, "Node id (64 digits) or IP address")->required();
    banning->add_option("--seconds", ban->seconds, "For how long")->capture_default_str();
    banning->callback([ban, &common] {
        const auto result = node::RpcClient(common.data_directory)
                                .call("ban", {{"who", ban->who}, {"seconds", ban->seconds}});
        print_result(common, result.as_object(), fmt::format("{} is banned.\n", ban->who));
    });

    auto unbanned = std::make_shared<std::string>();
    CLI::App* const unban = peers->add_subcommand("unban", "Lift a ban");
    unban->add_option("who", *unbanned, "Node id (64 digits) or IP address")->required();
    unban->callback([unbanned, &common] {
        const auto result =
            node::RpcClient(common.data_directory).call("unban", {{"who", *unbanned}});
        print_result(common, result.as_object(), fmt::format("{} is welcome.\n", *unbanned));
    });

    peers->add_subcommand("bans", "List bans")->callback([&common] {
        const auto result = node::RpcClient(common.data_directory).call("bans");
        print_result(common, {{"bans", result}}, bans_text(result.as_array()));
    });
}

}  // namespace gradient::cli
