#include "model/numerics/aes_rounds.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

namespace gradient::model::aes {
namespace {

__m512i broadcast(const AesBlock& block) noexcept {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data())));
}

}  // namespace

void counter_vaes512(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept {
    constexpr std::size_t kParallel = 8;  // registers of four blocks
    if (blocks < 4 * kParallel || blocks % 4 != 0) {
        counter_aes_ni(run, out, blocks);
        return;
    }
    __m512i keys[11];
    for (std::size_t i = 0; i < 11; ++i) keys[i] = broadcast((*run.round_keys)[i]);
    const __m512i whitening = _mm512_xor_si512(broadcast(run.mask), keys[0]);
    const auto high = static_cast<long long>((std::uint64_t{run.stream} << 32) | run.step);
    const auto first = static_cast<long long>(run.first_block);
    __m512i counter =
        _mm512_set_epi64(high, first + 3, high, first + 2, high, first + 1, high, first);
    const __m512i four = _mm512_set_epi64(0, 4, 0, 4, 0, 4, 0, 4);
    const std::size_t registers = blocks / 4;
    for (std::size_t done = 0; done < registers; done += kParallel) {
        __m512i state[kParallel];
        for (std::size_t i = 0; i < kParallel; ++i) {
            state[i] = _mm512_xor_si512(counter, whitening);
            counter = _mm512_add_epi64(counter, four);
        }
        for (std::size_t round = 1; round < 10; ++round)
            for (std::size_t i = 0; i < kParallel; ++i)
                state[i] = _mm512_aesenc_epi128(state[i], keys[round]);
        for (std::size_t i = 0; i < kParallel; ++i)
            state[i] = _mm512_aesenclast_epi128(state[i], keys[10]);
        for (std::size_t i = 0; i < kParallel && done + i < registers; ++i)
            _mm512_storeu_si512(out + 64 * (done + i), state[i]);
    }
}

void fold_vaes512(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept {
    const __m512i key = broadcast(kFoldKey);
    __m512i chains[4];
    for (std::size_t i = 0; i < 4; ++i) chains[i] = _mm512_loadu_si512(state + 64 * i);
    for (std::size_t chunk = 0; chunk < chunks; ++chunk)
        for (std::size_t i = 0; i < 4; ++i) {
            const __m512i data = _mm512_loadu_si512(in + 256 * chunk + 64 * i);
            chains[i] = _mm512_aesenc_epi128(
                _mm512_aesenc_epi128(_mm512_xor_si512(chains[i], data), key), key);
        }
    for (std::size_t i = 0; i < 4; ++i) _mm512_storeu_si512(state + 64 * i, chains[i]);
}

}  // namespace gradient::model::aes

#else

namespace gradient::model::aes {

void counter_vaes512(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept {
    counter_portable(run, out, blocks);
}

void fold_vaes512(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept {
    fold_portable(state, in, chunks);
}

}  // namespace gradient::model::aes

#endif
