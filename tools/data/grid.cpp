#include "tools/data/grid.hpp"

#include "model/matrix/matrix_dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradient::data {

namespace {

constexpr double kOne = 1024;  // mantissas of 1.0
constexpr double kLargest = model::MatrixDataset::kMaxMantissa;

}  // namespace

OrSentence<std::vector<std::int16_t>> to_grid(const Table& table, double scale) {
    std::vector<std::int16_t> mantissas(table.values.size());
    for (std::size_t i = 0; i < mantissas.size(); ++i) {
        const double mantissa = std::nearbyint(table.values[i] * scale * kOne);
        if (!(std::abs(mantissa) <= kLargest)) {
            return chain::fail(fmt::format(
                "row {}, column {} is {:g}; with scale {:g} the largest magnitude is {:g}",
                i / table.columns + 1, i % table.columns + 1, table.values[i], scale,
                kLargest / kOne / scale));
        }
        mantissas[i] = static_cast<std::int16_t>(mantissa);
    }
    return mantissas;
}

double fitting_scale(const Table& table) {
    double largest = 0;
    for (const double value : table.values) largest = std::max(largest, std::abs(value));
    if (largest == 0) return 1;
    // largest * 2^s <= 2047/1024, so s = floor(log2(2047/1024 / largest)): ilogb is exact.
    constexpr int kMaxExponent = 1000;
    int exponent = std::min(-std::ilogb(largest), kMaxExponent);  // largest * 2^exponent in 1..2
    if (std::nearbyint(std::ldexp(largest, exponent) * kOne) > kLargest) --exponent;
    return std::ldexp(1.0, exponent);
}

}  // namespace gradient::data
