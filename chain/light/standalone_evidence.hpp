#pragma once

// Grammar (chain/SPEC.md section 9, standalone form):
//
//   standalone evidence  previous digest, loss i64, gradient hash, parameters (bytes),
//                        optional task proof
//   task proof           entry (bytes), state proof

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/state/state_proof.hpp"
#include "chain/types/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace gradient::chain {

/// Most bytes of a state entry of a task.
inline constexpr std::size_t kMaxTaskEntryBytes = 1024;

/// A task's entry in the state before a block, proved against the state root of its header.
struct TaskProof {
    Bytes entry;
    StateProof proof;

    friend bool operator==(const TaskProof&, const TaskProof&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<kMaxTaskEntryBytes>(self.entry), self.proof);
    }
};

/// Shows that a header's last unit was really run, to somebody who has no state of the chain:
/// together with the task's data it gives s_{K-1}, and the replay of unit K must give s_K.
struct StandaloneEvidence {
    Hash256 previous_digest;         ///< s_{K-2}; zero for K = 1
    std::int64_t loss = 0;           ///< loss_{K-1}, in units of 2^-32
    Hash256 gradient;                ///< H(G_{K-1})
    Bytes parameters;                ///< theta_{K-1}, coded as the difference from zeros
    std::optional<TaskProof> task;   ///< of a user task; the genesis task is the chain spec's

    friend bool operator==(const StandaloneEvidence&, const StandaloneEvidence&) = default;
    static auto fields(auto& self) {
        return field_list(self.previous_digest, self.loss, self.gradient,
                          bounded<kMaxDeltaBytes>(self.parameters), self.task);
    }
};

}  // namespace gradient::chain
