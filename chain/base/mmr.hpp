#pragma once

// Merkle mountain range over a header chain. Leaf i is block i's summary; node (level, index)
// covers the leaves [index << level, (index + 1) << level) and exists once they all do. Every node
// carries the range it covers, and two nodes join only if their ranges meet: heights and work
// continue without a gap, time goes forward.
//
//   leaf hash   H("gradient/mmr/leaf", leaf)
//   inner hash  H("gradient/mmr/node", left node, right node)
//   root        H("gradient/mmr/root", leaf count, bag), where bag joins the peaks from the right
//   to the left with
//               H("gradient/mmr/bag", left node, right node); without leaves the bag is the default
//               node
//
// where a node hashes as its whole encoding, so that the root commits to every range.

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gradient::chain {

/// What the range keeps of one block.
struct MmrLeaf {
    Hash256 id;
    std::uint64_t height = 0;
    std::uint64_t time_ms = 0;
    U256 work_before;  ///< cumulative work of the chain up to the parent
    U256 work_after;   ///< the same with this block

    friend bool operator==(const MmrLeaf&, const MmrLeaf&) = default;

    static auto fields(auto& self) {
        return std::tie(self.id, self.height, self.time_ms, self.work_before, self.work_after);
    }
};

/// A subtree: its hash and the range that it covers, both ends included.
struct MmrNode {
    static constexpr std::size_t kEncodedSize = 128;

    Hash256 hash;
    std::uint64_t first_height = 0;
    std::uint64_t last_height = 0;
    std::uint64_t first_time_ms = 0;
    std::uint64_t last_time_ms = 0;
    U256 work_before;
    U256 work_after;

    friend bool operator==(const MmrNode&, const MmrNode&) = default;

    static auto fields(auto& self) {
        return std::tie(self.hash, self.first_height, self.last_height, self.first_time_ms,
                        self.last_time_ms, self.work_before, self.work_after);
    }
};

/// A node's place: it covers the leaves [index << level, (index + 1) << level).
struct MmrPosition {
    std::uint8_t level = 0;
    std::uint64_t index = 0;

    friend auto operator<=>(const MmrPosition&, const MmrPosition&) = default;

    static auto fields(auto& self) { return std::tie(self.level, self.index); }
};

/// A node with its place, as storage keeps it.
struct MmrPlacedNode {
    MmrPosition position;
    MmrNode node;
};

/// Why a range, a proof or an append is refused.
enum class MmrError : std::uint8_t {
    bad_leaf,        // a leaf whose work does not grow
    not_contiguous,  // neighbours whose heights, times or work do not meet
    bad_shape,       // the number of nodes or their sizes do not fit the leaf counts
    wrong_root,      // the proof leads to another root
    node_missing,    // the source of nodes lacks one that must exist
};

/// The node of a single leaf.
[[nodiscard]] Result<MmrNode, MmrError> mmr_leaf_node(const MmrLeaf& leaf) noexcept;

/// The node above two neighbours.
[[nodiscard]] Result<MmrNode, MmrError> mmr_join(const MmrNode& left,
                                                 const MmrNode& right) noexcept;

/// The state that extends a range: its leaf count and its peaks, from left (oldest) to right. One
/// fits into every header's undo data. Peaks that do not fit the count or do not meet do not
/// decode.
class MmrPeaks {
  public:
    static constexpr std::size_t kMaxPeaks = 64;
    static constexpr std::size_t kMinEncodedSize = 9;

    MmrPeaks() = default;

    /// Peaks from outside, checked.
    [[nodiscard]] static Result<MmrPeaks, MmrError> from_peaks(std::uint64_t leaf_count,
                                                               std::vector<MmrNode> peaks);

    /// Appends a block and returns the nodes that this completes, leaf first: one to keep for each.
    /// On an error nothing has changed.
    [[nodiscard]] Result<std::vector<MmrPlacedNode>, MmrError> append(const MmrLeaf& leaf);

    /// Appends a whole subtree of 2^level leaves. The leaf count must be a multiple of that.
    [[nodiscard]] Result<std::vector<MmrPlacedNode>, MmrError> append_subtree(std::uint8_t level,
                                                                              const MmrNode& node);

    [[nodiscard]] std::uint64_t leaf_count() const noexcept { return leaf_count_; }
    [[nodiscard]] const std::vector<MmrNode>& peaks() const noexcept { return peaks_; }

    /// What a header commits to as its history root.
    [[nodiscard]] Hash256 root() const noexcept;

    friend bool operator==(const MmrPeaks&, const MmrPeaks&) = default;

    void encode_to(auto& sink) const {
        write_integer(sink, leaf_count_);
        encode_into(sink, bounded<kMaxPeaks>(peaks_));
    }
    [[nodiscard]] static Result<MmrPeaks, CodecError> decode_from(Reader& reader);

  private:
    std::uint64_t leaf_count_ = 0;
    std::vector<MmrNode> peaks_;
};

/// Shows that a leaf stands in a range: the nodes beside its path and the other peaks.
struct MmrProof {
    static constexpr std::size_t kMaxNodes = 64;

    std::uint64_t leaf_index = 0;
    std::uint64_t leaf_count = 0;
    std::vector<MmrNode> siblings;     ///< from the leaf's level up to below its peak
    std::vector<MmrNode> other_peaks;  ///< from left to right, without the leaf's own

    friend bool operator==(const MmrProof&, const MmrProof&) = default;

    static auto fields(auto& self) {
        return field_list(self.leaf_index, self.leaf_count, bounded<kMaxNodes>(self.siblings),
                          bounded<kMaxNodes>(self.other_peaks));
    }
};

/// Shows that one range begins with another: the peaks of the old one and the subtrees that lead to
/// the new one.
struct MmrPrefixProof {
    static constexpr std::size_t kMaxSubtrees = 128;

    std::uint64_t old_count = 0;
    std::uint64_t new_count = 0;
    std::vector<MmrNode> old_peaks;
    std::vector<MmrNode> subtrees;

    friend bool operator==(const MmrPrefixProof&, const MmrPrefixProof&) = default;

    static auto fields(auto& self) {
        return field_list(self.old_count, self.new_count,
                          bounded<MmrPeaks::kMaxPeaks>(self.old_peaks),
                          bounded<kMaxSubtrees>(self.subtrees));
    }
};

/// Gives the stored node at a place, or nothing. Storage and tests pass a lambda.
template <class Source>
concept MmrSource = requires(const Source& source, MmrPosition position) {
    { source(position) } -> std::same_as<std::optional<MmrNode>>;
};

/// Places of the peaks of a range of that many leaves, from left to right.
[[nodiscard]] std::vector<MmrPosition> mmr_peak_positions(std::uint64_t leaf_count);

/// Places of the subtrees that extend a range from `old_count` to `new_count` leaves, from left to
/// right.
[[nodiscard]] std::vector<MmrPosition> mmr_extension_positions(std::uint64_t old_count,
                                                               std::uint64_t new_count);

/// Checks that the leaf is number proof.leaf_index of the range with this root.
[[nodiscard]] Result<void, MmrError> mmr_verify(const Hash256& root, const MmrLeaf& leaf,
                                                const MmrProof& proof);

/// Checks that the range with `new_root` begins with the one with `old_root`.
[[nodiscard]] Result<void, MmrError> mmr_verify_prefix(const Hash256& old_root,
                                                       const Hash256& new_root,
                                                       const MmrPrefixProof& proof);

namespace mmr_detail {

template <MmrSource Source>
Result<std::vector<MmrNode>, MmrError> collect(const Source& source,
                                               const std::vector<MmrPosition>& positions) {
    std::vector<MmrNode> nodes;
    nodes.reserve(positions.size());
    for (const MmrPosition& position : positions) {
        const std::optional<MmrNode> node = source(position);
        if (!node) return fail(MmrError::node_missing);
        nodes.push_back(*node);
    }
    return nodes;
}

// Places beside the path of a leaf, and the peaks that do not cover it.
struct ProofPositions {
    std::vector<MmrPosition> siblings;
    std::vector<MmrPosition> other_peaks;
};
ProofPositions proof_positions(std::uint64_t leaf_index, std::uint64_t leaf_count);

}  // namespace mmr_detail

/// The state after the first `leaf_count` leaves, from stored nodes.
template <MmrSource Source>
[[nodiscard]] Result<MmrPeaks, MmrError> mmr_load(const Source& source, std::uint64_t leaf_count) {
    TRY_ASSIGN(auto peaks, mmr_detail::collect(source, mmr_peak_positions(leaf_count)));
    return MmrPeaks::from_peaks(leaf_count, std::move(peaks));
}

/// The proof for a leaf of the range of the first `leaf_count` leaves. Precondition: leaf_index <
/// leaf_count.
template <MmrSource Source>
[[nodiscard]] Result<MmrProof, MmrError> mmr_prove(const Source& source, std::uint64_t leaf_index,
                                                   std::uint64_t leaf_count) {
    const auto positions = mmr_detail::proof_positions(leaf_index, leaf_count);
    TRY_ASSIGN(auto siblings, mmr_detail::collect(source, positions.siblings));
    TRY_ASSIGN(auto other_peaks, mmr_detail::collect(source, positions.other_peaks));
    return MmrProof{leaf_index, leaf_count, std::move(siblings), std::move(other_peaks)};
}

/// The proof that the first `new_count` leaves begin with the first `old_count`. Precondition: old
/// <= new.
template <MmrSource Source>
[[nodiscard]] Result<MmrPrefixProof, MmrError> mmr_prove_prefix(const Source& source,
                                                                std::uint64_t old_count,
                                                                std::uint64_t new_count) {
    TRY_ASSIGN(auto old_peaks, mmr_detail::collect(source, mmr_peak_positions(old_count)));
    TRY_ASSIGN(auto subtrees,
               mmr_detail::collect(source, mmr_extension_positions(old_count, new_count)));
    return MmrPrefixProof{old_count, new_count, std::move(old_peaks), std::move(subtrees)};
}

}  // namespace gradient::chain
