#include "chain/base/mmr.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace gradient::chain {

namespace {

// Whether `right` goes on where `left` ends.
bool meet(const MmrNode& left, const MmrNode& right) noexcept {
    return left.last_height < right.first_height && left.last_height + 1 == right.first_height &&
           left.last_time_ms < right.first_time_ms && left.work_after == right.work_before;
}

// Two neighbouring ranges as one, with the given kind of hash.
Result<MmrNode, MmrError> merge(const TaggedHasher& hasher, const MmrNode& left,
                                const MmrNode& right) noexcept {
    if (!meet(left, right)) return fail(MmrError::not_contiguous);
    return MmrNode{.hash = hash_encoded(hasher, left, right),
                   .first_height = left.first_height,
                   .last_height = right.last_height,
                   .first_time_ms = left.first_time_ms,
                   .last_time_ms = right.last_time_ms,
                   .work_before = left.work_before,
                   .work_after = right.work_after};
}

Result<MmrNode, MmrError> bag(const MmrNode& left, const MmrNode& right) noexcept {
    static const TaggedHasher kHasher("gradient/mmr/bag");
    return merge(kHasher, left, right);
}

// Whether a node can cover 2^level blocks. Heights have no gaps, so it must span as many; the rest
// keeps a proof from naming a range that runs backwards.
bool has_shape(const MmrNode& node, std::uint8_t level) noexcept {
    const std::uint64_t steps = (std::uint64_t{1} << level) - 1;
    return node.first_height <= node.last_height && node.last_height - node.first_height == steps &&
           node.first_time_ms <= node.last_time_ms && node.work_before < node.work_after;
}

}  // namespace

Result<MmrNode, MmrError> mmr_leaf_node(const MmrLeaf& leaf) noexcept {
    static const TaggedHasher kHasher("gradient/mmr/leaf");
    if (leaf.work_after <= leaf.work_before) return fail(MmrError::bad_leaf);
    return MmrNode{.hash = hash_encoded(kHasher, leaf),
                   .first_height = leaf.height,
                   .last_height = leaf.height,
                   .first_time_ms = leaf.time_ms,
                   .last_time_ms = leaf.time_ms,
                   .work_before = leaf.work_before,
                   .work_after = leaf.work_after};
}

Result<MmrNode, MmrError> mmr_join(const MmrNode& left, const MmrNode& right) noexcept {
    static const TaggedHasher kHasher("gradient/mmr/node");
    return merge(kHasher, left, right);
}

std::vector<MmrPosition> mmr_peak_positions(std::uint64_t leaf_count) {
    return mmr_extension_positions(0, leaf_count);
}

std::vector<MmrPosition> mmr_extension_positions(std::uint64_t old_count, std::uint64_t new_count) {
    std::vector<MmrPosition> positions;
    for (std::uint64_t at = old_count; at < new_count;) {
        // The largest subtree that begins here and fits.
        const int aligned = at == 0 ? 63 : std::countr_zero(at);
        const int level = std::min(aligned, static_cast<int>(std::bit_width(new_count - at)) - 1);
        positions.push_back({static_cast<std::uint8_t>(level), at >> level});
        at += std::uint64_t{1} << level;
    }
    return positions;
}

namespace mmr_detail {

ProofPositions proof_positions(std::uint64_t leaf_index, std::uint64_t leaf_count) {
    CHECK(leaf_index < leaf_count);
    ProofPositions positions;
    for (const MmrPosition& peak : mmr_peak_positions(leaf_count)) {
        if (leaf_index >> peak.level != peak.index) {
            positions.other_peaks.push_back(peak);
            continue;
        }
        for (std::uint8_t level = 0; level < peak.level; ++level) {
            positions.siblings.push_back({level, (leaf_index >> level) ^ 1});
        }
    }
    return positions;
}

}  // namespace mmr_detail

Result<MmrPeaks, MmrError> MmrPeaks::from_peaks(std::uint64_t leaf_count,
                                                std::vector<MmrNode> peaks) {
    if (leaf_count >> 63 != 0) return fail(MmrError::bad_shape);
    const auto positions = mmr_peak_positions(leaf_count);
    if (positions.size() != peaks.size()) return fail(MmrError::bad_shape);
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        if (!has_shape(peaks[i], positions[i].level)) return fail(MmrError::bad_shape);
        if (i > 0 && !meet(peaks[i - 1], peaks[i])) return fail(MmrError::not_contiguous);
    }
    MmrPeaks state;
    state.leaf_count_ = leaf_count;
    state.peaks_ = std::move(peaks);
    return state;
}

Result<std::vector<MmrPlacedNode>, MmrError> MmrPeaks::append(const MmrLeaf& leaf) {
    TRY_ASSIGN(const MmrNode node, mmr_leaf_node(leaf));
    return append_subtree(0, node);
}

Result<std::vector<MmrPlacedNode>, MmrError> MmrPeaks::append_subtree(std::uint8_t level,
                                                                      const MmrNode& node) {
    if (level >= 63) return fail(MmrError::bad_shape);
    const std::uint64_t size = std::uint64_t{1} << level;
    if (leaf_count_ % size != 0 || leaf_count_ + size >= std::uint64_t{1} << 63) {
        return fail(MmrError::bad_shape);
    }
    if (!has_shape(node, level)) return fail(MmrError::bad_shape);
    // The last peak joins nothing if the count is even, but must meet the new node all the same.
    if (!peaks_.empty() && !meet(peaks_.back(), node)) return fail(MmrError::not_contiguous);

    std::vector<MmrPlacedNode> completed{{{level, leaf_count_ >> level}, node}};
    std::size_t kept = peaks_.size();
    for (std::uint64_t index = leaf_count_ >> level; index % 2 == 1; index /= 2) {
        TRY_ASSIGN(const MmrNode parent, mmr_join(peaks_[--kept], completed.back().node));
        const auto parent_level = static_cast<std::uint8_t>(completed.back().position.level + 1);
        completed.push_back({{parent_level, index / 2}, parent});
    }
    peaks_.resize(kept);
    peaks_.push_back(completed.back().node);
    leaf_count_ += size;
    return completed;
}

Hash256 MmrPeaks::root() const noexcept {
    static const TaggedHasher kHasher("gradient/mmr/root");
    MmrNode bagged = peaks_.empty() ? MmrNode{} : peaks_.back();
    for (std::size_t i = peaks_.size(); i-- > 1;) {
        const auto joined = bag(peaks_[i - 1], bagged);
        CHECK(joined.has_value());  // append and from_peaks let only neighbours in
        bagged = *joined;
    }
    return hash_encoded(kHasher, leaf_count_, bagged);
}

Result<MmrPeaks, CodecError> MmrPeaks::decode_from(Reader& reader) {
    std::uint64_t leaf_count = 0;
    std::vector<MmrNode> peaks;
    TRY(decode_into(reader, leaf_count));
    auto field = bounded<kMaxPeaks>(peaks);
    TRY(decode_into(reader, field));
    auto state = from_peaks(leaf_count, std::move(peaks));
    if (!state) return fail(CodecError::bad_value);
    return *std::move(state);
}

Result<void, MmrError> mmr_verify(const Hash256& root, const MmrLeaf& leaf, const MmrProof& proof) {
    if (proof.leaf_index >= proof.leaf_count || proof.leaf_count >> 63 != 0) {
        return fail(MmrError::bad_shape);
    }
    const auto positions = mmr_detail::proof_positions(proof.leaf_index, proof.leaf_count);
    if (positions.siblings.size() != proof.siblings.size() ||
        positions.other_peaks.size() != proof.other_peaks.size()) {
        return fail(MmrError::bad_shape);
    }
    TRY_ASSIGN(MmrNode node, mmr_leaf_node(leaf));
    for (std::size_t level = 0; level < proof.siblings.size(); ++level) {
        const MmrNode& sibling = proof.siblings[level];
        if (!has_shape(sibling, static_cast<std::uint8_t>(level))) return fail(MmrError::bad_shape);
        const bool on_left = (proof.leaf_index >> level) % 2 == 1;
        TRY_ASSIGN(node, on_left ? mmr_join(sibling, node) : mmr_join(node, sibling));
    }
    // Peaks get smaller to the right, so the leaf's own stands where its level says.
    std::vector<MmrNode> peaks = proof.other_peaks;
    const auto before =
        std::count_if(positions.other_peaks.begin(), positions.other_peaks.end(),
                      [&](const MmrPosition& peak) { return peak.level > proof.siblings.size(); });
    peaks.insert(peaks.begin() + before, node);
    TRY_ASSIGN(const auto state, MmrPeaks::from_peaks(proof.leaf_count, std::move(peaks)));
    if (state.root() != root) return fail(MmrError::wrong_root);
    return {};
}

Result<void, MmrError> mmr_verify_prefix(const Hash256& old_root, const Hash256& new_root,
                                         const MmrPrefixProof& proof) {
    if (proof.old_count > proof.new_count || proof.new_count >> 63 != 0) {
        return fail(MmrError::bad_shape);
    }
    TRY_ASSIGN(auto state, MmrPeaks::from_peaks(proof.old_count, proof.old_peaks));
    if (state.root() != old_root) return fail(MmrError::wrong_root);
    const auto positions = mmr_extension_positions(proof.old_count, proof.new_count);
    if (positions.size() != proof.subtrees.size()) return fail(MmrError::bad_shape);
    for (std::size_t i = 0; i < positions.size(); ++i) {
        TRY(state.append_subtree(positions[i].level, proof.subtrees[i]));
    }
    if (state.root() != new_root) return fail(MmrError::wrong_root);
    return {};
}

}  // namespace gradient::chain
