#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace gradient::node {

/// Which of two waiting jobs starts first. Jobs of one priority start in the order of their
/// posting.
enum class Priority : std::uint8_t {
    verify,  ///< somebody waits for the answer: verifying blocks
    mine,    ///< lanes and evaluation: short jobs that post themselves again
    audit,   ///< replaying what nobody waits for: runs where no lane does, and a little beside them
};

/// A fixed number of threads for CPU work. A job runs to its end once started, so long work is cut
/// into jobs of some milliseconds, and between two of them whatever has more priority gets its
/// turn. Lanes on all threads would keep audits out for good: for each second of mining, audits may
/// go before it for `audit_share` seconds, never before verification.
class WorkerPool {
  public:
    /// The audits' share unless told otherwise.
    static constexpr double kDefaultAuditShare = 0.02;
    /// What audits may save up of their share (seconds), so that they never hold up the lanes long.
    static constexpr double kMaxAuditCredit = 0.05;

    /// A job learns from the token that its result is no longer wanted.
    using Job = std::function<void(std::stop_token)>;

    /// Starts `threads` threads (at least one).
    explicit WorkerPool(unsigned threads, double audit_share = kDefaultAuditShare);

    /// Stops the tokens of all jobs, lets each waiting one see that, and joins.
    ~WorkerPool();

    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Queues a job. It is called exactly once, on a thread of the pool; its token is stopped when
    /// `stop` is or when the pool closes, perhaps before the job starts. An exception that leaves
    /// the job is logged and counted.
    void post(Priority priority, std::stop_token stop, Job job);

    /// Number of threads.
    [[nodiscard]] unsigned size() const noexcept { return static_cast<unsigned>(threads_.size()); }

    /// Jobs that ended by an exception.
    [[nodiscard]] std::size_t failures() const;

  private:
    struct Waiting {
        std::stop_token stop;
        Job job;
    };
    static constexpr std::size_t kPriorities = 3;

    [[nodiscard]] bool waits(Priority priority) const noexcept {
        return !queues_[static_cast<std::size_t>(priority)].empty();
    }
    [[nodiscard]] std::optional<Priority> next() const noexcept;
    void run(const std::stop_token& closing);
    void execute(const std::stop_token& closing, const Waiting& waiting) noexcept;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::array<std::deque<Waiting>, kPriorities> queues_;  // under mutex_
    std::size_t failures_ = 0;                             // under mutex_
    double audit_share_;
    double audit_credit_ = 0;  // seconds that audits may take from mining; under mutex_
    std::stop_source closing_;
    std::vector<std::jthread> threads_;  // last: they use everything above
};

}  // namespace gradient::node
