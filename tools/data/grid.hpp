#pragma once

#include "tools/data/table.hpp"

#include <cstdint>
#include <vector>

namespace gradient::data {

/// The table's entries times `scale`, rounded to the nearest mantissa on the grid 2^-10 (ties to
/// even), row-major. Refuses, with the row and the column, an entry whose mantissa would be above
/// 2047 in magnitude. Precondition: the scale is positive and finite.
[[nodiscard]] OrSentence<std::vector<std::int16_t>> to_grid(const Table& table, double scale);

/// The largest power of two, at most 2^1000, with which to_grid refuses no entry; 1 for a table of
/// zeros.
[[nodiscard]] double fitting_scale(const Table& table);

}  // namespace gradient::data
