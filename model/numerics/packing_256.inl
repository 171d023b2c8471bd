// Packing of operands with 256-bit registers. Included inside an anonymous namespace by the kernels of
// AVX2 and AVX-512; see loops.inl for why nothing here has external linkage.

struct Packing256 {
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
