#pragma once

// Sizes that no message exceeds, whatever a network's parameters say. A network may be stricter
// (chain/consensus/params.hpp), never laxer: decoders check these before they allocate.

#include <cstddef>
#include <cstdint>

namespace gradient::chain {

/// Most units a lane may run, and so digests of a segment (units).
inline constexpr std::uint32_t kMaxUnits = 4096;

/// Most openings of a segment: hits, guards and the last unit. At one hit in a hundred units the
/// longest segment has 41 hits on average and more than 128 less often than once in 10^25 segments.
inline constexpr std::uint32_t kMaxOpenings = 128 + 8 + 1;

/// Most parameters of a model (32-bit numbers): two matrices of 256 by 256.
inline constexpr std::uint32_t kMaxParameters = 2 * 256 * 256;

/// Parameters of one block of the difference coder.
inline constexpr std::uint32_t kDeltaBlock = 256;

/// Widest Rice parameter (bits): the difference of two 32-bit numbers, sign included, has 33.
inline constexpr std::uint32_t kMaxRice = 33;

/// Most bytes that a coded difference of `count` parameters takes: a parameter byte for each block,
/// at most kMaxRice + 1 bits a value, every block rounded up to whole bytes.
[[nodiscard]] constexpr std::size_t max_delta_bytes(std::size_t count) noexcept {
    const std::size_t blocks = (count + kDeltaBlock - 1) / kDeltaBlock;
    return 2 * blocks + (count * (kMaxRice + 1) + 7) / 8;
}

/// Most bytes of a coded difference of any model.
inline constexpr std::size_t kMaxDeltaBytes = max_delta_bytes(kMaxParameters);

/// Most segments behind one settle root.
inline constexpr std::size_t kMaxListedSegments = 128;

/// Most transactions of a block.
inline constexpr std::size_t kMaxTransactions = 16'384;

/// Most bytes of an encoded block (or segment). Twenty lanes with 64 hits in all open some 120
/// states, of 95 kB each in the default text model.
inline constexpr std::size_t kMaxBlockBytes = std::size_t{16} * 1024 * 1024;

/// Bytes of a data chunk; only a task's last chunk may be shorter.
inline constexpr std::size_t kDataChunkBytes = std::size_t{64} * 1024;

/// Most bytes of a task's data, and chunks.
inline constexpr std::uint64_t kMaxDataBytes = std::uint64_t{16} * 1024 * 1024;
inline constexpr std::size_t kMaxDataChunks = kMaxDataBytes / kDataChunkBytes;

/// Blocks that a share may come late: a share of round r can be listed in block r + 1 and included
/// late in blocks r + 2 to r + 1 + kMaxLateness.
inline constexpr std::uint32_t kMaxLateness = 3;

/// User tasks that may be under training at a time.
inline constexpr std::size_t kMaxActiveTasks = 64;

/// Late contributions that one task may keep for its next settled round.
inline constexpr std::size_t kMaxLateContributions = 256;

/// Segments of one round that may be included: the winner, the listed ones, and late ones.
inline constexpr std::size_t kMaxRoundSegments = 1024;

}  // namespace gradient::chain
