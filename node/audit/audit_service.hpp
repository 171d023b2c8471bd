#pragma once

#include "chain/crypto/key.hpp"
#include "chain/fraud/auditor.hpp"
#include "node/audit/accuser.hpp"
#include "node/audit/audit_queue.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/training/trainer_pool.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace gradient::node {

/// What audits have come to since the start.
struct AuditStatus {
    double fraction = 0;      ///< of the segments that are drawn
    std::size_t waiting = 0;  ///< drawn segments whose audit has not begun
    std::size_t waiting_bytes = 0;
    std::size_t running = 0;     ///< audits under way
    std::uint64_t segments = 0;  ///< audited to the end, or to a false unit
    std::uint64_t units = 0;     ///< replayed
    std::uint64_t dropped = 0;   ///< drawn, but there was no room or no time
    std::uint64_t proofs = 0;    ///< false units found
    Accuser::Counters accusations;
};

/// Replays whole segments of accepted blocks where no lane wants the thread, and accuses who lied.
/// Segments are drawn when their block is verified, as that is when theta_0 of their lanes is at
/// hand; a restart forgets those that waited. Use it from the ledger's strand only.
class AuditService {
  public:
    struct Options {
        double fraction = 0;  ///< of the others' segments; 0: no audits
        std::size_t max_bytes = AuditQueue::kMaxBytes;
        AuditQueue::Random random;  ///< for tests; the system's otherwise
    };

    /// Audits at a time.
    static constexpr unsigned kMaxParallel = 16;
    /// How long a job of an audit goes on with another unit, at most: a verification that comes
    /// meanwhile waits for it on that thread.
    static constexpr std::chrono::milliseconds kJobTime{3};
    /// Blocks that an accusation takes: a segment that matures sooner is not audited any more.
    static constexpr std::uint64_t kLeastBlocks = 4;

    /// `file` keeps proofs on their way. References must outlive this; so must the pool's running
    /// jobs end before it goes.
    AuditService(LedgerService& ledger, WorkerPool& pool, TrainerPool& trainers,
                 const chain::SecretKey& key, std::filesystem::path file, Options options);

    /// Goes on with the proofs in the file. Throws Failure(data_directory).
    void start();

    /// All segments of a block that was accepted.
    void take(std::uint64_t height, const std::vector<chain::CheckedSegment>& segments);

    /// The tip has changed.
    void tip_changed();

    [[nodiscard]] AuditStatus status() const;

    /// Ends audits and accusing.
    Task<> close();

  private:
    void wake();
    [[nodiscard]] std::optional<AuditCandidate> pick();
    enum class Worth : std::uint8_t { audit, later, never };
    [[nodiscard]] Worth worth_of(const AuditCandidate& candidate) const;
    Task<> run();
    Task<> audit(AuditCandidate candidate);

    LedgerService& ledger_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    chain::PublicKey own_;
    double fraction_;
    AuditQueue queue_;
    Accuser accuser_;
    TaskGroup tasks_;
    std::stop_source stop_;
    std::uint64_t segments_ = 0;
    std::uint64_t units_ = 0;
    std::uint64_t expired_ = 0;
    std::uint64_t proofs_ = 0;
};

}  // namespace gradient::node
