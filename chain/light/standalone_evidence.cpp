#include "chain/light/standalone_evidence.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/state/entries.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/types/data.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/task_model.hpp"
#include "chain/work/unit.hpp"

#include <utility>
#include <vector>

namespace gradient::chain {

namespace {

// s_{K-1} as the evidence has it. Where a lane starts is not seen from a header, so that the state
// of unit 0 (K = 1) and s_0 (K = 2) are free: another one costs another unit all the same.
Result<Hash256, EvidenceError> digest_before_last(const Header& header, const Hash256& lane,
                                                  const StandaloneEvidence& evidence,
                                                  const Hash256& model) noexcept {
    if (header.units > 1) {
        const Hash256 state = state_digest(model, evidence.loss, evidence.gradient);
        return unit_digest(lane, header.units - 1, evidence.previous_digest, state);
    }
    if (!evidence.previous_digest.is_zero() || evidence.loss != 0 || !evidence.gradient.is_zero()) {
        return fail(EvidenceError::bad_start);
    }
    return lane_digest(lane, start_digest(model));
}

}  // namespace

std::string_view describe(EvidenceError error) noexcept {
    switch (error) {
        case EvidenceError::bad_header:
            return "the header breaks a rule of form";
        case EvidenceError::wrong_task_proof:
            return "the task is not proved to be in the state that the header commits to";
        case EvidenceError::bad_task:
            return "the task is not one that a block may train";
        case EvidenceError::bad_data:
            return "the data are not the task's, or nothing can be trained on them";
        case EvidenceError::ticket_above_target:
            return "the ticket of the last digest does not win";
        case EvidenceError::bad_coding:
            return "the parameters are not coded as the rules ask";
        case EvidenceError::bad_start:
            return "the state before the first unit has a digest, a loss or a gradient";
        case EvidenceError::replay_differs:
            return "the replay of the last unit does not give the header's last digest";
    }
    return "unknown evidence error";
}

StandaloneEvidence make_standalone_evidence(const CheckedSegment& winner) {
    const CodedState& before = winner.body().openings.back().before;
    const auto parameters = decode_delta(*winner.start().parameters, before.delta);
    CHECK(parameters);  // check_segment has decoded it
    const std::uint32_t units = winner.body().units();
    StandaloneEvidence evidence;
    if (units > 1) evidence.previous_digest = winner.digests()[units - 2];
    evidence.loss = before.loss;
    evidence.gradient = before.gradient;
    evidence.parameters = encode_delta(std::vector<std::int32_t>(parameters->size()), *parameters);
    return evidence;
}

Result<TaskRecord, EvidenceError> proved_task(const Header& header,
                                              const StandaloneEvidence& evidence,
                                              const TaskRecord& genesis,
                                              const ConsensusParams& params) {
    const std::uint32_t id = header.tmpl.task;
    if ((id == kGenesisTask) == evidence.task.has_value()) {
        return fail(EvidenceError::wrong_task_proof);
    }
    if (!evidence.task) return genesis;
    const TaskProof& proof = *evidence.task;
    if (!verify_inclusion(header.tmpl.state_root, task_key(id), proof.entry, proof.proof)) {
        return fail(EvidenceError::wrong_task_proof);
    }
    auto record = decode_exact<TaskRecord>(proof.entry);
    if (!record || record->id != id || !is_task_shape(record->shape, params) ||
        record->data_bytes == 0 || record->data_bytes > kMaxDataBytes) {
        return fail(EvidenceError::bad_task);
    }
    return *std::move(record);
}

Result<SharedTask, EvidenceError> make_proved_task(const TaskRecord& record, ByteSpan data) {
    if (data.size() != record.data_bytes || data_root(data) != record.data_root ||
        !check_task_data(record, data)) {
        return fail(EvidenceError::bad_data);
    }
    auto task = make_task_runtime(record, data);
    if (!task) return fail(EvidenceError::bad_data);
    return *std::move(task);
}

Result<void, EvidenceError> verify_standalone_evidence(const Header& header,
                                                       const StandaloneEvidence& evidence,
                                                       const TaskRuntime& task,
                                                       const ConsensusParams& params,
                                                       model::Trainer& trainer) {
    if (!check_header_form(header, params)) return fail(EvidenceError::bad_header);
    if (!check_claim(header, task.unit_work, params)) {
        return fail(EvidenceError::ticket_above_target);
    }
    const std::vector<std::int32_t> zeros(model::parameter_count(to_model(task.record.shape)));
    auto parameters = decode_delta(zeros, evidence.parameters);
    if (!parameters) return fail(EvidenceError::bad_coding);
    const Hash256 lane = template_hash(header.tmpl);
    TRY_ASSIGN(const Hash256 previous,
               digest_before_last(header, lane, evidence, model_digest(*parameters)));
    const auto outcome = run_unit(trainer, lane, header.units, previous, *parameters);
    if (!outcome || outcome->digest != header.last_digest) {
        return fail(EvidenceError::replay_differs);
    }
    return {};
}

}  // namespace gradient::chain
