#include "model/numerics/kernels.hpp"

#include <immintrin.h>
#include <type_traits>

namespace gradient::model {
namespace {

/// Sixteen 32-bit accumulators of AVX-512 with VNNI.
struct Lane {
    using Register = __m512i;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kTileLanes = 4;

    static Register zero() noexcept { return _mm512_setzero_si512(); }
    static Register load(const std::int32_t* from) noexcept { return _mm512_loadu_si512(from); }
    static void store(std::int32_t* to, Register value) noexcept { _mm512_storeu_si512(to, value); }
    static Register broadcast(std::int32_t word) noexcept { return _mm512_set1_epi32(word); }
    static Register multiply_add(Register acc, Register a, Register b) noexcept {
        // g++ 12 copies the accumulator round the intrinsic, which costs a tenth of a small product.
        asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
        return acc;
    }
    static Register max_magnitude(Register largest, Register value) noexcept {
        return _mm512_max_epu32(largest, _mm512_abs_epi32(value));
    }
    static std::uint32_t reduce_max(Register value) noexcept {
        return _mm512_reduce_max_epu32(value);
    }
    /// out[j] = (even[j], odd[j]) for 16 columns.
    static void interleave_16(const std::int16_t* even, const std::int16_t* odd,
                              std::int32_t* out) noexcept {
        const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(even));
        const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(odd));
        const __m256i first = _mm256_unpacklo_epi16(low, high);
        const __m256i second = _mm256_unpackhi_epi16(low, high);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                            _mm256_permute2x128_si256(first, second, 0x20));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8),
                            _mm256_permute2x128_si256(first, second, 0x31));
    }
    static void transpose_16_by_8(const std::int16_t* in, std::size_t stride, std::int32_t* out,
                                  std::size_t out_stride) noexcept {
        for (std::size_t i = 0; i < 16; i += 8) {
            __m256i r[8];
            for (std::size_t j = 0; j < 8; ++j)
                r[j] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + (i + j) * stride));
            __m256i pairs[8];
            for (std::size_t j = 0; j < 8; j += 2) {
                pairs[j] = _mm256_unpacklo_epi32(r[j], r[j + 1]);
                pairs[j + 1] = _mm256_unpackhi_epi32(r[j], r[j + 1]);
            }
            __m256i quads[8];
            for (std::size_t j = 0; j < 8; j += 4) {
                quads[j] = _mm256_unpacklo_epi64(pairs[j], pairs[j + 2]);
                quads[j + 1] = _mm256_unpackhi_epi64(pairs[j], pairs[j + 2]);
                quads[j + 2] = _mm256_unpacklo_epi64(pairs[j + 1], pairs[j + 3]);
                quads[j + 3] = _mm256_unpackhi_epi64(pairs[j + 1], pairs[j + 3]);
            }
            for (std::size_t j = 0; j < 4; ++j) {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + j * out_stride + i),
                                    _mm256_permute2x128_si256(quads[j], quads[j + 4], 0x20));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (j + 4) * out_stride + i),
                                    _mm256_permute2x128_si256(quads[j], quads[j + 4], 0x31));
            }
        }
    }
};

#include "model/numerics/loops.inl"
#include "model/numerics/product.inl"

}  // namespace

const Kernels& avx512_vnni_kernels() noexcept {
    static constexpr Kernels kTable{multiply,         pack_rows,      round_values,
                                    jitter_values,    softmax_rows,   residual_values,
                                    sum_of_squares,   score_shift_of, softmax_backward_rows,
                                    round_score_rows, update_values,  displacement_of};
    return kTable;
}

}  // namespace gradient::model
