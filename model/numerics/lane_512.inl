// Sixteen 32-bit accumulators of AVX-512, all but the multiply-add. Included like packing_256.inl.

#include "model/numerics/packing_256.inl"

struct Lane512 : Packing256 {
    using Register = __m512i;
    static constexpr std::size_t kWidth = 16;
    static constexpr std::size_t kTileLanes = 4;

    static Register zero() noexcept { return _mm512_setzero_si512(); }
    static Register load(const std::int32_t* from) noexcept { return _mm512_loadu_si512(from); }
    static void store(std::int32_t* to, Register value) noexcept { _mm512_storeu_si512(to, value); }
    static Register broadcast(std::int32_t word) noexcept { return _mm512_set1_epi32(word); }
    static Register max_magnitude(Register largest, Register value) noexcept {
        return _mm512_max_epu32(largest, _mm512_abs_epi32(value));
    }
    static std::uint32_t reduce_max(Register value) noexcept {
        return _mm512_reduce_max_epu32(value);
    }
};
