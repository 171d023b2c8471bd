#include "node/setup/settings.hpp"

#include "model/task.hpp"
#include "node/setup/data_directory.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>

#include <sstream>

#ifndef GRADIENT_VERSION
#error "GRADIENT_VERSION comes from CMake"
#endif

namespace gradient::node {

namespace {

constexpr auto kFooter = R"(
Exit codes: 0 ended as asked; 1 internal failure; 2 wrong command line or configuration; 3 chain spec missing or wrong;
4 data directory in use, unreadable, of another chain or version; 5 an address cannot be used; 6 storage failed.)";

std::vector<std::string> engine_names() {
    std::vector<std::string> names{"best"};
    for (const auto kind : model::available_engines()) names.emplace_back(model::engine_name(kind));
    return names;
}

void add_peer_options(CLI::App& app, PeerSettings& peers) {
    constexpr std::size_t kMostPeers = 1000;
    app.add_option("--listen", peers.listen_address,
                   "Address on which to take connections of peers; empty: none")
        ->type_name("ADDRESS")
        ->capture_default_str();
    app.add_option("--port", peers.port, "Port for peers; 0 takes any free one")
        ->capture_default_str();
    app.add_option("--connect", peers.fixed, "Peer that is always kept; may be given often")
        ->type_name("HOST:PORT");
    app.add_option("--seed", peers.seeds,
                   "Node that is asked for addresses of others; may be given often")
        ->type_name("HOST:PORT");
    app.add_option("--discover", peers.discover, "Whether to call addresses that peers tell")
        ->type_name("BOOL")
        ->capture_default_str();
    app.add_option("--max-inbound", peers.max_inbound, "Connections that others may open")
        ->check(CLI::Range(std::size_t{0}, kMostPeers))
        ->capture_default_str();
    app.add_option("--max-outbound", peers.max_outbound,
                   "Connections that this node opens, beside those of --connect")
        ->check(CLI::Range(std::size_t{0}, kMostPeers))
        ->capture_default_str();
    app.add_option("--snapshot-every", peers.snapshot_interval,
                   "Blocks from one snapshot that is served to newcomers to the next; 0: none")
        ->type_name("BLOCKS")
        ->capture_default_str();
}

std::string check_ip_address(const std::string& text) {
    boost::system::error_code error;
    boost::asio::ip::make_address(text, error);
    return error ? text + " is no IP address" : std::string();
}

void add_rpc_options(CLI::App& app, RpcSettings& rpc) {
    app.add_option("--rpc-address", rpc.address, "Address the RPC listens on")
        ->check(CLI::Validator(check_ip_address, "ADDRESS"))
        ->capture_default_str();
    app.add_option("--rpc-port", rpc.port, "Port of the RPC; 0 takes any free one")
        ->capture_default_str();
    app.add_option("--rpc-user", rpc.users,
                   "User of the RPC, as `gradient rpc-user NAME` prints it; may be given often")
        ->type_name("NAME:PERMISSION:SALT$HASH");
    CLI::Option* const certificate =
        app.add_option("--rpc-tls-certificate", rpc.tls_certificate,
                       "Certificate (PEM) with which the RPC speaks TLS and nothing else")
            ->type_name("FILE");
    CLI::Option* const key =
        app.add_option("--rpc-tls-key", rpc.tls_key, "Its key (PEM, no passphrase)")
            ->type_name("FILE");
    certificate->needs(key);
    key->needs(certificate);
    app.add_flag("--rpc-allow-plain", rpc.allow_plain,
                 "Let the RPC listen without TLS on an address that other machines can reach");
    app.add_option("--rpc-host", rpc.hosts,
                   "Name by which the RPC may be called beside localhost and IP addresses; may be "
                   "given often")
        ->type_name("NAME");
}

void add_options(CLI::App& app, Settings& settings) {
    settings.data_directory = default_data_directory();
    app.set_version_flag("--version", program_version("gradientd"));
    app.add_option("--data", settings.data_directory, "Data directory")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--chain", settings.chain_spec,
                   "Chain spec made by `gradient init`; needed for the first start only")
        ->type_name("FILE");
    add_rpc_options(app, settings.rpc);
    add_peer_options(app, settings.peers);
    app.add_flag("--from-snapshot", settings.from_snapshot,
                 "Start a new data directory from a snapshot that the peers' proven chain commits "
                 "to, instead of the whole history");
    app.add_option("--mine", settings.mine, "Whether to mine")
        ->type_name("BOOL")
        ->capture_default_str();
    app.add_option("--lanes", settings.lanes, "Lanes to mine on, each a core's work")
        ->check(CLI::Range(1U, Settings::kMaxLanes))
        ->capture_default_str();
    app.add_option("--threads", settings.threads,
                   "Worker threads; 0: one a processor, at least as many as lanes")
        ->check(CLI::Range(0U, Settings::kMaxThreads))
        ->capture_default_str();
    app.add_option("--prune", settings.prune,
                   "Blocks to keep whole, at least maturity and 20 more; of older ones headers and "
                   "transactions stay; 0: keep all")
        ->type_name("BLOCKS")
        ->capture_default_str();
    app.add_option(
           "--audit", settings.audit,
           "Share of the others' segments that are replayed in full where threads are idle; "
           "0: none. Who lied is accused, for a reward, at a deposit of this node's key")
        ->type_name("FRACTION")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--audit-share", settings.audit_share,
                   "Time for audits where lanes keep all threads busy, as a share of mining's")
        ->type_name("FRACTION")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--engine", settings.engine, "Product engine; all give the same bits")
        ->check(CLI::IsMember(engine_names()))
        ->capture_default_str();
    app.add_option("--log-level", settings.log_level, "What to log")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
        ->capture_default_str();
    app.add_option("--log-format", settings.log_format, "How: for people, or an object a line")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    app.set_config("--config", "",
                   "Settings file with lines name=value; default: DIR/gradient.conf if it exists");
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.footer(kFooter);
}

// CLI11 prints its own exceptions; here they become text.
std::optional<EarlyExit> parse(CLI::App& app, std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
    try {
        app.parse(std::move(arguments));
        return std::nullopt;
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app.exit(error, out, err);
        if (code == 0) return EarlyExit{ExitCode::ok, out.str()};
        return EarlyExit{ExitCode::usage, err.str()};
    }
}

}  // namespace

std::variant<Settings, EarlyExit> parse_settings(int argc, const char* const* argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    // Where the settings file lies depends on the command line, so that is read twice if the file
    // exists.
    for (bool with_file = false;; with_file = true) {
        Settings settings;
        CLI::App app(
            "A GradientCoin node: keeps the chain, mines training steps, answers on a local RPC "
            "port.",
            "gradientd");
        add_options(app, settings);
        if (auto exit = parse(app, arguments)) return *std::move(exit);
        const auto file = settings.data_directory / "gradient.conf";
        std::error_code ignored;
        if (with_file || app.count("--config") > 0 ||
            !std::filesystem::is_regular_file(file, ignored))
            return settings;
        arguments.insert(arguments.end(), {"--config", file.string()});
    }
}

std::string program_version(const std::string& program) {
    return program + " " + GRADIENT_VERSION;
}

}  // namespace gradient::node
