#pragma once

#include "chain/network.hpp"
#include "node/network/light_client.hpp"
#include "node/setup/settings.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradient::node {

/// One run of a light client, from nothing to its end.
struct LightRun {
    std::shared_ptr<const chain::Network> network;
    std::vector<std::string> peers;                 ///< HOST:PORT
    std::optional<std::filesystem::path> snapshot;  ///< where to fetch one to, if wanted
    LightClient::Progress progress;
    std::string engine = "best";
    unsigned threads = 0;  ///< 0: one a processor
};

struct LightResult {
    std::vector<JudgedPeer> peers;  ///< believed ones first, by proven work
    std::optional<LightClient::Fetched> snapshot;
};

/// Judges what the peers claim, and fetches a snapshot that the best believed chain commits to.
/// Blocks until done. Throws Failure(usage) for an address that is none.
[[nodiscard]] LightResult run_light(const LightRun& run);

/// Makes a chain in the directory `database` from a snapshot that peers serve: those of the
/// settings. Does nothing if there is a chain already. Throws Failure(network) if none is to be
/// had that a believed chain commits to.
void start_from_snapshot(const std::shared_ptr<const chain::Network>& network,
                         const Settings& settings, const std::filesystem::path& database);

}  // namespace gradient::node
