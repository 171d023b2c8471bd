#pragma once

// Judges a chain by its end and by samples of its history, drawn by work (chain/SPEC.md section
// 25). It asks, takes answers, and has units replayed elsewhere:
//
//   HistoryJudge judge(network, claim, seed, now_ms);
//   while (!judge.verdict()) {
//       for (question : judge.ask()) ...         to whoever claims the chain
//       judge.take_...(answer);                  in any order
//       for (job : judge.jobs()) judge.take_result(run_light_job(job, ..));
//   }

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/light/history_errors.hpp"
#include "chain/light/history_sample.hpp"
#include "chain/light/light_network.hpp"
#include "chain/light/work_judge.hpp"
#include "chain/light/work_sampling.hpp"
#include "chain/types/header.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace gradient::chain {

/// What somebody says is the end of a chain.
struct HistoryClaim {
    std::uint64_t height = 0;
    Hash256 tip;
    U256 cumulative_work;  ///< with the tip
};

/// Asks for the tail up to a tip.
struct AskTail {
    Hash256 tip;
    std::uint32_t blocks = 0;
    friend bool operator==(const AskTail&, const AskTail&) = default;
};

/// Asks for the blocks below the anchor that stand at these values of cumulative work.
struct AskSamples {
    Hash256 anchor;
    std::vector<U256> works;
    friend bool operator==(const AskSamples&, const AskSamples&) = default;
};
using HistoryQuestion = std::variant<AskTail, AskSamples, AskEvidence, AskChunk>;

/// A chain that is believed.
struct BelievedHistory {
    Hash256 tip;
    U256 cumulative_work;
    std::size_t samples = 0;   ///< drawn
    std::size_t replays = 0;   ///< units replayed, those of the tail among them
    std::vector<Header> tail;  ///< its last headers, ascending; the last one is the tip
};

/// Sans-I/O: belongs to one thread, reads no clock, owns no randomness. Holds headers, at most
/// kOpenEvidence pieces of evidence and one task's data.
class HistoryJudge {
  public:
    /// Samples that one question asks for.
    static constexpr std::size_t kSamplesPerQuestion = 64;

    /// `seed` must be random and the judge's own; `now_ms` is the clock that the tip's time is
    /// measured by.
    HistoryJudge(LightNetwork network, const HistoryClaim& claim, const Hash256& seed,
                 std::uint64_t now_ms);
    HistoryJudge(const HistoryJudge&) = delete;
    HistoryJudge& operator=(const HistoryJudge&) = delete;

    /// What is to be asked now; each question is given once. Nothing once there is a verdict.
    [[nodiscard]] std::vector<HistoryQuestion> ask();
    /// What is to be computed now; each job is given once.
    [[nodiscard]] std::vector<LightJob> jobs();

    /// Answers, in any order. What has not been asked for is ignored.
    void take_tail(const HistoryTail& tail);
    /// The answer to the samples asked for last: they are asked for one question at a time.
    void take_samples(const std::vector<HistorySample>& samples);
    void take_evidence(const Hash256& id, StandaloneEvidence evidence);
    void take_chunk(std::uint32_t task, std::uint32_t chunk, ByteSpan bytes);
    /// One result for each job.
    void take_result(const LightJobResult& result);

    /// Whether the chain is believed, once it is known.
    [[nodiscard]] const std::optional<Result<BelievedHistory, HistoryFailure>>& verdict()
        const noexcept {
        return verdict_;
    }
    [[nodiscard]] const HistoryClaim& claim() const noexcept { return claim_; }

  private:
    enum class Stage : std::uint8_t { begin, tail, samples, work };

    Result<void, HistoryFailure> check_tail(const HistoryTail& tail);
    Result<void, HistoryFailure> check_links(const HistoryTail& tail);
    Result<void, HistoryFailure> draw(const HistoryTail& tail);
    Result<void, HistoryFailure> check_sample(const HistorySample& sample, const U256& work) const;
    void settle(const Result<void, HistoryFailure>& step);
    void want(const Header& header);
    void begin_work();

    LightNetwork network_;
    HistoryClaim claim_;
    Hash256 seed_;
    std::uint64_t now_ms_ = 0;
    Stage stage_ = Stage::begin;
    std::vector<Header> tail_;
    Header anchor_;  // the tail's first header
    Hash256 anchor_id_;
    std::vector<U256> works_;
    std::size_t asked_ = 0;     // of works_
    std::size_t answered_ = 0;  // of works_
    std::set<Hash256> wanted_;  // whose work is to be proved
    std::vector<Header> headers_;
    std::optional<WorkJudge> work_;
    std::optional<Result<BelievedHistory, HistoryFailure>> verdict_;
};

}  // namespace gradient::chain
