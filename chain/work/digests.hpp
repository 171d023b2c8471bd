#pragma once

// The hashes of the work chain (chain/SPEC.md section 6). Integers are little-endian, k has 32
// bits.
//
//   root(theta) = H("gradient/model", theta as 32-bit integers)
//   H(G)        = H("gradient/gradient", the unit's gradient fold)
//   c_0         = H("gradient/state", root(theta_0), loss 0 (8 bytes), 32 zero bytes)
//   s_0         = H("gradient/lane", T, c_0)
//   seed of k   = H("gradient/batch", T, k, s_{k-1})
//   c_k         = H("gradient/state", root(theta_k), loss_k (8 bytes), H(G_k))
//   s_k         = H("gradient/unit", T, k, s_{k-1}, c_k)
//   ticket of k = H("gradient/ticket", s_k), read as a big-endian number

#include "chain/base/bytes.hpp"
#include "chain/base/u256.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// root(theta).
[[nodiscard]] Hash256 model_digest(std::span<const std::int32_t> parameters) noexcept;

/// H(G) of a unit's gradient fold.
[[nodiscard]] Hash256 gradient_digest(ByteSpan fold) noexcept;

/// c_k. `loss` and `gradient` are zero for k = 0.
[[nodiscard]] Hash256 state_digest(const Hash256& model_digest, std::int64_t loss,
                                   const Hash256& gradient) noexcept;

/// c_0.
[[nodiscard]] Hash256 start_digest(const Hash256& model_digest) noexcept;

/// s_0.
[[nodiscard]] Hash256 lane_digest(const Hash256& template_hash,
                                  const Hash256& start_digest) noexcept;

/// The seed of unit k >= 1, given s_{k-1}.
[[nodiscard]] Hash256 unit_seed(const Hash256& template_hash, std::uint32_t unit,
                                const Hash256& previous) noexcept;

/// s_k, given s_{k-1} and c_k.
[[nodiscard]] Hash256 unit_digest(const Hash256& template_hash, std::uint32_t unit,
                                  const Hash256& previous, const Hash256& state) noexcept;

/// The ticket of the unit with digest s_k.
[[nodiscard]] U256 ticket_of(const Hash256& unit_digest) noexcept;

/// s_0 .. s_K of a lane, given c_0 and c_1 .. c_K.
[[nodiscard]] std::vector<Hash256> lane_digests(const Hash256& template_hash,
                                                const Hash256& start_digest,
                                                std::span<const Hash256> states);

}  // namespace gradient::chain
