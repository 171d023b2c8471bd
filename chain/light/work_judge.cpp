#include "chain/light/work_judge.hpp"

#include "chain/types/data.hpp"
#include "chain/types/limits.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

LightJobResult run_light_job(const LightJob& job, const ConsensusParams& params,
                             Trainers& trainers) {
    if (const auto* task = std::get_if<TaskJob>(&job)) {
        return make_proved_task(task->record, *task->data);
    }
    const auto& one = std::get<EvidenceJob>(job);
    TRY(verify_standalone_evidence(one.header, *one.evidence, *one.task, params,
                                   trainers.trainer_of(one.task)));
    return SharedTask();
}

WorkJudge::WorkJudge(const LightNetwork& network, std::vector<Header> headers)
    : network_(network), headers_(std::move(headers)) {
    std::stable_sort(headers_.begin(), headers_.end(),
                     [](const Header& a, const Header& b) { return a.tmpl.task < b.tmpl.task; });
    begin_group();
}

// Turns to the task of the next header.
void WorkJudge::begin_group() {
    if (next_ == headers_.size()) return;
    group_ = Group();
    group_.task = headers_[next_].tmpl.task;
    if (group_.task == kGenesisTask) group_.runtime = network_.task;
}

bool WorkJudge::group_ended() const noexcept {
    return open_.empty() && running_ == 0 && jobs_.empty() && !group_.held &&
           (next_ == headers_.size() || headers_[next_].tmpl.task != group_.task);
}

// Without a runtime one evidence is enough, as it names the data that a runtime takes.
std::size_t WorkJudge::wanted_evidence() const noexcept {
    if (!group_.runtime) return group_.record || !open_.empty() ? 0 : 1;
    const std::size_t busy = open_.size() + running_ + jobs_.size();
    return busy < kOpenEvidence ? kOpenEvidence - busy : 0;
}

std::vector<WorkQuestion> WorkJudge::ask() {
    std::vector<WorkQuestion> questions;
    if (group_ended()) begin_group();
    for (std::size_t left = wanted_evidence(); left > 0; --left) {
        if (next_ == headers_.size() || headers_[next_].tmpl.task != group_.task) break;
        const Header& header = headers_[next_++];
        const Hash256 id = header_id(header);
        open_.emplace(id, header);
        questions.emplace_back(AskEvidence{id});
    }
    if (group_.record && !group_.runtime) ask_chunks(questions);
    return questions;
}

void WorkJudge::ask_chunks(std::vector<WorkQuestion>& questions) {
    const std::uint64_t count = chunk_count(group_.record->data_bytes);
    while (group_.next_chunk < count && group_.open_chunks.size() < kOpenChunks) {
        group_.open_chunks.emplace(group_.next_chunk, true);
        questions.emplace_back(AskChunk{group_.task, group_.next_chunk++});
    }
}

std::vector<LightJob> WorkJudge::jobs() {
    running_ += jobs_.size();
    return std::exchange(jobs_, {});
}

Result<void, HistoryFailure> WorkJudge::take_evidence(const Hash256& id,
                                                      StandaloneEvidence evidence) {
    const auto found = open_.find(id);
    if (found == open_.end()) return {};
    EvidenceJob job{found->second, nullptr, group_.runtime};
    open_.erase(found);
    auto record = proved_task(job.header, evidence, network_.task->record, network_.params);
    if (!record) return fail(HistoryFailure(record.error()));
    if (group_.record && *group_.record != *record) {
        return fail(HistoryFailure(HistoryFault::task_changed));
    }
    job.evidence = std::make_shared<const StandaloneEvidence>(std::move(evidence));
    if (group_.runtime) {
        group_.record = *std::move(record);
        jobs_.emplace_back(std::move(job));
        return {};
    }
    group_.record = *std::move(record);
    group_.held = std::move(job);
    return begin_data();
}

Result<void, HistoryFailure> WorkJudge::begin_data() {
    data_bytes_ += group_.record->data_bytes;  // at most kMaxDataBytes each
    if (data_bytes_ > kMaxTaskData) return fail(HistoryFailure(HistoryFault::too_much_data));
    group_.data.resize(static_cast<std::size_t>(group_.record->data_bytes));
    return {};
}

Result<void, HistoryFailure> WorkJudge::take_chunk(std::uint32_t task, std::uint32_t chunk,
                                                   ByteSpan bytes) {
    if (task != group_.task || group_.open_chunks.erase(chunk) == 0) return {};
    const std::size_t first = std::size_t{chunk} * kDataChunkBytes;
    if (bytes.size() != std::min(kDataChunkBytes, group_.data.size() - first)) {
        return fail(HistoryFailure(HistoryFault::wrong_chunk));
    }
    std::copy(bytes.begin(), bytes.end(), group_.data.begin() + static_cast<std::ptrdiff_t>(first));
    if (++group_.chunks_here == chunk_count(group_.record->data_bytes)) {
        auto data = std::make_shared<const Bytes>(std::move(group_.data));
        jobs_.emplace_back(TaskJob{*group_.record, std::move(data)});
    }
    return {};
}

Result<void, HistoryFailure> WorkJudge::take_result(const LightJobResult& result) {
    if (running_ == 0) return {};
    --running_;
    if (!result) return fail(HistoryFailure(result.error()));
    if (!*result) {
        ++proved_;
        return {};
    }
    group_.runtime = *result;
    group_.held->task = *result;
    jobs_.emplace_back(*std::move(group_.held));
    group_.held.reset();
    return {};
}

}  // namespace gradient::chain
