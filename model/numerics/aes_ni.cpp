#include "model/numerics/aes_rounds.hpp"

#include <cstring>

#if defined(__x86_64__)

#include <immintrin.h>

namespace gradient::model::aes {
namespace {

__m128i load(const std::uint8_t* from) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

void store(std::uint8_t* to, __m128i value) noexcept {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), value);
}

__m128i counter_block(const CounterRun& run, std::uint64_t number) noexcept {
    const auto high = (std::uint64_t{run.stream} << 32) | run.step;
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(number));
}

}  // namespace

void counter_aes_ni(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept {
    constexpr std::size_t kParallel = 8;
    __m128i keys[11];
    for (std::size_t i = 0; i < 11; ++i) keys[i] = load((*run.round_keys)[i].data());
    const __m128i whitening = _mm_xor_si128(load(run.mask.data()), keys[0]);
    for (std::size_t done = 0; done < blocks; done += kParallel) {
        __m128i state[kParallel];
        for (std::size_t i = 0; i < kParallel; ++i)
            state[i] = _mm_xor_si128(counter_block(run, run.first_block + done + i), whitening);
        for (std::size_t round = 1; round < 10; ++round)
            for (__m128i& block : state) block = _mm_aesenc_si128(block, keys[round]);
        for (__m128i& block : state) block = _mm_aesenclast_si128(block, keys[10]);
        for (std::size_t i = 0; i < kParallel && done + i < blocks; ++i)
            store(out + 16 * (done + i), state[i]);
    }
}

void fold_aes_ni(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept {
    const __m128i key = load(kFoldKey.data());
    for (std::size_t group = 0; group < 16; group += 8) {
        __m128i chains[8];
        for (std::size_t i = 0; i < 8; ++i) chains[i] = load(state + 16 * (group + i));
        for (std::size_t chunk = 0; chunk < chunks; ++chunk)
            for (std::size_t i = 0; i < 8; ++i) {
                const __m128i data = load(in + 256 * chunk + 16 * (group + i));
                chains[i] =
                    _mm_aesenc_si128(_mm_aesenc_si128(_mm_xor_si128(chains[i], data), key), key);
            }
        for (std::size_t i = 0; i < 8; ++i) store(state + 16 * (group + i), chains[i]);
    }
}

}  // namespace gradient::model::aes

#else

namespace gradient::model::aes {

void counter_aes_ni(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept {
    counter_portable(run, out, blocks);
}

void fold_aes_ni(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept {
    fold_portable(state, in, chunks);
}

}  // namespace gradient::model::aes

#endif
