#pragma once

#include "chain/base/bytes.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// The units that a segment opens beside its hits, ascending: min(count, K - hits) of them, drawn
/// from s_K without replacement among the units 1..K that are no hits. With the candidates in
/// ascending order and n of them left, draw i = 0, 1, .. takes number
/// H("gradient/guard", s_K, i as 32 bits) mod n and removes it. `hits` ascends.
[[nodiscard]] std::vector<std::uint32_t> draw_guards(const Hash256& last_digest,
                                                     std::uint32_t units,
                                                     std::span<const std::uint32_t> hits,
                                                     std::uint32_t count);

}  // namespace gradient::chain
