#pragma once

// NumPy's .npy, as numpy.lib.format describes it:
//
//   file    "\x93NUMPY", major u8, minor u8, length u16 (version 1) or u32 (version 2), header,
//   data header  a Python dict literal with the keys descr, fortran_order, shape; `length`
//   characters
//
// Versions 1.0 and 2.0, one or two dimensions, little-endian f4, f8, i1, i2, i4, i8, u1.

#include "tools/data/table.hpp"

#include <string>
#include <string_view>

namespace gradient::data {

/// Whether the bytes are meant as .npy.
[[nodiscard]] bool is_npy(std::string_view bytes) noexcept;

/// Reads a whole .npy file; an array of one dimension becomes one column. Refuses NaN and
/// infinities with their place, other versions, types and dimensions, and data of another size than
/// the shape needs.
[[nodiscard]] OrSentence<Table> read_npy(std::string_view bytes);

/// A table as .npy, version 1.0, type <f8, C order.
[[nodiscard]] std::string write_npy(const Table& table);

}  // namespace gradient::data
