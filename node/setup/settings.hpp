#pragma once

#include "node/setup/failure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gradient::node {

/// How a node meets others.
struct PeerSettings {
    static constexpr std::uint16_t kDefaultPort = 9421;

    std::string listen_address = "0.0.0.0";  ///< empty: takes no connections
    std::uint16_t port = kDefaultPort;       ///< 0: any free one, see the file peer_endpoint
    std::vector<std::string> fixed;          ///< HOST:PORT of peers that are always kept
    std::vector<std::string> seeds;          ///< HOST:PORT of nodes asked for addresses
    bool discover = true;                    ///< whether to dial addresses that peers tell
    std::size_t max_inbound = 64;            ///< connections that others open
    std::size_t max_outbound = 8;            ///< connections that this node opens, fixed ones apart
    std::uint64_t snapshot_interval = 100;   ///< blocks between served snapshots; 0: none
};

/// Who may ask a node, and how.
struct RpcSettings {
    static constexpr std::uint16_t kDefaultPort = 9420;

    std::string address = "127.0.0.1";
    std::uint16_t port = kDefaultPort;  ///< 0: any free one, see the file rpc_endpoint
    std::vector<std::string> users;     ///< NAME:PERMISSION:SALT$HASH, beside the cookie's holder
    std::optional<std::filesystem::path> tls_certificate;  ///< both or none
    std::optional<std::filesystem::path> tls_key;
    bool allow_plain = false;        ///< without TLS on an address that others can reach
    std::vector<std::string> hosts;  ///< names of this node beside localhost and IP addresses
};

/// Everything that a user may choose about a node; the chain's own parameters are in its chain
/// spec.
struct Settings {
    /// Lanes beyond this would not keep their state in memory caches of any machine we know.
    static constexpr unsigned kMaxLanes = 1024;
    static constexpr unsigned kMaxThreads = 1024;

    std::filesystem::path data_directory;
    std::optional<std::filesystem::path> chain_spec;  ///< needed for the first start only
    RpcSettings rpc;
    PeerSettings peers;
    bool from_snapshot = false;  ///< a new directory starts from a snapshot of a peer
    bool mine = true;
    unsigned lanes = 1;
    unsigned threads = 0;       ///< worker threads; 0: one a processor, at least lanes
    std::uint64_t prune = 0;    ///< last blocks to keep whole, at least prune_floor(); 0: all
    double audit = 0.1;         ///< of the others' segments, replayed in full; 0: none
    double audit_share = 0.02;  ///< of mining's time, for audits where lanes fill all threads
    std::string engine = "best";
    std::string log_level = "info";
    std::string log_format = "text";
};

/// The program has been asked to end before it began (--help, --version, a wrong option): what to
/// print and where.
struct EarlyExit {
    ExitCode code = ExitCode::ok;
    std::string text;
};

/// Settings from the command line, then DIR/gradient.conf (or --config FILE), then the defaults
/// above. Throws Failure only for what cannot be said before the file is read.
[[nodiscard]] std::variant<Settings, EarlyExit> parse_settings(int argc, const char* const* argv);

/// Name and version of the program, e.g. "gradientd 0.1.0".
[[nodiscard]] std::string program_version(const std::string& program);

}  // namespace gradient::node
