#include "model/numerics/kernels.hpp"

#include <immintrin.h>

#include <type_traits>

namespace gradient::model {
namespace {

#include "model/numerics/lane_512.inl"

/// Sixteen 32-bit accumulators of AVX-512.
struct Lane : Lane512 {
    static Register multiply_add(Register acc, Register a, Register b) noexcept {
        return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b));
    }
};

#include "model/numerics/loops.inl"
#include "model/numerics/product.inl"
#include "model/numerics/table.inl"

}  // namespace

const Kernels& avx512_kernels() noexcept {
    return kTable;
}

}  // namespace gradient::model
