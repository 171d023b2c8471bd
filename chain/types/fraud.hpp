#pragma once

// Grammar (chain/SPEC.md section 22):
//
//   commit fraud     commitment (32 bytes)
//   reveal fraud     commit height u64, salt (32 bytes), proof
//   proof            variant: 0 false unit, 1 double segment
//   false unit       template, unit j u32, digest s_{j-2}, state after unit j - 1 coded against
//                    zeros, digests c_j .. c_K list
//   double segment   template, two of: units u32, last digest, signature (64 bytes)

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/header.hpp"
#include "chain/types/limits.hpp"
#include "chain/types/segment.hpp"

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

namespace gradient::chain {

/// Shows that unit j of an included segment is not what the solver core gives: with the state after
/// unit j - 1 and s_{j-2} it gives c_{j-1} and s_{j-1}; c_j .. c_K lead on to s_K; and the replay
/// of unit j does not give c_j. For j = 1, s_{j-2} is zero and the state is the lane's start.
struct FalseUnitProof {
    Template tmpl;                 ///< of the segment
    std::uint32_t unit = 0;        ///< j
    Hash256 previous_digest;       ///< s_{j-2}; zero for j = 1
    CodedState before;             ///< after unit j - 1; the difference is from all zeros
    std::vector<Hash256> digests;  ///< c_j .. c_K

    friend bool operator==(const FalseUnitProof&, const FalseUnitProof&) = default;
    static auto fields(auto& self) {
        return field_list(self.tmpl, self.unit, self.previous_digest, self.before,
                          bounded<kMaxUnits>(self.digests));
    }
};

/// One of two ends that a miner has signed under one template.
struct SignedEnd {
    std::uint32_t units = 0;
    Hash256 last_digest;
    Signature signature;

    friend bool operator==(const SignedEnd&, const SignedEnd&) = default;
    static auto fields(auto& self) {
        return std::tie(self.units, self.last_digest, self.signature);
    }
};

/// Shows that a miner signed two segments of one lane.
struct DoubleSegmentProof {
    Template tmpl;
    std::array<SignedEnd, 2> ends;  ///< that differ in units or last digest

    friend bool operator==(const DoubleSegmentProof&, const DoubleSegmentProof&) = default;
    static auto fields(auto& self) { return std::tie(self.tmpl, self.ends); }
};

using FraudProof = std::variant<FalseUnitProof, DoubleSegmentProof>;

/// Announces a fraud proof without showing it; locks a deposit. The commitment is
/// H("gradient/fraud-commitment", subject, address of the sender, salt), the subject being the id
/// of the segment (false unit) or the template's hash (double segment).
struct CommitFraud {
    Hash256 commitment;

    friend bool operator==(const CommitFraud&, const CommitFraud&) = default;
    static auto fields(auto& self) { return std::tie(self.commitment); }
};

/// Shows the proof of a commitment of the same sender.
struct RevealFraud {
    std::uint64_t commit_height = 0;  ///< block that holds the commitment
    Hash256 salt;
    FraudProof proof;

    friend bool operator==(const RevealFraud&, const RevealFraud&) = default;
    static auto fields(auto& self) { return std::tie(self.commit_height, self.salt, self.proof); }
};

}  // namespace gradient::chain
