#pragma once

#include <string_view>

namespace gradient::node {

/// Sends spdlog to standard error with timestamps in UTC. Secrets (keys, cookies) are never logged
/// at any level. `level` is one of debug, info, warn, error; `format` is text, or json for one
/// object a line with the members time, level and message.
void start_logging(std::string_view level, std::string_view format);

}  // namespace gradient::node
