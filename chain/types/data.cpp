#include "chain/types/data.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"
#include "chain/base/merkle.hpp"
#include "chain/types/limits.hpp"

#include <algorithm>
#include <vector>

namespace gradient::chain {

Hash256 chunk_id(ByteSpan chunk) noexcept {
    static const TaggedHasher kHasher("gradient/data-chunk");
    return kHasher(chunk);
}

std::uint64_t chunk_count(std::uint64_t data_bytes) noexcept {
    return data_bytes / kDataChunkBytes + (data_bytes % kDataChunkBytes == 0 ? 0 : 1);
}

ByteSpan chunk_of(ByteSpan data, std::uint64_t index) noexcept {
    CHECK(index < chunk_count(data.size()));
    const std::size_t first = static_cast<std::size_t>(index) * kDataChunkBytes;
    return data.subspan(first, std::min(kDataChunkBytes, data.size() - first));
}

Hash256 data_root(ByteSpan data) {
    std::vector<Hash256> ids;
    const std::uint64_t count = chunk_count(data.size());
    ids.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) ids.push_back(chunk_id(chunk_of(data, i)));
    return merkle_root(ids);
}

}  // namespace gradient::chain
