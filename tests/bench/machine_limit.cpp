#include "tests/bench/machine_limit.hpp"

#include <algorithm>
#include <ctime>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gradient::bench {

double thread_seconds() noexcept {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

#if defined(__x86_64__)
namespace {

constexpr int kLoops = 1 << 18;
constexpr int kChains = 12;  // enough to hide a latency of 4 cycles on 2 units

// Twelve independent chains of one instruction, each in a register of its own (an array would be
// kept in memory); the empty asm keeps the compiler from merging or dropping them.
// clang-format off
#define GRADIENT_LIMIT_LOOP(name, isa, Register, zero, operation)                               \
    __attribute__((target(isa))) void name() {                                                  \
        Register s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero,   \
                 s7 = zero, s8 = zero, s9 = zero, s10 = zero, s11 = zero, a = zero, b = zero;   \
        asm volatile("" : "+v"(a), "+v"(b));                                                    \
        for (int i = 0; i < kLoops; ++i) {                                                      \
            s0 = operation(s0); s1 = operation(s1); s2 = operation(s2); s3 = operation(s3);     \
            s4 = operation(s4); s5 = operation(s5); s6 = operation(s6); s7 = operation(s7);     \
            s8 = operation(s8); s9 = operation(s9); s10 = operation(s10); s11 = operation(s11); \
            asm volatile("" : "+v"(s0), "+v"(s1), "+v"(s2), "+v"(s3), "+v"(s4), "+v"(s5),       \
                              "+v"(s6), "+v"(s7), "+v"(s8), "+v"(s9), "+v"(s10), "+v"(s11));    \
        }                                                                                       \
    }
// clang-format on

#define GRADIENT_DPWSSD_512(s) _mm512_dpwssd_epi32(s, a, b)
#define GRADIENT_FMA_512_F32(s) _mm512_fmadd_ps(a, b, s)
#define GRADIENT_FMA_512_F64(s) _mm512_fmadd_pd(a, b, s)
// The product is taken of a register that changes, so that it can not be moved out of the loop.
#define GRADIENT_MADD_256(s) _mm256_add_epi32(a, _mm256_madd_epi16(s, b))
#define GRADIENT_FMA_256_F32(s) _mm256_fmadd_ps(a, b, s)
#define GRADIENT_FMA_256_F64(s) _mm256_fmadd_pd(a, b, s)

GRADIENT_LIMIT_LOOP(loop_dpwssd_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
                    GRADIENT_DPWSSD_512)
GRADIENT_LIMIT_LOOP(loop_fma_512_f32, "avx512f", __m512, _mm512_setzero_ps(), GRADIENT_FMA_512_F32)
GRADIENT_LIMIT_LOOP(loop_fma_512_f64, "avx512f", __m512d, _mm512_setzero_pd(), GRADIENT_FMA_512_F64)
GRADIENT_LIMIT_LOOP(loop_madd_256, "avx2", __m256i, _mm256_setzero_si256(), GRADIENT_MADD_256)
GRADIENT_LIMIT_LOOP(loop_fma_256_f32, "avx,fma", __m256, _mm256_setzero_ps(), GRADIENT_FMA_256_F32)
GRADIENT_LIMIT_LOOP(loop_fma_256_f64, "avx,fma", __m256d, _mm256_setzero_pd(), GRADIENT_FMA_256_F64)

MachineLimit measure(const char* instruction, void (*loop)(), int operations) {
    double best = 1e9;
    for (int repeat = 0; repeat < 20; ++repeat) {
        const double begin = thread_seconds();
        loop();
        best = std::min(best, thread_seconds() - begin);
    }
    return {instruction, 1e-9 * kLoops * kChains * operations / best};
}

}  // namespace

std::vector<MachineLimit> machine_limits() {
    std::vector<MachineLimit> limits;
    const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
    if (avx512 && __builtin_cpu_supports("avx512vnni") != 0)
        limits.push_back(measure("vpdpwssd 512", loop_dpwssd_512, 64));
    if (__builtin_cpu_supports("avx2") != 0)
        limits.push_back(measure("vpmaddwd+vpaddd 256", loop_madd_256, 32));
    if (avx512) {
        limits.push_back(measure("fma f32 512", loop_fma_512_f32, 32));
        limits.push_back(measure("fma f64 512", loop_fma_512_f64, 16));
    }
    if (__builtin_cpu_supports("fma") != 0) {
        limits.push_back(measure("fma f32 256", loop_fma_256_f32, 16));
        limits.push_back(measure("fma f64 256", loop_fma_256_f64, 8));
    }
    return limits;
}

#else
std::vector<MachineLimit> machine_limits() {
    return {};
}
#endif

}  // namespace gradient::bench
