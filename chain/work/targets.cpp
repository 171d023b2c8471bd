#include "chain/work/targets.hpp"

#include "chain/work/digests.hpp"

#include <algorithm>

namespace gradient::chain {

TicketClass Targets::classify(const Hash256& unit_digest) const noexcept {
    const U256 ticket = ticket_of(unit_digest);
    if (ticket <= win) return TicketClass::win;
    return ticket <= hit ? TicketClass::hit : TicketClass::none;
}

Targets targets_for(const U256& block_target, std::uint64_t unit_work,
                    const WorkParams& params) noexcept {
    const U256 win = saturating_mul(block_target, unit_work);
    const U256 floor = divide(U256::max(), U256(params.units_per_hit)).quotient;
    const U256 eased = std::min(saturating_mul(win, params.hits_per_win), floor);
    return {win, std::max(win, eased)};
}

}  // namespace gradient::chain
