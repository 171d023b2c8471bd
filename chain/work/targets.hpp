#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/u256.hpp"
#include "chain/work/work_params.hpp"

#include <cstdint>

namespace gradient::chain {

/// What a unit's ticket is worth. Every win is a hit.
enum class TicketClass : std::uint8_t { none, hit, win };

/// The targets that a lane's tickets are compared with.
struct Targets {
    U256 win;
    U256 hit;  ///< never below win

    friend bool operator==(const Targets&, const Targets&) = default;

    /// The class of the ticket of the unit with digest s_k.
    [[nodiscard]] TicketClass classify(const Hash256& unit_digest) const noexcept;
};

/// Targets for units of `unit_work` reference FLOPs under a block target for one FLOP:
/// win = min(block_target * unit_work, 2^256 - 1), so that the probability of a win is in
/// proportion to the work; hit = max(win, min(hits_per_win * win, floor((2^256 - 1) /
/// units_per_hit))).
[[nodiscard]] Targets targets_for(const U256& block_target, std::uint64_t unit_work,
                                  const WorkParams& params) noexcept;

}  // namespace gradient::chain
