#pragma once

// Binary Merkle tree. Level 0 holds H("gradient/merkle/leaf", leaf) for each leaf; each next level
// holds H("gradient/merkle/node", left, right) for each pair, and an odd last node moves up
// unchanged. It is never doubled, so no two lists have one root by repetition (CVE-2012-2459), and
// the tags keep a node from passing for a leaf. The root of no leaves is
// H("gradient/merkle/empty").

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// Root of a list of leaves, in order.
[[nodiscard]] Hash256 merkle_root(std::span<const Hash256> leaves);

/// Shows that one leaf stands at one place of a list: its siblings from the bottom up.
struct MerkleProof {
    static constexpr std::size_t kMaxSiblings = 64;

    std::uint64_t leaf_index = 0;
    std::uint64_t leaf_count = 0;
    std::vector<Hash256> siblings;

    friend bool operator==(const MerkleProof&, const MerkleProof&) = default;

    static auto fields(auto& self) {
        return field_list(compact(self.leaf_index), compact(self.leaf_count),
                          bounded<kMaxSiblings>(self.siblings));
    }
};

/// The proof for leaves[index]. Precondition: index < leaves.size().
[[nodiscard]] MerkleProof merkle_prove(std::span<const Hash256> leaves, std::size_t index);

/// Whether `leaf` is leaf number proof.leaf_index of a tree that has `root`. The root commits to
/// the leaves but not to their number by itself: a caller who relies on leaf_count gets it from
/// elsewhere.
[[nodiscard]] bool merkle_verify(const Hash256& root, const Hash256& leaf,
                                 const MerkleProof& proof) noexcept;

}  // namespace gradient::chain
