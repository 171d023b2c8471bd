#pragma once

// What chain/SPEC.md section 23 says that a miner earns, as numbers beside which to hold a
// simulation.

#include "chain/network.hpp"

#include <cstdint>

namespace gradient::simulation {

/// A lane's chances at each of its units.
struct LaneOdds {
    double win = 0;     ///< that the unit wins a block
    double hit = 0;     ///< that it is a hit
    double ending = 0;  ///< that the block ends, by this lane's unit or another's meanwhile
};

/// Of a lane with `part` of all units a second.
[[nodiscard]] LaneOdds lane_odds(const chain::Network& network, double part);

/// Pay of a hit on average, as a part of the full pay of a hit, for a lane that runs until the
/// block ends: E[h min(L, full)] / (E[h] full).
[[nodiscard]] double full_pay_factor(const LaneOdds& odds, std::uint32_t full);

/// The same for a miner who hands its lane in at the first hit and starts another.
[[nodiscard]] double restart_factor(const LaneOdds& odds, std::uint32_t full);

/// Part of a lane's units that end in a segment: all but those of rounds without a hit.
[[nodiscard]] double entered_part(const LaneOdds& odds);

/// Coins that an honest miner earns for a unit on average: its hits, its blocks, and what its
/// blocks earn by including the others' shares. `shared` is the part of all hits that are shares.
struct UnitPay {
    double hits = 0;
    double blocks = 0;
    double cuts = 0;
    [[nodiscard]] double sum() const noexcept { return hits + blocks + cuts; }
};
[[nodiscard]] UnitPay unit_pay(const chain::Network& network, const LaneOdds& odds);

}  // namespace gradient::simulation
