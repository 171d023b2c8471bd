#pragma once

#include "node/setup/settings.hpp"

namespace gradient::node {

/// Runs a node until a signal (SIGINT, SIGTERM), the RPC method `stop` or a failure of the store
/// ends it. Throws Failure for what keeps it from starting and for what ends it against its user's
/// will.
void run_node(const Settings& settings);

}  // namespace gradient::node
