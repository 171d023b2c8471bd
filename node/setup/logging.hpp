#pragma once

#include <string_view>

namespace gradient::node {

/// Sends spdlog to standard error with timestamps in UTC. Secrets (keys, cookies) are never logged
/// at any level. `level` is one of debug, info, warn, error.
void start_logging(std::string_view level);

}  // namespace gradient::node
