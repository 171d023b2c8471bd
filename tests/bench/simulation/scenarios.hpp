#pragma once

#include "tests/bench/simulation/report.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gradient::simulation {

struct ScenarioOptions {
    std::vector<std::uint32_t> lanes{2, 5, 20};  ///< sizes of the honest networks
    std::uint64_t blocks = 500;
    std::uint64_t seed = 1;
};

/// Miners of unequal speed who keep to the rules: pay in proportion, useful fraction, conservation
/// of coins, schedule, held-out loss beside one sequential lane.
void run_honest(Report& report, const ScenarioOptions& options);

/// (a) leaving others' shares out, (b) holding own shares back, (c) listing own shares only,
/// (d) short lanes, (e) branched lanes.
void run_listing(Report& report, const ScenarioOptions& options);
void run_lanes(Report& report, const ScenarioOptions& options);

/// (f) invented units between hits, (g) invented tails.
void run_invented(Report& report, const ScenarioOptions& options);

/// (h) lies about the model: jumps, reversed and scaled deltas.
void run_liars(Report& report, const ScenarioOptions& options);

}  // namespace gradient::simulation
