#include "model/numerics/kernels.hpp"

#include <immintrin.h>

#include <type_traits>

namespace gradient::model {
namespace {

#include "model/numerics/packing_256.inl"

/// Eight 32-bit accumulators of AVX2.
struct Lane : Packing256 {
    using Register = __m256i;
    static constexpr std::size_t kWidth = 8;
    static constexpr std::size_t kTileLanes = 2;

    static Register zero() noexcept { return _mm256_setzero_si256(); }
    static Register load(const std::int32_t* from) noexcept {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    }
    static void store(std::int32_t* to, Register value) noexcept {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
    }
    static Register broadcast(std::int32_t word) noexcept { return _mm256_set1_epi32(word); }
    static Register multiply_add(Register acc, Register a, Register b) noexcept {
        return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
    }
    static Register max_magnitude(Register largest, Register value) noexcept {
        return _mm256_max_epu32(largest, _mm256_abs_epi32(value));
    }
    static std::uint32_t reduce_max(Register value) noexcept {
        alignas(32) std::uint32_t words[8];
        _mm256_store_si256(reinterpret_cast<__m256i*>(words), value);
        std::uint32_t largest = 0;
        for (const std::uint32_t word : words) largest = largest > word ? largest : word;
        return largest;
    }
};

#include "model/numerics/loops.inl"
#include "model/numerics/product.inl"
#include "model/numerics/table.inl"

}  // namespace

const Kernels& avx2_kernels() noexcept {
    return kTable;
}

}  // namespace gradient::model
