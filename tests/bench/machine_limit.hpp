#pragma once

#include <string>
#include <vector>

namespace gradient::bench {

/// Seconds of processor time of this thread: what the benchmarks here are timed with, so that
/// other programs on the machine disturb little.
double thread_seconds() noexcept;

/// What one core's multiply-add units reach in a loop of independent register operations.
struct MachineLimit {
    std::string instruction;
    double gops;  ///< 10^9 operations a second, a multiply-add being two
};

/// Measures each instruction that this processor has, about 50 ms each.
std::vector<MachineLimit> machine_limits();

}  // namespace gradient::bench
