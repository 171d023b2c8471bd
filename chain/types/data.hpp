#pragma once

// A task's data is cut into chunks of kDataChunkBytes, the last one shorter; its root is the Merkle
// root over H("gradient/data-chunk", chunk). No bytes, no chunks.

#include "chain/base/bytes.hpp"

#include <cstdint>

namespace gradient::chain {

/// Identity of one chunk.
[[nodiscard]] Hash256 chunk_id(ByteSpan chunk) noexcept;

/// Number of chunks of that many bytes.
[[nodiscard]] std::uint64_t chunk_count(std::uint64_t data_bytes) noexcept;

/// Chunk number `index` of the data. Precondition: index < chunk_count(data.size()).
[[nodiscard]] ByteSpan chunk_of(ByteSpan data, std::uint64_t index) noexcept;

/// What a task record commits to.
[[nodiscard]] Hash256 data_root(ByteSpan data);

}  // namespace gradient::chain
