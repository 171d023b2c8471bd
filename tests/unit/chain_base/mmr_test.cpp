#include "chain/base/mmr.hpp"

#include "chain/base/hash.hpp"

#include <gtest/gtest.h>

#include <map>

namespace gradient::chain {
namespace {

MmrLeaf make_leaf(std::uint64_t height) {
    return {.id = sha256(encode(height)),
            .height = height,
            .time_ms = 1000 + 7 * height,
            .work_before = U256(100 * height),
            .work_after = U256(100 * height + 100)};
}

// A range with everything that storage would keep.
struct Range {
    MmrPeaks peaks;
    std::map<MmrPosition, MmrNode> nodes;
    std::vector<Hash256> roots;  // roots[n]: after n leaves

    explicit Range(std::uint64_t count) : roots{peaks.root()} {
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto completed = peaks.append(make_leaf(i)).value();
            for (const auto& [position, node] : completed) {
                nodes[position] = node;
            }
            roots.push_back(peaks.root());
        }
    }

    auto source() const {
        return [this](MmrPosition position) -> std::optional<MmrNode> {
            const auto found = nodes.find(position);
            if (found == nodes.end()) return std::nullopt;
            return found->second;
        };
    }
};

constexpr std::uint64_t kCount = 40;

TEST(Mmr, has_a_peak_for_each_bit_of_the_count) {
    const Range range(11);  // 8 + 2 + 1
    ASSERT_EQ(range.peaks.peaks().size(), 3U);
    EXPECT_EQ(range.peaks.peaks()[0].last_height, 7U);
    EXPECT_EQ(range.peaks.peaks()[1].first_height, 8U);
    EXPECT_EQ(range.peaks.peaks()[2].work_after, U256(1100));
}

TEST(Mmr, root_of_three_leaves_is_as_written) {
    const auto leaf = [](std::uint64_t height) { return mmr_leaf_node(make_leaf(height)).value(); };
    EXPECT_EQ(leaf(0).hash, tagged_hash("gradient/mmr/leaf", encode(make_leaf(0))));
    const MmrNode pair = mmr_join(leaf(0), leaf(1)).value();
    EXPECT_EQ(pair.hash, tagged_hash("gradient/mmr/node", encode(leaf(0)), encode(leaf(1))));
    MmrNode bag = pair;
    bag.hash = tagged_hash("gradient/mmr/bag", encode(pair), encode(leaf(2)));
    bag.last_height = 2;
    bag.last_time_ms = leaf(2).last_time_ms;
    bag.work_after = leaf(2).work_after;
    EXPECT_EQ(Range(3).peaks.root(),
              tagged_hash("gradient/mmr/root", encode(std::uint64_t{3}), encode(bag)));
}

TEST(Mmr, every_count_has_its_own_root) {
    const Range range(kCount);
    std::map<Hash256, std::size_t> seen;
    for (std::size_t i = 0; i < range.roots.size(); ++i) {
        EXPECT_TRUE(seen.emplace(range.roots[i], i).second) << i;
    }
}

TEST(Mmr, state_round_trips_and_continues) {
    for (std::uint64_t count = 0; count < 20; ++count) {
        Range range(count);
        auto again = decode_exact<MmrPeaks>(encode(range.peaks));
        ASSERT_TRUE(again) << count;
        EXPECT_EQ(*again, range.peaks);
        EXPECT_TRUE(again->append(make_leaf(count)));
        EXPECT_EQ(again->root(), Range(count + 1).peaks.root());
    }
}

TEST(Mmr, stored_nodes_give_the_state_of_every_earlier_count) {
    const Range range(kCount);
    for (std::uint64_t count = 0; count <= kCount; ++count) {
        const auto loaded = mmr_load(range.source(), count);
        ASSERT_TRUE(loaded) << count;
        EXPECT_EQ(loaded->root(), range.roots[count]);
    }
    EXPECT_EQ(mmr_load(range.source(), kCount + 1).error(), MmrError::node_missing);
}

TEST(Mmr, refuses_leaves_that_do_not_follow) {
    Range range(5);
    const MmrPeaks before = range.peaks;
    const auto expect_refused = [&](MmrLeaf leaf, MmrError error) {
        const auto result = range.peaks.append(leaf);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error(), error);
        EXPECT_EQ(range.peaks, before);
    };
    MmrLeaf leaf = make_leaf(5);
    leaf.height = 6;
    expect_refused(leaf, MmrError::not_contiguous);
    leaf = make_leaf(5);
    leaf.time_ms = make_leaf(4).time_ms;
    expect_refused(leaf, MmrError::not_contiguous);
    leaf = make_leaf(5);
    leaf.work_before = U256(499);
    expect_refused(leaf, MmrError::not_contiguous);
    leaf = make_leaf(5);
    leaf.work_after = leaf.work_before;
    expect_refused(leaf, MmrError::bad_leaf);
}

TEST(Mmr, refuses_states_that_are_none) {
    const Range range(7);
    const auto& peaks = range.peaks.peaks();
    EXPECT_TRUE(MmrPeaks::from_peaks(7, peaks));
    EXPECT_EQ(MmrPeaks::from_peaks(6, peaks).error(), MmrError::bad_shape);
    EXPECT_EQ(MmrPeaks::from_peaks(13, peaks).error(), MmrError::bad_shape);
    EXPECT_EQ(MmrPeaks::from_peaks(UINT64_MAX, peaks).error(), MmrError::bad_shape);
    auto altered = peaks;
    altered[1].work_before = U256(1);
    EXPECT_EQ(MmrPeaks::from_peaks(7, altered).error(), MmrError::not_contiguous);
    altered = peaks;
    altered[0].first_height = 1;
    EXPECT_EQ(MmrPeaks::from_peaks(7, altered).error(), MmrError::bad_shape);

    Bytes bytes = encode(range.peaks);
    bytes[0] = 6;  // the count
    EXPECT_EQ(decode_exact<MmrPeaks>(bytes).error(), CodecError::bad_value);
}

TEST(MmrProof, every_leaf_is_provable_at_every_count) {
    const Range range(kCount);
    for (std::uint64_t count = 1; count <= kCount; ++count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto proof = mmr_prove(range.source(), i, count);
            ASSERT_TRUE(proof);
            EXPECT_TRUE(mmr_verify(range.roots[count], make_leaf(i), *proof))
                << i << " of " << count;
            EXPECT_EQ(decode_exact<MmrProof>(encode(*proof)), *proof);
        }
    }
}

TEST(MmrProof, refuses_another_leaf_root_place_or_count) {
    const Range range(kCount);
    const MmrProof good = mmr_prove(range.source(), 9, 13).value();
    ASSERT_TRUE(mmr_verify(range.roots[13], make_leaf(9), good));
    EXPECT_EQ(mmr_verify(range.roots[14], make_leaf(9), good).error(), MmrError::wrong_root);
    EXPECT_FALSE(mmr_verify(range.roots[13], make_leaf(8), good));

    MmrLeaf altered = make_leaf(9);
    altered.id.bytes[0] ^= 1;
    EXPECT_EQ(mmr_verify(range.roots[13], altered, good).error(), MmrError::wrong_root);

    MmrProof proof = good;
    proof.leaf_index = 8;
    EXPECT_FALSE(mmr_verify(range.roots[13], make_leaf(9), proof));
    proof = good;
    proof.leaf_count = 14;
    EXPECT_EQ(mmr_verify(range.roots[13], make_leaf(9), proof).error(), MmrError::bad_shape);
    proof = good;
    proof.leaf_index = 13;
    EXPECT_EQ(mmr_verify(range.roots[13], make_leaf(9), proof).error(), MmrError::bad_shape);
    proof = good;
    proof.leaf_count = UINT64_MAX;
    EXPECT_EQ(mmr_verify(range.roots[13], make_leaf(9), proof).error(), MmrError::bad_shape);
}

TEST(MmrProof, every_altered_field_of_every_node_is_noticed) {
    const Range range(kCount);
    const MmrProof good = mmr_prove(range.source(), 9, 13).value();
    Bytes bytes = encode(good);
    for (std::size_t i = 16; i < bytes.size(); ++i) {
        bytes[i] ^= 1;
        const auto proof = decode_exact<MmrProof>(bytes);
        if (proof) {
            EXPECT_FALSE(mmr_verify(range.roots[13], make_leaf(9), *proof)) << i;
        }
        bytes[i] ^= 1;
    }
}

TEST(MmrProof, work_can_not_be_invented) {
    // A neighbour that claims more work than it has, joined to one that claims less, sums to the
    // same: the nodes are hashed with their ranges, so it is noticed.
    const Range range(kCount);
    MmrProof proof = mmr_prove(range.source(), 0, 16).value();
    for (std::size_t i = 0; i + 1 < proof.siblings.size(); ++i) {
        MmrProof altered = proof;
        altered.siblings[i].work_after = U256(1'000'000);
        EXPECT_FALSE(mmr_verify(range.roots[16], make_leaf(0), altered)) << i;
        altered.siblings[i + 1].work_before = U256(1'000'000);
        EXPECT_FALSE(mmr_verify(range.roots[16], make_leaf(0), altered)) << i;
    }
}

TEST(MmrPrefix, every_earlier_range_is_a_provable_prefix) {
    const Range range(kCount);
    for (std::uint64_t count = 0; count <= kCount; ++count) {
        for (std::uint64_t old_count = 0; old_count <= count; ++old_count) {
            const auto proof = mmr_prove_prefix(range.source(), old_count, count);
            ASSERT_TRUE(proof);
            EXPECT_TRUE(mmr_verify_prefix(range.roots[old_count], range.roots[count], *proof))
                << old_count << " of " << count;
            EXPECT_EQ(decode_exact<MmrPrefixProof>(encode(*proof)), *proof);
        }
    }
}

TEST(MmrPrefix, refuses_another_history) {
    const Range range(kCount);
    const MmrPrefixProof good = mmr_prove_prefix(range.source(), 11, 29).value();
    ASSERT_TRUE(mmr_verify_prefix(range.roots[11], range.roots[29], good));
    EXPECT_EQ(mmr_verify_prefix(range.roots[10], range.roots[29], good).error(),
              MmrError::wrong_root);
    EXPECT_EQ(mmr_verify_prefix(range.roots[11], range.roots[28], good).error(),
              MmrError::wrong_root);

    MmrPeaks other;  // the same but for block 5
    for (std::uint64_t i = 0; i < 11; ++i) {
        MmrLeaf leaf = make_leaf(i);
        if (i == 5) leaf.id.bytes[0] ^= 1;
        ASSERT_TRUE(other.append(leaf));
    }
    MmrPrefixProof proof = good;
    proof.old_peaks = other.peaks();
    EXPECT_EQ(mmr_verify_prefix(other.root(), range.roots[29], proof).error(),
              MmrError::wrong_root);
    proof = good;
    std::swap(proof.old_count, proof.new_count);
    EXPECT_EQ(mmr_verify_prefix(range.roots[11], range.roots[29], proof).error(),
              MmrError::bad_shape);
    proof = good;
    proof.subtrees.pop_back();
    EXPECT_EQ(mmr_verify_prefix(range.roots[11], range.roots[29], proof).error(),
              MmrError::bad_shape);
    Bytes bytes = encode(good);
    for (std::size_t i = 16; i < bytes.size(); i += 3) {
        bytes[i] ^= 1;
        const auto altered = decode_exact<MmrPrefixProof>(bytes);
        if (altered) {
            EXPECT_FALSE(mmr_verify_prefix(range.roots[11], range.roots[29], *altered)) << i;
        }
        bytes[i] ^= 1;
    }
}

TEST(MmrSubtree, refuses_a_place_that_is_not_aligned) {
    Range range(2);
    const MmrNode node = range.peaks.peaks()[0];
    MmrPeaks peaks;
    ASSERT_TRUE(peaks.append(make_leaf(0)));
    EXPECT_EQ(peaks.append_subtree(1, node).error(), MmrError::bad_shape);
    EXPECT_EQ(MmrPeaks().append_subtree(2, node).error(), MmrError::bad_shape);
    EXPECT_EQ(MmrPeaks().append_subtree(63, node).error(), MmrError::bad_shape);
    EXPECT_TRUE(MmrPeaks().append_subtree(1, node));
}

}  // namespace
}  // namespace gradient::chain
