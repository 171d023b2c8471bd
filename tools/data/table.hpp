#pragma once

#include "chain/base/result.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace gradient::data {

/// A matrix of finite numbers, row-major.
struct Table {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::vector<double> values;

    friend bool operator==(const Table&, const Table&) = default;
};

/// Most entries of a table: what four matrices of the largest data set have together.
inline constexpr std::size_t kMaxEntries = std::size_t{8} * 1024 * 1024;

/// A value, or why there is none: one sentence that lacks the file's name and the full stop. Rows
/// and columns in it are counted from 1.
template <class T>
using OrSentence = chain::Result<T, std::string>;

}  // namespace gradient::data
