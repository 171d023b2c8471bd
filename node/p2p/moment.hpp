#pragma once

#include <chrono>
#include <cstdint>

namespace gradient::node {

/// Seconds since 1970.
using UnixSeconds = std::uint64_t;

/// What time it is: for what this run measures, and for what it keeps beyond its end.
struct Moment {
    std::chrono::steady_clock::time_point steady;
    UnixSeconds unix_s = 0;
};

}  // namespace gradient::node
