#pragma once

#include "chain/base/bytes.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// The units that a segment opens beside its hits and its last one, ascending. With L the unit of
/// the last hit, min(count, L - hits) of the units 1..L that are no hits are drawn from s_L without
/// replacement: with the candidates in ascending order and n of them left, draw i = 0, 1, .. takes
/// number H("gradient/guard", s_L, i as 32 bits) mod n and removes it. `hits` ascends; `units` is L
/// and `last_digest` s_L.
[[nodiscard]] std::vector<std::uint32_t> draw_guards(const Hash256& last_digest,
                                                     std::uint32_t units,
                                                     std::span<const std::uint32_t> hits,
                                                     std::uint32_t count);

}  // namespace gradient::chain
