#include "node/mining/lane_choice.hpp"

#include "chain/types/limits.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

namespace gradient::node {

namespace {

// The part of full pay that hits get whose lane's last one is unit L.
double pay_factor(std::uint32_t last_hit, const chain::BlockTemplate& work) {
    const std::uint32_t full = work.parent->network().params().full_pay_units;
    return static_cast<double>(std::min(last_hit, full)) / full;
}

}  // namespace

double gain_of_listing(const chain::BlockTemplate& work, const chain::BlockTemplate& next) {
    constexpr double kLossByLateness = 1.0 / (chain::kMaxLateness + 1);
    const double cut = 1.0 / next.parent->network().params().cut_divisor;
    const std::set<chain::Hash256> listed(work.listed.begin(), work.listed.end());
    double gain = 0;
    for (const chain::VerifiedShare& share : next.contents->shares) {
        const chain::SegmentOutcome& outcome = share.outcome;
        if (listed.contains(outcome.id)) continue;
        const double own = outcome.miner == next.tmpl.miner ? kLossByLateness : 0;
        gain += outcome.hits * pay_factor(outcome.paid_units, next) * (cut + own);
    }
    return gain;
}

bool pays_to_stay(const chain::Lane& lane, const chain::BlockTemplate& work,
                  const chain::BlockTemplate& next, double units_per_block) {
    if (lane.last_hit() == 0) return false;
    const double loss =
        static_cast<double>(lane.hits().size()) * (1 - pay_factor(lane.last_hit(), work));
    const double win = std::ldexp(next.targets.win.to_double(), -256);
    return loss > std::min(1.0, win * units_per_block) * gain_of_listing(work, next);
}

}  // namespace gradient::node
