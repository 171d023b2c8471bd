#pragma once

#include "node/rpc/access.hpp"
#include "node/rpc/http_server.hpp"
#include "node/setup/settings.hpp"

#include <vector>

namespace gradient::node {

/// Where the RPC listens by its settings. Throws Failure(usage) for an address that other machines
/// can reach, without TLS and without the word that this is meant.
[[nodiscard]] HttpPlace rpc_place(const RpcSettings& settings);

/// The users of the settings; throws Failure(usage).
[[nodiscard]] std::vector<RpcUser> rpc_users(const RpcSettings& settings);

}  // namespace gradient::node
