#include "chain/types/segment.hpp"

#include "chain/base/hash.hpp"
#include "chain/base/merkle.hpp"

namespace gradient::chain {

Hash256 segment_message(const Hash256& template_hash, std::uint32_t units,
                        const Hash256& last_digest) noexcept {
    static const TaggedHasher kHasher("gradient/segment-signature");
    return hash_encoded(kHasher, template_hash, units, last_digest);
}

Hash256 settle_root(std::span<const Hash256> listed) {
    return merkle_root(listed);
}

}  // namespace gradient::chain
