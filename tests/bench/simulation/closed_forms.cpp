#include "tests/bench/simulation/closed_forms.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/work/targets.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gradient::simulation {

namespace {

double part_of_all(const chain::U256& target) {
    double value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value += static_cast<double>(target.limbs()[i]) *
                 std::pow(2.0, 64.0 * static_cast<double>(i) - 256);
    }
    return value;
}

}  // namespace

LaneOdds lane_odds(const chain::Network& network, double part) {
    const chain::ConsensusParams& params = network.params();
    const auto target = chain::target_of(params.anchor.bits, params);
    CHECK(target);
    const auto targets = chain::targets_for(*target, network.task->unit_work, params.work);
    LaneOdds odds;
    odds.win = part_of_all(targets.win);
    odds.hit = part_of_all(targets.hit);
    odds.ending = 1 - std::pow(1 - odds.win, 1 / part);
    return odds;
}

// shortfall[l] at unit k: expected (full - L)+ of a lane whose last hit so far was unit l <= k.
// From unit `full` on it is full - l unless another hit comes before the block ends.
double full_pay_factor(const LaneOdds& odds, std::uint32_t full) {
    const double p = odds.hit;
    const double e = odds.ending;
    const double never = e / (e + p - e * p);  // no other hit before the end
    std::vector<double> shortfall(full + 1);
    for (std::uint32_t l = 0; l <= full; ++l) shortfall[l] = never * (full - l);
    double lost = 0;
    double reached = std::pow(1 - e, full - 1);
    for (std::uint32_t k = full - 1; k >= 1; --k) {
        // Back from unit k + 1 to unit k: the block ends after unit k, or unit k + 1 is run.
        for (std::uint32_t l = 1; l <= k; ++l) {
            const double hit_next = k + 1 < full ? shortfall[k + 1] : 0;
            shortfall[l] = e * (full - l) + (1 - e) * (p * hit_next + (1 - p) * shortfall[l]);
        }
        reached /= 1 - e;
        lost += reached * p * shortfall[k] / full;
    }
    const double hits = p / e;
    return 1 - lost / hits;
}

double restart_factor(const LaneOdds& odds, std::uint32_t full) {
    const double stop = 1 - (1 - odds.hit) * (1 - odds.ending);
    return (1 - std::pow(1 - stop, full)) / (stop * full);
}

double entered_part(const LaneOdds& odds) {
    const double none = odds.ending / (odds.ending + odds.hit);
    return 1 - none * none;
}

UnitPay unit_pay(const chain::Network& network, const LaneOdds& odds) {
    const chain::ConsensusParams& params = network.params();
    UnitPay pay;
    const auto coins = [](chain::Amount amount) {
        return static_cast<double>(amount.units()) / static_cast<double>(chain::kCoin);
    };
    pay.hits = odds.win * coins(params.hit_reward) * full_pay_factor(odds, params.full_pay_units);
    pay.blocks = odds.win * coins(params.block_reward);
    // An honest block includes what the others earn in a round.
    const double others = 1 - odds.win / odds.ending;
    pay.cuts = odds.win * coins(params.hit_reward) * others / params.cut_divisor;
    return pay;
}

}  // namespace gradient::simulation
