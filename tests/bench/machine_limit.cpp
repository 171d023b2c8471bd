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

// Twelve independent chains of one instruction, kept alive and apart by empty asm statements.
#define GRADIENT_LIMIT_LOOP(name, isa, Register, zero, operation)        \
    __attribute__((target(isa))) void name() {                           \
        Register sums[kChains], a = zero, b = zero;                      \
        for (auto& sum : sums) sum = zero;                               \
        asm volatile("" : "+v"(a), "+v"(b));                             \
        for (int i = 0; i < kLoops; ++i) {                               \
            _Pragma("GCC unroll 12") for (int c = 0; c < kChains; ++c) { \
                sums[c] = operation;                                     \
                asm volatile("" : "+v"(sums[c]));                        \
            }                                                            \
        }                                                                \
    }

GRADIENT_LIMIT_LOOP(loop_dpwssd_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(),
                    _mm512_dpwssd_epi32(sums[c], a, b))
GRADIENT_LIMIT_LOOP(loop_fma_512_f32, "avx512f", __m512, _mm512_setzero_ps(),
                    _mm512_fmadd_ps(a, b, sums[c]))
GRADIENT_LIMIT_LOOP(loop_fma_512_f64, "avx512f", __m512d, _mm512_setzero_pd(),
                    _mm512_fmadd_pd(a, b, sums[c]))
GRADIENT_LIMIT_LOOP(loop_madd_256, "avx2", __m256i, _mm256_setzero_si256(),
                    _mm256_add_epi32(sums[c], _mm256_madd_epi16(sums[c], b)))
GRADIENT_LIMIT_LOOP(loop_fma_256_f32, "avx,fma", __m256, _mm256_setzero_ps(),
                    _mm256_fmadd_ps(a, b, sums[c]))
GRADIENT_LIMIT_LOOP(loop_fma_256_f64, "avx,fma", __m256d, _mm256_setzero_pd(),
                    _mm256_fmadd_pd(a, b, sums[c]))
#undef GRADIENT_LIMIT_LOOP

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
