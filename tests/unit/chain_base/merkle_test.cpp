#include "chain/base/merkle.hpp"

#include "chain/base/hash.hpp"

#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

std::vector<Hash256> make_leaves(std::size_t count) {
    std::vector<Hash256> leaves(count);
    for (std::size_t i = 0; i < count; ++i) leaves[i] = sha256(encode(std::uint64_t{i}));
    return leaves;
}

TEST(Merkle, root_of_three_leaves_is_as_written) {
    const auto leaves = make_leaves(3);
    const auto leaf = [](const Hash256& hash) { return tagged_hash("gradient/merkle/leaf", hash); };
    const auto node = [](const Hash256& left, const Hash256& right) {
        return tagged_hash("gradient/merkle/node", left, right);
    };
    EXPECT_EQ(merkle_root(leaves), node(node(leaf(leaves[0]), leaf(leaves[1])), leaf(leaves[2])));
    EXPECT_EQ(merkle_root({}), tagged_hash("gradient/merkle/empty"));
}

TEST(Merkle, repeating_the_last_leaf_changes_the_root) {
    for (std::size_t count = 1; count < 9; ++count) {
        auto leaves = make_leaves(count);
        const Hash256 root = merkle_root(leaves);
        leaves.push_back(leaves.back());
        EXPECT_NE(merkle_root(leaves), root) << count;
    }
}

TEST(Merkle, every_leaf_of_every_small_tree_is_provable) {
    for (std::size_t count = 1; count <= 33; ++count) {
        const auto leaves = make_leaves(count);
        const Hash256 root = merkle_root(leaves);
        for (std::size_t i = 0; i < count; ++i) {
            const MerkleProof proof = merkle_prove(leaves, i);
            EXPECT_TRUE(merkle_verify(root, leaves[i], proof)) << i << " of " << count;
            EXPECT_EQ(decode_exact<MerkleProof>(encode(proof)), proof);
        }
    }
}

TEST(Merkle, refuses_another_leaf_place_root_or_path) {
    const auto leaves = make_leaves(7);
    const Hash256 root = merkle_root(leaves);
    const MerkleProof good = merkle_prove(leaves, 4);
    ASSERT_TRUE(merkle_verify(root, leaves[4], good));
    EXPECT_FALSE(merkle_verify(root, leaves[5], good));
    EXPECT_FALSE(merkle_verify(leaves[0], leaves[4], good));

    for (std::uint64_t index = 0; index < 9; ++index) {
        MerkleProof proof = good;
        proof.leaf_index = index;
        EXPECT_EQ(merkle_verify(root, leaves[4], proof), index == 4) << index;
    }
    MerkleProof shorter = good;
    shorter.siblings.pop_back();
    EXPECT_FALSE(merkle_verify(root, leaves[4], shorter));
    MerkleProof longer = good;
    longer.siblings.push_back({});
    EXPECT_FALSE(merkle_verify(root, leaves[4], longer));
    for (std::size_t i = 0; i < good.siblings.size(); ++i) {
        MerkleProof altered = good;
        altered.siblings[i].bytes[0] ^= 1;
        EXPECT_FALSE(merkle_verify(root, leaves[4], altered)) << i;
    }
}

TEST(Merkle, a_node_does_not_pass_for_a_leaf) {
    const auto leaves = make_leaves(4);
    const Hash256 root = merkle_root(leaves);
    const Hash256 left = merkle_root(std::span(leaves).first(2));
    const Hash256 right = merkle_root(std::span(leaves).last(2));
    EXPECT_FALSE(
        merkle_verify(root, left, {.leaf_index = 0, .leaf_count = 2, .siblings = {right}}));
}

TEST(Merkle, hostile_counts_end_quickly) {
    MerkleProof proof{.leaf_index = UINT64_MAX - 1, .leaf_count = UINT64_MAX, .siblings = {}};
    EXPECT_FALSE(merkle_verify({}, {}, proof));
    proof.leaf_index = UINT64_MAX;
    EXPECT_FALSE(merkle_verify({}, {}, proof));
}

}  // namespace
}  // namespace gradient::chain
