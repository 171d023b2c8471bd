#pragma once

// Grammar (chain/SPEC.md section 3):
//
//   coded state   loss i64, gradient hash, delta bytes (length compact)
//   opening       unit u32, coded state
//   body          digests list, openings list, signature (64 bytes)
//   segment       template, listed ids list, body
//   evidence      previous digest, coded state

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/header.hpp"
#include "chain/types/limits.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gradient::chain {

/// The state after some unit of a lane, in the form that travels. After unit 0, which is the lane's
/// start, loss and gradient hash are zero.
struct CodedState {
    std::int64_t loss = 0;  ///< loss_k, in units of 2^-32
    Hash256 gradient;       ///< H(G_k)
    Bytes delta;            ///< theta_k - theta_0 in the coding of chain/work/delta_codec.hpp

    friend bool operator==(const CodedState&, const CodedState&) = default;

    static auto fields(auto& self) {
        return field_list(self.loss, self.gradient, bounded<kMaxDeltaBytes>(self.delta));
    }
};

/// The state that one unit started from, so that anyone can replay the unit.
struct Opening {
    std::uint32_t unit = 0;  ///< k, counted from 1
    CodedState before;       ///< the state after unit k - 1

    friend bool operator==(const Opening&, const Opening&) = default;

    static auto fields(auto& self) { return std::tie(self.unit, self.before); }
};

/// What a segment holds besides its template and list.
struct SegmentBody {
    std::vector<Hash256> digests;   ///< c_1 .. c_K
    std::vector<Opening> openings;  ///< every hit and the guards, units ascending
    Signature signature;            ///< by the template's miner over segment_message

    friend bool operator==(const SegmentBody&, const SegmentBody&) = default;

    /// K.
    [[nodiscard]] std::uint32_t units() const noexcept {
        return static_cast<std::uint32_t>(digests.size());
    }

    static auto fields(auto& self) {
        return field_list(bounded<kMaxUnits>(self.digests), bounded<kMaxOpenings>(self.openings),
                          self.signature);
    }
};

/// What a lane yields, cut at its last hit.
struct Segment {
    Template tmpl;
    std::vector<Hash256> listed;  ///< ids of the segments behind tmpl.settle_root
    SegmentBody body;

    friend bool operator==(const Segment&, const Segment&) = default;

    static auto fields(auto& self) {
        return field_list(self.tmpl, bounded<kMaxListedSegments>(self.listed), self.body);
    }
};

/// Shows that a header's last unit was really run: with theta_0 known, it gives c_{K-1} and
/// s_{K-1}, and the replay of unit K must give s_K. For K = 1 the state is that after unit 0 and
/// the previous digest is zero.
struct WorkEvidence {
    Hash256 previous_digest;  ///< s_{K-2}; zero for K = 1
    CodedState before;        ///< the state after unit K - 1

    friend bool operator==(const WorkEvidence&, const WorkEvidence&) = default;

    static auto fields(auto& self) { return std::tie(self.previous_digest, self.before); }
};

/// What the miner signs: H(T, K, s_K).
[[nodiscard]] Hash256 segment_message(const Hash256& template_hash, std::uint32_t units,
                                      const Hash256& last_digest) noexcept;

/// What tmpl.settle_root must be for these listed segments.
[[nodiscard]] Hash256 settle_root(std::span<const Hash256> listed);

}  // namespace gradient::chain
