#include "model/numerics/kernels.hpp"

#include <emmintrin.h>

#include <type_traits>

namespace gradient::model {
namespace {

/// Four 32-bit accumulators of SSE2.
struct Lane {
    using Register = __m128i;
    static constexpr std::size_t kWidth = 4;
    static constexpr std::size_t kTileLanes = 2;

    static Register zero() noexcept { return _mm_setzero_si128(); }
    static Register load(const std::int32_t* from) noexcept {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    }
    static void store(std::int32_t* to, Register value) noexcept {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
    }
    static Register broadcast(std::int32_t word) noexcept { return _mm_set1_epi32(word); }
    static Register multiply_add(Register acc, Register a, Register b) noexcept {
        return _mm_add_epi32(acc, _mm_madd_epi16(a, b));
    }
    static Register max_magnitude(Register largest, Register value) noexcept {
        const Register sign = _mm_srai_epi32(value, 31);
        const Register magnitude = _mm_sub_epi32(_mm_xor_si128(value, sign), sign);
        const Register greater = _mm_cmpgt_epi32(magnitude, largest);
        return _mm_or_si128(_mm_and_si128(greater, magnitude), _mm_andnot_si128(greater, largest));
    }
    static std::uint32_t reduce_max(Register value) noexcept {
        alignas(16) std::uint32_t words[4];
        _mm_store_si128(reinterpret_cast<__m128i*>(words), value);
        std::uint32_t largest = 0;
        for (const std::uint32_t word : words) largest = largest > word ? largest : word;
        return largest;
    }
    /// out[j] = (even[j], odd[j]) for 16 columns.
    static void interleave_16(const std::int16_t* even, const std::int16_t* odd,
                              std::int32_t* out) noexcept {
        for (std::size_t j = 0; j < 16; j += 8) {
            const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(even + j));
            const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(odd + j));
            store(out + j, _mm_unpacklo_epi16(low, high));
            store(out + j + 4, _mm_unpackhi_epi16(low, high));
        }
    }
    static void transpose_16_by_8(const std::int16_t* in, std::size_t stride, std::int32_t* out,
                                  std::size_t out_stride) noexcept {
        for (std::size_t i = 0; i < 16; i += 4)
            for (std::size_t k = 0; k < 8; k += 4) {
                const auto row = [&](std::size_t r) {
                    return _mm_loadu_si128(
                        reinterpret_cast<const __m128i*>(in + (i + r) * stride + 2 * k));
                };
                const __m128i r01l = _mm_unpacklo_epi32(row(0), row(1));
                const __m128i r23l = _mm_unpacklo_epi32(row(2), row(3));
                const __m128i r01h = _mm_unpackhi_epi32(row(0), row(1));
                const __m128i r23h = _mm_unpackhi_epi32(row(2), row(3));
                store(out + k * out_stride + i, _mm_unpacklo_epi64(r01l, r23l));
                store(out + (k + 1) * out_stride + i, _mm_unpackhi_epi64(r01l, r23l));
                store(out + (k + 2) * out_stride + i, _mm_unpacklo_epi64(r01h, r23h));
                store(out + (k + 3) * out_stride + i, _mm_unpackhi_epi64(r01h, r23h));
            }
    }
};

#include "model/numerics/loops.inl"
#include "model/numerics/product.inl"
#include "model/numerics/table.inl"

}  // namespace

const Kernels& sse2_kernels() noexcept {
    return kTable;
}

}  // namespace gradient::model
