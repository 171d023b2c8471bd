#pragma once

#include "chain/base/bytes.hpp"
#include "chain/light/history_judge.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/offence.hpp"
#include "node/p2p/peer_id.hpp"
#include "node/sync/outlets.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {

/// Why judging a chain came to no end.
enum class SamplingStop : std::uint8_t {
    withheld,   // the peer does not have what it was asked for
    stalled,    // it sent nothing for too long, or not all in time
    too_large,  // what it sent exceeds SamplingLimits::max_bytes
    peer_left,  // the connection has ended
};

/// What came of judging a peer's chain. A chain that is not believed says nothing of the same chain
/// from another peer, unless the failure is one of its headers.
struct SamplingVerdict {
    PeerId peer{};
    chain::HistoryClaim claim;
    std::variant<chain::BelievedHistory, chain::HistoryFailure, SamplingStop> result;

    [[nodiscard]] bool is_believed() const noexcept { return result.index() == 0; }
};

/// One sentence for the verdict.
[[nodiscard]] std::string describe(const SamplingVerdict& verdict);

/// How far judging has come, and what it has cost.
struct SamplingStatus {
    std::size_t questions = 0;  ///< asked
    std::uint64_t bytes = 0;    ///< received
    std::size_t jobs = 0;       ///< handed out: replays, and tasks made
};

/// What judging one chain may take.
struct SamplingLimits {
    std::chrono::seconds timeout = kSamplingTimeout;   ///< of silence
    std::chrono::seconds max_time = kMaxSamplingTime;  ///< in all
    std::uint64_t max_bytes = kMaxSamplingBytes;
};

/// What a sampler wants of the world; see SyncOutlets.
struct SamplerOutlets {
    std::function<void(PeerId, Message)> send;
    std::function<void(PeerId, const Offence&)> report;
    /// Has a job done on any thread (chain::run_light_job); job_done() takes the result.
    std::function<void(chain::LightJob)> run;
    /// Called once, last of all.
    std::function<void(const SamplingVerdict&)> finished;
};

/// Judges the chain that one peer claims, by its messages alone: for a newcomer and for a light
/// client. The peer should offer Service::evidence: not to have any is held against it. Sans-I/O,
/// on one strand.
class HistorySampler {
  public:
    /// `seed` must be random and nobody else's; `now_ms` is this node's clock.
    HistorySampler(chain::LightNetwork network, PeerId peer, const chain::HistoryClaim& claim,
                   const chain::Hash256& seed, std::uint64_t now_ms, SamplerOutlets outlets,
                   const SamplingLimits& limits = {});

    /// Asks the first question.
    void start(SteadyTime now);

    /// Messages of the peer that belong here: answers to nothing asked are held against it. Those
    /// of other peers are passed over.
    void on_tail(PeerId peer, const Tail& message, SteadyTime now);
    void on_samples(PeerId peer, const Samples& message, SteadyTime now);
    void on_evidence(PeerId peer, Evidence message, SteadyTime now);
    void on_task_data(PeerId peer, const TaskData& message, SteadyTime now);
    /// Items that were not asked for here are passed over.
    void on_not_found(PeerId peer, const NotFound& message, SteadyTime now);
    void peer_left(PeerId peer);

    /// The result of a job that run() was given. May come after the end.
    void job_done(const chain::LightJobResult& result, SteadyTime now);
    /// To be called about once a second.
    void tick(SteadyTime now);

    [[nodiscard]] PeerId peer() const noexcept { return peer_; }
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] const SamplingStatus& status() const noexcept { return status_; }

  private:
    [[nodiscard]] bool is_ours(PeerId peer) const noexcept { return peer == peer_ && !ended_; }
    bool count(std::size_t bytes, SteadyTime now);
    void go_on(SteadyTime now);
    void ask(const chain::HistoryQuestion& question);
    void unsolicited();
    void end(const SamplingVerdict& verdict);
    void stop(SamplingStop why, std::optional<ProtocolOffence> offence);

    PeerId peer_;
    SamplerOutlets outlets_;
    SamplingLimits limits_;
    chain::HistoryJudge judge_;
    SamplingStatus status_;
    // What has been asked and not answered.
    bool open_tail_ = false;
    std::optional<chain::Hash256> open_samples_;
    std::set<chain::Hash256> open_evidence_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> open_chunks_;
    SteadyTime started_;
    SteadyTime heard_;  // or asked, if that was later
    bool ended_ = false;
};

}  // namespace gradient::node
