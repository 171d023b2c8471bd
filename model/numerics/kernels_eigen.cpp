#include "model/numerics/kernels.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <memory>
#include <type_traits>

namespace gradient::model {
namespace {

#include "model/numerics/loops.inl"

template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Operands and result of one product in binary64.
struct Space {
    static constexpr size_t kOperand = size_t{512} * 256;
    alignas(64) double a[kOperand];
    alignas(64) double b[kOperand];
    alignas(64) double c[kOperand];
};

/// The operand in binary64, (rows, columns), in `to`.
Eigen::Map<Matrix<double>> widen(const int16_t* from, double* to, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows * columns; ++i) to[i] = from[i];
    return {to, static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)};
}

/// Every partial sum is an integer below 2^31 (SPEC.md section 1), so binary64 is exact in any
/// order of summation, fused or not.
uint32_t multiply(const ProductShape& shape, const int16_t* a, const int16_t* b, int32_t* c,
                  std::byte* /*pack*/) noexcept {
    thread_local const auto space = std::make_unique<Space>();
    const auto [form, mask, m, n, k, is_packed] = shape;
    const auto left = form == Form::atb ? widen(a, space->a, k, m) : widen(a, space->a, m, k);
    const auto right = form == Form::abt ? widen(b, space->b, n, k) : widen(b, space->b, k, n);
    Eigen::Map<Matrix<double>> result(space->c, static_cast<Eigen::Index>(m),
                                      static_cast<Eigen::Index>(n));
    switch (form) {
        case Form::ab:
            result.noalias() = left * right;
            break;
        case Form::abt:
            result.noalias() = left * right.transpose();
            break;
        case Form::atb:
            result.noalias() = left.transpose() * right;
            break;
    }
    const double* from = space->c;
    const size_t count = m * n;
    int32_t high = 0;
    int32_t low = 0;
    for (size_t i = 0; i < count; ++i) {
        const auto value = static_cast<int32_t>(from[i]);
        c[i] = value;
        high = high > value ? high : value;
        low = low < value ? low : value;
    }
    return mask == Mask::lower_result ? 0 : static_cast<uint32_t>(high > -low ? high : -low);
}

/// Eigen needs no order of its own.
void pack_rows(const int16_t* b, size_t k, size_t n, int16_t* out) noexcept {
    std::copy_n(b, k * n, out);
}

#include "model/numerics/table.inl"

}  // namespace

const Kernels& eigen_kernels() noexcept {
    return kTable;
}

}  // namespace gradient::model
