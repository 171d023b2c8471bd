#include "chain/state/state_tree.hpp"

#include "chain/state/state_proof.hpp"
#include "tests/support/memory_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <span>
#include <vector>

namespace gradient::chain {
namespace {

using Entries = std::map<Bytes, Bytes>;

// The definition of the root, read from the specification and computed from nothing.
Hash256 root_of(std::span<const StateLeaf> leaves, std::size_t depth) {
    if (leaves.empty()) return {};
    if (leaves.size() == 1) return state_leaf_hash(leaves[0].path, leaves[0].value_hash);
    std::vector<StateLeaf> sides[2];
    for (const StateLeaf& leaf : leaves) sides[path_bit(leaf.path, depth)].push_back(leaf);
    return state_branch_hash(root_of(sides[0], depth + 1), root_of(sides[1], depth + 1));
}

Hash256 naive_root(const Entries& entries) {
    std::vector<StateLeaf> leaves;
    for (const auto& [key, value] : entries) {
        leaves.push_back({state_path(key), state_value_hash(value)});
    }
    return root_of(leaves, 0);
}

StateWrite put(Bytes key, Bytes value) {
    return {std::move(key), std::make_shared<const Bytes>(std::move(value))};
}

StateWrite erase(Bytes key) {
    return {std::move(key), nullptr};
}

Hash256 apply(MemoryTree& nodes, const StateDiff& diff) {
    StateTree tree(nodes);
    EXPECT_TRUE(tree.apply(diff));
    const Hash256 root = *tree.root();
    nodes.store(tree.changes());
    return root;
}

TEST(StateTree, root_of_nothing_is_zero) {
    const EmptyTree nothing;
    EXPECT_EQ(*StateTree(nothing).root(), Hash256{});
}

TEST(StateTree, root_of_one_entry_is_its_leaf) {
    MemoryTree nodes;
    EXPECT_EQ(apply(nodes, {{put({1}, {2})}}),
              state_leaf_hash(state_path(Bytes{1}), state_value_hash(Bytes{2})));
    EXPECT_EQ(nodes.size(), 1U);
}

TEST(StateTree, removing_the_last_entry_leaves_no_node) {
    MemoryTree nodes;
    apply(nodes, {{put({1}, {}), put({2}, {}), put({3}, {})}});
    EXPECT_EQ(apply(nodes, {{erase({1}), erase({2}), erase({3})}}), Hash256{});
    EXPECT_EQ(nodes.size(), 0U);
}

TEST(StateTree, removing_what_is_not_there_changes_nothing) {
    MemoryTree nodes;
    const Hash256 before = apply(nodes, {{put({1}, {}), put({2}, {})}});
    EXPECT_EQ(apply(nodes, {{erase({7}), erase({8})}}), before);
}

TEST(StateTree, an_empty_value_is_an_entry) {
    MemoryTree nodes;
    EXPECT_NE(apply(nodes, {{put({1}, {})}}), Hash256{});
}

TEST(StateTree, random_operations_match_a_recomputation_from_nothing) {
    std::mt19937_64 random(20);
    for (int run = 0; run < 40; ++run) {
        MemoryTree nodes;
        Entries entries;
        const std::uint64_t key_space = 1 + random() % 60;
        for (int step = 0; step < 30; ++step) {
            std::map<Bytes, StateWrite> writes;
            const std::uint64_t count = random() % 12;
            for (std::uint64_t i = 0; i < count; ++i) {
                const Bytes key{static_cast<std::uint8_t>(random() % key_space)};
                if (random() % 5 < 2) {
                    writes[key] = erase(key);
                    entries.erase(key);
                } else {
                    const Bytes value(random() % 4, static_cast<std::uint8_t>(random()));
                    writes[key] = put(key, value);
                    entries[key] = value;
                }
            }
            StateDiff diff;
            for (const auto& [key, write] : writes) diff.writes.push_back(write);
            ASSERT_EQ(apply(nodes, diff), naive_root(entries)) << "run " << run << " step " << step;
        }
        // No node is left behind: n leaves have at least n - 1 branches above them, and every node
        // is reached again by removing everything.
        StateDiff removal;
        for (const auto& [key, value] : entries) removal.writes.push_back(erase(key));
        apply(nodes, removal);
        EXPECT_EQ(nodes.size(), 0U);
    }
}

TEST(StateTree, order_of_insertion_does_not_matter) {
    MemoryTree at_once;
    MemoryTree one_by_one;
    StateDiff all;
    Hash256 root;
    for (std::uint8_t i = 0; i < 50; ++i) all.writes.push_back(put({i}, {i}));
    for (std::uint8_t i = 50; i-- > 0;) root = apply(one_by_one, {{put({i}, {i})}});
    EXPECT_EQ(apply(at_once, all), root);
    EXPECT_EQ(at_once.nodes(), one_by_one.nodes());
}

TEST(StateTree, missing_node_is_corruption) {
    MemoryTree nodes;
    StateDiff all;
    for (std::uint8_t i = 0; i < 20; ++i) all.writes.push_back(put({i}, {i}));
    apply(nodes, all);
    nodes.forget(TreePosition{}.child(true));
    StateTree tree(nodes);
    bool failed = false;
    for (std::uint8_t i = 0; i < 20 && !failed; ++i) {
        const auto proof = tree.prove(Bytes{i});
        failed = !proof;
        if (failed) {
            EXPECT_EQ(proof.error().fault, StoreFault::corrupt);
        }
    }
    EXPECT_TRUE(failed);
}

class StateProofs : public testing::Test {
  protected:
    void SetUp() override {
        StateDiff all;
        for (std::uint8_t i = 0; i < 40; ++i) all.writes.push_back(put({i}, {i, i}));
        root_ = apply(nodes_, all);
    }

    StateProof prove(const Bytes& key) const { return *StateTree(nodes_).prove(key); }

    MemoryTree nodes_;
    Hash256 root_;
};

TEST_F(StateProofs, prove_every_entry_and_its_absence) {
    for (std::uint8_t i = 0; i < 80; ++i) {
        const Bytes key{i};
        const StateProof proof = prove(key);
        if (i < 40) {
            EXPECT_TRUE(verify_inclusion(root_, key, Bytes{i, i}, proof));
            EXPECT_EQ(verify_exclusion(root_, key, proof).error(), StateProofError::has_entry);
            EXPECT_EQ(verify_inclusion(root_, key, Bytes{i}, proof).error(),
                      StateProofError::wrong_value);
        } else {
            EXPECT_TRUE(verify_exclusion(root_, key, proof));
            EXPECT_EQ(verify_inclusion(root_, key, Bytes{i, i}, proof).error(),
                      StateProofError::no_entry);
        }
    }
}

TEST_F(StateProofs, prove_absence_from_the_empty_state) {
    EXPECT_TRUE(verify_exclusion(Hash256{}, Bytes{1}, StateProof{}));
}

TEST_F(StateProofs, refuse_another_key_root_or_altered_hash) {
    const StateProof proof = prove({3});
    EXPECT_FALSE(verify_inclusion(root_, Bytes{4}, Bytes{3, 3}, proof));
    Hash256 other_root = root_;
    other_root.bytes[31] ^= 1;
    EXPECT_EQ(verify_inclusion(other_root, Bytes{3}, Bytes{3, 3}, proof).error(),
              StateProofError::wrong_root);
    for (std::size_t i = 0; i < proof.siblings.size(); ++i) {
        StateProof altered = proof;
        altered.siblings[i].bytes[5] ^= 0x10;
        EXPECT_FALSE(verify_inclusion(root_, Bytes{3}, Bytes{3, 3}, altered)) << i;
    }
}

TEST_F(StateProofs, refuse_absence_shown_with_a_leaf_from_elsewhere) {
    // A true leaf and its true siblings, for a key that does not lead there.
    const StateProof elsewhere = prove({3});
    int refused = 0;
    for (std::uint8_t i = 40; i < 80; ++i) {
        if (common_bits(state_path(Bytes{i}), state_path(Bytes{3})) < elsewhere.siblings.size()) {
            EXPECT_EQ(verify_exclusion(root_, Bytes{i}, elsewhere).error(),
                      StateProofError::wrong_path);
            ++refused;
        }
    }
    EXPECT_GT(refused, 0);
}

TEST_F(StateProofs, refuse_absence_of_an_entry_that_is_there) {
    for (std::uint8_t i = 0; i < 40; ++i) {
        StateProof proof = prove({i});
        proof.leaf.reset();
        EXPECT_FALSE(verify_exclusion(root_, Bytes{i}, proof));
        while (!proof.siblings.empty()) {
            proof.siblings.pop_back();
            EXPECT_FALSE(verify_exclusion(root_, Bytes{i}, proof));
        }
    }
}

TEST_F(StateProofs, survive_the_codec) {
    const StateProof proof = prove({9});
    EXPECT_EQ(*decode_exact<StateProof>(encode(proof)), proof);
}

TEST_F(StateProofs, too_long_a_proof_is_refused) {
    StateProof proof = prove({9});
    proof.siblings.resize(kMaxTreeDepth + 1);
    EXPECT_EQ(verify_exclusion(root_, Bytes{9}, proof).error(), StateProofError::wrong_path);
}

}  // namespace
}  // namespace gradient::chain
