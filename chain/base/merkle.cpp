#include "chain/base/merkle.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"

namespace gradient::chain {

namespace {

Hash256 leaf_hash(const Hash256& leaf) noexcept {
    static const TaggedHasher kHasher("gradient/merkle/leaf");
    return kHasher(leaf);
}

Hash256 node_hash(const Hash256& left, const Hash256& right) noexcept {
    static const TaggedHasher kHasher("gradient/merkle/node");
    return kHasher(left, right);
}

std::vector<Hash256> bottom_level(std::span<const Hash256> leaves) {
    std::vector<Hash256> level;
    level.reserve(leaves.size());
    for (const Hash256& leaf : leaves) level.push_back(leaf_hash(leaf));
    return level;
}

// Replaces a level by the one above it.
void raise(std::vector<Hash256>& level) noexcept {
    const std::size_t pairs = level.size() / 2;
    for (std::size_t i = 0; i < pairs; ++i) level[i] = node_hash(level[2 * i], level[2 * i + 1]);
    if (level.size() % 2 == 1) level[pairs] = level.back();
    level.resize(pairs + level.size() % 2);
}

}  // namespace

Hash256 merkle_root(std::span<const Hash256> leaves) {
    if (leaves.empty()) return tagged_hash("gradient/merkle/empty");
    auto level = bottom_level(leaves);
    while (level.size() > 1) raise(level);
    return level.front();
}

MerkleProof merkle_prove(std::span<const Hash256> leaves, std::size_t index) {
    CHECK(index < leaves.size());
    MerkleProof proof{.leaf_index = index, .leaf_count = leaves.size(), .siblings = {}};
    for (auto level = bottom_level(leaves); level.size() > 1; raise(level)) {
        const std::size_t sibling = index ^ 1;
        if (sibling < level.size()) proof.siblings.push_back(level[sibling]);
        index /= 2;
    }
    return proof;
}

bool merkle_verify(const Hash256& root, const Hash256& leaf, const MerkleProof& proof) noexcept {
    if (proof.leaf_index >= proof.leaf_count) return false;
    Hash256 node = leaf_hash(leaf);
    std::size_t used = 0;
    std::uint64_t index = proof.leaf_index;
    for (std::uint64_t count = proof.leaf_count; count > 1; count = count / 2 + count % 2) {
        const bool promoted = index == count - 1 && count % 2 == 1;
        if (!promoted) {
            if (used == proof.siblings.size()) return false;
            const Hash256& sibling = proof.siblings[used++];
            node = index % 2 == 0 ? node_hash(node, sibling) : node_hash(sibling, node);
        }
        index /= 2;
    }
    return used == proof.siblings.size() && node == root;
}

}  // namespace gradient::chain
