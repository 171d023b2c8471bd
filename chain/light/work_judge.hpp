#pragma once

// Whether the last units of a set of headers were really run: asks for their evidence, for the data
// of the user tasks among them, and has units replayed. One task after another, so that no more
// than one task's data is in memory.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/light/history_errors.hpp"
#include "chain/light/light_network.hpp"
#include "chain/light/standalone_evidence.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/types/header.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace gradient::chain {

/// Headers whose evidence is under way or being replayed at a time: half a megabyte each at most.
inline constexpr std::size_t kOpenEvidence = 8;
/// Chunks of a task's data that are under way at a time.
inline constexpr std::size_t kOpenChunks = 8;
/// Bytes of user tasks' data that are fetched for one judgement.
inline constexpr std::uint64_t kMaxTaskData = std::uint64_t{512} << 20U;

/// Asks for a header's standalone evidence.
struct AskEvidence {
    Hash256 id;
    friend bool operator==(const AskEvidence&, const AskEvidence&) = default;
};

/// Asks for a chunk of a user task's data.
struct AskChunk {
    std::uint32_t task = 0;
    std::uint32_t chunk = 0;
    friend bool operator==(const AskChunk&, const AskChunk&) = default;
};
using WorkQuestion = std::variant<AskEvidence, AskChunk>;

/// A unit to replay.
struct EvidenceJob {
    Header header;
    std::shared_ptr<const StandaloneEvidence> evidence;
    SharedTask task;
};

/// Data to make a task of.
struct TaskJob {
    TaskRecord record;
    std::shared_ptr<const Bytes> data;
};

/// What takes the solver core, and goes to another thread.
using LightJob = std::variant<EvidenceJob, TaskJob>;

/// What came of a job; null for a replay that gave its digest.
using LightJobResult = Result<SharedTask, EvidenceError>;

/// Does a job. For any thread, with trainers of its own.
[[nodiscard]] LightJobResult run_light_job(const LightJob& job, const ConsensusParams& params,
                                           Trainers& trainers);

class WorkJudge {
  public:
    /// The headers must satisfy check_header_form; none twice. `network` must outlive the judge.
    WorkJudge(const LightNetwork& network, std::vector<Header> headers);

    /// What is to be asked now; each question is given once.
    [[nodiscard]] std::vector<WorkQuestion> ask();
    /// What is to be computed now; each job is given once.
    [[nodiscard]] std::vector<LightJob> jobs();

    /// Answers, in any order. What has not been asked for is ignored.
    [[nodiscard]] Result<void, HistoryFailure> take_evidence(const Hash256& id,
                                                             StandaloneEvidence evidence);
    [[nodiscard]] Result<void, HistoryFailure> take_chunk(std::uint32_t task, std::uint32_t chunk,
                                                          ByteSpan bytes);
    /// One result for each job, in any order.
    [[nodiscard]] Result<void, HistoryFailure> take_result(const LightJobResult& result);

    /// Whether every header's work is proved.
    [[nodiscard]] bool finished() const noexcept {
        return next_ == headers_.size() && open_.empty() && running_ == 0 && jobs_.empty();
    }
    [[nodiscard]] std::size_t headers() const noexcept { return headers_.size(); }
    [[nodiscard]] std::size_t proved() const noexcept { return proved_; }

  private:
    // The task whose headers are being judged.
    struct Group {
        std::uint32_t task = kGenesisTask;
        std::optional<TaskRecord> record;
        SharedTask runtime;
        Bytes data;
        std::uint32_t next_chunk = 0;
        std::map<std::uint32_t, bool> open_chunks;  // those under way
        std::size_t chunks_here = 0;
        std::optional<EvidenceJob> held;  // the first evidence, until there is a runtime
    };

    void begin_group();
    [[nodiscard]] bool group_ended() const noexcept;
    [[nodiscard]] std::size_t wanted_evidence() const noexcept;
    void ask_chunks(std::vector<WorkQuestion>& questions);
    Result<void, HistoryFailure> begin_data();

    const LightNetwork& network_;
    std::vector<Header> headers_;  // ordered by task
    std::size_t next_ = 0;         // the next one to ask for
    std::map<Hash256, Header> open_;
    std::vector<LightJob> jobs_;
    std::size_t running_ = 0;
    std::size_t proved_ = 0;
    std::uint64_t data_bytes_ = 0;
    Group group_;
};

}  // namespace gradient::chain
