#pragma once

#include "model/numerics/random_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

/// The two loops of random_bytes.hpp in each instruction set. Internal to model/numerics.
namespace gradient::model::aes {

/// The parameters of a run of counter blocks.
struct CounterRun {
    const std::array<AesBlock, 11>* round_keys;
    AesBlock mask;
    std::uint64_t first_block;
    std::uint32_t step;
    std::uint32_t stream;
};

/// Writes `blocks` blocks of key stream.
using CounterLoop = void (*)(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept;
/// Absorbs `chunks` chunks of 256 bytes.
using FoldLoop = void (*)(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept;

void counter_portable(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept;
void counter_aes_ni(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept;
void counter_vaes512(const CounterRun& run, std::uint8_t* out, std::size_t blocks) noexcept;

void fold_portable(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept;
void fold_aes_ni(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept;
void fold_vaes512(std::uint8_t* state, const std::uint8_t* in, std::size_t chunks) noexcept;

/// Round key of the fold: bytes 0 .. 15.
inline constexpr AesBlock kFoldKey{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace gradient::model::aes
