#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <span>

namespace gradient::chain {

/// What one unit leaves behind besides the new parameters.
struct UnitOutcome {
    std::int64_t loss = 0;  ///< loss_k, in units of 2^-32
    Hash256 gradient;       ///< H(G_k)
    Hash256 state;          ///< c_k
    Hash256 digest;         ///< s_k, whose hash is the ticket

    friend bool operator==(const UnitOutcome&, const UnitOutcome&) = default;
};

/// Runs unit k >= 1 of the lane with template hash T: turns theta_{k-1} into theta_k in place,
/// given s_{k-1}. Miner and verifier both come through here. Fails, changing nothing, only if the
/// solver core refuses the parameters.
[[nodiscard]] Result<UnitOutcome, model::TaskError> run_unit(model::Trainer& trainer,
                                                             const Hash256& template_hash,
                                                             std::uint32_t unit,
                                                             const Hash256& previous,
                                                             std::span<std::int32_t> parameters);

}  // namespace gradient::chain
