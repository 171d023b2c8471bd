#pragma once

#include "model/numerics/assumptions.hpp"

#include <cstddef>
#include <cstdint>

/// The exact arithmetic behind one small table of functions, so that an engine (a vector
/// instruction set today, another device later) is one more table. Every table gives the same bits.
namespace gradient::model {

/// Which operand of a product is transposed.
enum class Form : std::uint8_t {
    ab,   ///< C = A B,   A (m, k), B (k, n)
    abt,  ///< C = A B^T, A (m, k), B (n, k)
    atb,  ///< C = A^T B, A (k, m), B (k, n)
};

/// What is known to be zero or not needed, so that an engine may skip it.
enum class Mask : std::uint8_t {
    none,
    lower_result,  ///< entries of C right of the diagonal are not needed (left unspecified)
    lower_a,       ///< A is zero right of its diagonal (as stored, before transposition)
};

/// One product of 16-bit mantissas with 32-bit accumulators, all row-major and contiguous.
/// m, n and k are multiples of 16; k <= 512.
struct ProductShape {
    Form form;
    Mask mask;
    std::size_t m, n, k;
    /// B is what `pack_rows` made of it (Form::ab only): worth it where one B serves many products.
    bool packed_b = false;
};

/// Bytes of work space a product may use: two packed operands of 512 x 256 mantissas.
inline constexpr std::size_t kPackBytes = std::size_t{2} * 512 * 256 * 2;

/// Learning step of one parameter matrix (SPEC.md section 4, step 12).
struct UpdateRule {
    std::int32_t mantissa;  ///< 1..255
    int shift;              ///< w of the specification
};

struct Kernels {
    /// Product; returns max |C| (0 for Mask::lower_result).
    std::uint32_t (*multiply)(const ProductShape& shape, const std::int16_t* a,
                              const std::int16_t* b, std::int32_t* c, std::byte* pack) noexcept;

    /// B (k, n) in the engine's own order for ProductShape::packed_b; as many mantissas as B has.
    void (*pack_rows)(const std::int16_t* b, std::size_t k, std::size_t n,
                      std::int16_t* out) noexcept;

    /// out = round_shift(acc, shift, 2 noise - 255), or with zero noise where `noise` is null.
    void (*round)(const std::int32_t* acc, const std::uint8_t* noise, std::int16_t* out,
                  std::size_t count, int shift) noexcept;

    /// out = clamp(base + (((2 noise - 255) * amplitude + 128) >> 8), -2047, 2047).
    void (*jitter)(const std::int16_t* base, const std::uint8_t* noise, std::int16_t* out,
                   std::size_t count, std::int32_t amplitude) noexcept;

    /// Softmax of an (n, n) score matrix into 12-bit mantissas; `k` is the k of step 3.
    void (*softmax)(const std::int32_t* scores, const std::uint8_t* noise, std::int16_t* f,
                    std::size_t n, bool causal, int k) noexcept;

    /// acc -= target << shift; returns max |acc|.
    std::uint32_t (*residual)(std::int32_t* acc, const std::int16_t* target, std::size_t count,
                              int shift) noexcept;

    /// Sum of squares.
    std::int64_t (*squares)(const std::int16_t* values, std::size_t count) noexcept;

    /// Step 7: the smallest k >= 0 with every unmasked |q| <= 131071 * 2^k.
    int (*score_shift)(const std::int32_t* q, std::size_t n, bool causal) noexcept;

    /// Step 8: P = F (Qs - d) in place of q; masked entries become 0. Returns max |P|.
    std::uint32_t (*softmax_backward)(std::int32_t* q, const std::int16_t* f, std::size_t n,
                                      bool causal, int k) noexcept;

    /// As `round` on an (n, n) matrix, masked entries exactly zero.
    void (*round_scores)(const std::int32_t* acc, const std::uint8_t* noise, std::int16_t* out,
                         std::size_t n, bool causal, int shift) noexcept;

    /// x = clamp(x - rule(g)).
    void (*update)(std::int32_t* x, const std::int32_t* g, std::size_t count,
                   UpdateRule rule) noexcept;

    /// Sum of (|after - before| >> 6)^2, modulo 2^64.
    std::uint64_t (*displacement)(const std::int32_t* before, const std::int32_t* after,
                                  std::size_t count) noexcept;
};

/// Tables by instruction set. Calling one that the processor lacks is undefined.
const Kernels& sse2_kernels() noexcept;
const Kernels& avx2_kernels() noexcept;
const Kernels& avx512_kernels() noexcept;
const Kernels& avx512_vnni_kernels() noexcept;
/// Products by Eigen in binary64 (portable, and the oracle), loops without vector instructions
/// beyond the platform's baseline.
const Kernels& eigen_kernels() noexcept;

/// Largest magnitude of a parameter: 2045 weight units of 2^16 grid steps.
inline constexpr std::int32_t kParameterLimit = 2045 << 16;

/// The smallest s >= 0 with largest <= 2045 * 2^s (SPEC.md section 1.2).
constexpr int scale_shift(std::uint32_t largest) noexcept {
    int s = 0;
    while (largest > (std::uint64_t{2045} << s)) ++s;
    return s;
}

}  // namespace gradient::model
