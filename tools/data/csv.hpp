#pragma once

// Numbers as comma-separated values, RFC 4180: records end with LF or CRLF (the last one may end
// with the file), a field may stand in double quotes, a quote inside is written twice. A first
// record without a single number is a header and skipped. The decimal point is a point.

#include "tools/data/table.hpp"

#include <string_view>

namespace gradient::data {

/// Reads a whole .csv file. Refuses, with the row and the column, whatever is not a finite number,
/// and rows of unequal length; the header does not count as a row.
[[nodiscard]] OrSentence<Table> read_csv(std::string_view text);

}  // namespace gradient::data
