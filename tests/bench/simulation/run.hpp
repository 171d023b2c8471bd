#pragma once

#include "tests/bench/simulation/report.hpp"
#include "tests/support/coin_audit.hpp"
#include "tests/support/lane_network.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gradient::simulation {

/// What one owner, a key with one lane or several, has done and got.
struct OwnerFigures {
    double speed = 0;  ///< part of all units a second
    test::LaneCounters counters;
    double income = 0;     ///< coins, mature or not
    double influence = 0;  ///< displacement of settled models by its deltas, summed over rounds
    double influence_bound = 0;  ///< the most that clipping and weights would have allowed
    /// Coins that its hits and blocks bring who shares all at once from lanes of full length.
    double entitled = 0;

    [[nodiscard]] double income_per_unit() const noexcept {
        return income / static_cast<double>(counters.computed);
    }
    /// Income as a part of what its luck was worth: free of the noise of hits and wins.
    [[nodiscard]] double yield() const noexcept { return income / entitled; }
    [[nodiscard]] double influence_per_unit() const noexcept {
        return influence / static_cast<double>(counters.computed);
    }
};

/// Where the coins of a chain come from, in units; the lines add up to what is minted.
struct Emission {
    std::int64_t block_rewards = 0;
    std::int64_t hit_pot = 0;       ///< one hit reward a block: the schedule
    std::int64_t hit_noise = 0;     ///< hits found beside hits expected of so many blocks
    std::int64_t not_included = 0;  ///< hits found that no block includes (yet)
    std::int64_t short_lanes = 0;   ///< segments below the units of full pay
    std::int64_t lateness = 0;
    std::int64_t cuts = 0;  ///< paid on top to who includes shares

    [[nodiscard]] std::int64_t sum() const noexcept {
        return block_rewards + hit_pot + hit_noise + not_included + short_lanes + lateness + cuts;
    }
    /// What the rules mean to pay for the work that was done: every hit in full, and the cuts.
    [[nodiscard]] std::int64_t schedule_of_work() const noexcept {
        return block_rewards + hit_pot + hit_noise + cuts;
    }
};

struct RunFigures {
    std::uint64_t blocks = 0;
    std::uint64_t computed = 0;
    std::uint64_t included = 0;
    std::uint64_t entered = 0;   ///< units whose deltas entered the model, as the state counts them
    std::uint64_t claimed = 0;   ///< units of included segments
    std::uint64_t replayed = 0;  ///< units that verifying the blocks took
    std::uint64_t shares = 0;
    std::uint64_t late_shares = 0;
    std::uint64_t skipped = 0;  ///< settlements that the held-out rule refused
    std::size_t largest_block = 0;
    std::uint64_t block_bytes = 0;
    std::map<std::uint8_t, OwnerFigures> owners;  ///< by key
    test::CoinAudit coins;
    Emission emission;
    /// Units computed so far, and the model's loss on all held-out data, after each block.
    std::vector<std::pair<double, double>> curve;

    [[nodiscard]] double useful() const noexcept {
        return static_cast<double>(entered) / static_cast<double>(computed);
    }
    [[nodiscard]] double verification() const noexcept {
        return static_cast<double>(replayed) / static_cast<double>(claimed);
    }
    /// Mean loss over the last tenth of the curve.
    [[nodiscard]] double final_loss() const;
};

struct RunOptions {
    std::uint64_t blocks = 500;
    std::set<std::uint8_t> influence;  ///< keys whose influence is measured
    std::string label;                 ///< of the progress bar
    /// Stops before `blocks` if true after a block.
    std::function<bool(const RunFigures&)> enough;
};

/// Runs a network and gathers figures. The audit of coins is of the state at the end.
[[nodiscard]] RunFigures run_network(std::shared_ptr<const chain::Network> network,
                                     std::vector<test::SimulatedMiner> miners,
                                     const RunOptions& options);

/// Units after which a curve's running mean first is at most a loss; infinity if never.
[[nodiscard]] double units_to_reach(const std::vector<std::pair<double, double>>& curve,
                                    double loss);

}  // namespace gradient::simulation
