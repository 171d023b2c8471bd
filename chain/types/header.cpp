#include "chain/types/header.hpp"

#include "chain/base/hash.hpp"

namespace gradient::chain {

Hash256 template_hash(const Template& tmpl) noexcept {
    static const TaggedHasher kHasher("gradient/template");
    return hash_encoded(kHasher, tmpl);
}

Hash256 header_id(const Header& header) noexcept {
    static const TaggedHasher kHasher("gradient/header");
    return hash_encoded(kHasher, header);
}

Hash256 segment_id(const Hash256& template_hash, const Hash256& last_digest) noexcept {
    static const TaggedHasher kHasher("gradient/segment");
    return kHasher(template_hash, last_digest);
}

}  // namespace gradient::chain
