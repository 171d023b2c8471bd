#pragma once

#include "chain/block_template.hpp"
#include "chain/work/lane.hpp"

namespace gradient::node {

/// Whether a lane of `work` earns more where it is than cut and begun anew on `next`, which has the
/// same parent and lists more shares. `units_per_block`: what a lane runs in a block interval.
///
/// A lane without a hit goes over for nothing: tickets have no memory, and what its later hits lack
/// for full pay is little beside the units of a block. One that is cut with h hits, the last in
/// unit L, has them paid for L of F units for good: a loss of h (1 - L / F) hits. Its gain comes
/// with its win alone: the cuts of the shares that only `next` lists, and the quarter that its own
/// among them would lose by coming late.
[[nodiscard]] bool pays_to_stay(const chain::Lane& lane, const chain::BlockTemplate& work,
                                const chain::BlockTemplate& next, double units_per_block);

/// What listing the shares that `next` lists and `work` does not is worth to the winner, in hits of
/// full pay; fees, which are small beside the cuts, left out.
[[nodiscard]] double gain_of_listing(const chain::BlockTemplate& work,
                                     const chain::BlockTemplate& next);

}  // namespace gradient::node
