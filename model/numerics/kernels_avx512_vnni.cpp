#include "model/numerics/kernels.hpp"

#include <immintrin.h>

#include <type_traits>

namespace gradient::model {
namespace {

#include "model/numerics/lane_512.inl"

/// Sixteen 32-bit accumulators of AVX-512 with VNNI.
struct Lane : Lane512 {
    static Register multiply_add(Register acc, Register a, Register b) noexcept {
        // g++ 12 copies the accumulator round the intrinsic, which costs a tenth of a small
        // product.
        asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
        return acc;
    }
};

#include "model/numerics/loops.inl"
#include "model/numerics/product.inl"
#include "model/numerics/table.inl"

}  // namespace

const Kernels& avx512_vnni_kernels() noexcept {
    return kTable;
}

}  // namespace gradient::model
