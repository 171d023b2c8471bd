#pragma once

#include <cstdint>

namespace gradient::node {

/// This machine's time: milliseconds since 1970.
[[nodiscard]] std::uint64_t now_ms();

}  // namespace gradient::node
