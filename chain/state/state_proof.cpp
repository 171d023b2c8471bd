#include "chain/state/state_proof.hpp"

#include "chain/base/hash.hpp"

#include <bit>

namespace gradient::chain {

Hash256 state_path(ByteSpan key) noexcept {
    static const TaggedHasher hasher("gradient/state/key");
    return hasher(key);
}

Hash256 state_value_hash(ByteSpan value) noexcept {
    static const TaggedHasher hasher("gradient/state/value");
    return hasher(value);
}

Hash256 state_leaf_hash(const Hash256& path, const Hash256& value_hash) noexcept {
    static const TaggedHasher hasher("gradient/state/leaf");
    return hasher(path, value_hash);
}

Hash256 state_branch_hash(const Hash256& left, const Hash256& right) noexcept {
    static const TaggedHasher hasher("gradient/state/branch");
    return hasher(left, right);
}

bool path_bit(const Hash256& path, std::size_t depth) noexcept {
    return (std::uint32_t{path.bytes[depth / 8]} >> (7 - depth % 8) & 1U) != 0;
}

std::size_t common_bits(const Hash256& a, const Hash256& b) noexcept {
    for (std::size_t i = 0; i < a.bytes.size(); ++i) {
        const auto difference = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
        if (difference != 0) {
            return 8 * i + static_cast<std::size_t>(std::countl_zero(difference));
        }
    }
    return kMaxTreeDepth;
}

std::string_view to_string(StateProofError error) noexcept {
    switch (error) {
        case StateProofError::wrong_root:
            return "the proof leads to another state root";
        case StateProofError::wrong_path:
            return "the proof's leaf does not stand where the key's path ends";
        case StateProofError::no_entry:
            return "the state has no such entry";
        case StateProofError::has_entry:
            return "the state has an entry under this key";
        case StateProofError::wrong_value:
            return "the state has another value under this key";
    }
    return "unknown proof error";
}

Result<std::optional<Hash256>, StateProofError> read_proof(const Hash256& root, ByteSpan key,
                                                           const StateProof& proof) {
    const Hash256 path = state_path(key);
    const std::size_t depth = proof.siblings.size();
    if (depth > kMaxTreeDepth) return fail(StateProofError::wrong_path);
    Hash256 hash;
    if (proof.leaf) {
        if (common_bits(proof.leaf->path, path) < depth) return fail(StateProofError::wrong_path);
        hash = state_leaf_hash(proof.leaf->path, proof.leaf->value_hash);
    }
    for (std::size_t d = depth; d-- > 0;) {
        const Hash256& sibling = proof.siblings[d];
        hash =
            path_bit(path, d) ? state_branch_hash(sibling, hash) : state_branch_hash(hash, sibling);
    }
    if (hash != root) return fail(StateProofError::wrong_root);
    if (!proof.leaf || proof.leaf->path != path) return std::nullopt;
    return proof.leaf->value_hash;
}

Result<void, StateProofError> verify_inclusion(const Hash256& root, ByteSpan key, ByteSpan value,
                                               const StateProof& proof) {
    TRY_ASSIGN(const std::optional<Hash256> value_hash, read_proof(root, key, proof));
    if (!value_hash) return fail(StateProofError::no_entry);
    if (*value_hash != state_value_hash(value)) return fail(StateProofError::wrong_value);
    return {};
}

Result<void, StateProofError> verify_exclusion(const Hash256& root, ByteSpan key,
                                               const StateProof& proof) {
    TRY_ASSIGN(const std::optional<Hash256> value_hash, read_proof(root, key, proof));
    if (value_hash) return fail(StateProofError::has_entry);
    return {};
}

}  // namespace gradient::chain
