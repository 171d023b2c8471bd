#pragma once

// Grammar (chain/SPEC.md section 9, standalone form):
//
//   standalone evidence  previous digest, loss i64, gradient hash, parameters (bytes),
//                        optional task proof
//   task proof           entry (bytes), state proof

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/params.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/state/state_proof.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/types/header.hpp"
#include "chain/types/limits.hpp"
#include "chain/types/task.hpp"
#include "model/task.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

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
    Hash256 previous_digest;        ///< s_{K-2}; zero for K = 1
    std::int64_t loss = 0;          ///< loss_{K-1}, in units of 2^-32
    Hash256 gradient;               ///< H(G_{K-1})
    Bytes parameters;               ///< theta_{K-1}, coded as the difference from zeros
    std::optional<TaskProof> task;  ///< of a user task; the genesis task is the chain spec's

    friend bool operator==(const StandaloneEvidence&, const StandaloneEvidence&) = default;
    static auto fields(auto& self) {
        return field_list(self.previous_digest, self.loss, self.gradient,
                          bounded<kMaxDeltaBytes>(self.parameters), self.task);
    }
};

/// Why standalone evidence shows no work.
enum class EvidenceError : std::uint8_t {
    bad_header,        // the header breaks a rule of form (check_header_form)
    wrong_task_proof,  // a user task's record is missing or not in the state that the header
                       // commits to; or one comes with a block of the genesis task
    bad_task,          // the record is of another task, or no user task may have its shape
    bad_data,          // the data are not the record's, do not fit its shape, or have no substance
    ticket_above_target,  // ticket of the last digest > win target of the task's unit
    bad_coding,           // the parameters are not the canonical coding of so many numbers
    bad_start,            // K = 1: previous digest, loss or gradient is not zero
    replay_differs,       // the replay of unit K does not give the header's last digest
};

/// One sentence for the error.
[[nodiscard]] std::string_view describe(EvidenceError error) noexcept;

/// The evidence of a winner's segment, without a task's proof: the state that unit K started from.
[[nodiscard]] StandaloneEvidence make_standalone_evidence(const CheckedSegment& winner);

/// The task that the header trains: the chain spec's, or the one that the evidence proves to be in
/// the state before the block. Its shape is one that the rules for transactions let in.
[[nodiscard]] Result<TaskRecord, EvidenceError> proved_task(const Header& header,
                                                            const StandaloneEvidence& evidence,
                                                            const TaskRecord& genesis,
                                                            const ConsensusParams& params);

/// The runtime of a user task from data that anybody may have sent.
[[nodiscard]] Result<SharedTask, EvidenceError> make_proved_task(const TaskRecord& record,
                                                                 ByteSpan data);

/// Checks that the header's last unit was run: form, ticket, the digests up to s_{K-1}, one replay.
/// `task` must be the one that proved_task() gives, and the trainer the task's.
[[nodiscard]] Result<void, EvidenceError> verify_standalone_evidence(
    const Header& header, const StandaloneEvidence& evidence, const TaskRuntime& task,
    const ConsensusParams& params, model::Trainer& trainer);

}  // namespace gradient::chain
