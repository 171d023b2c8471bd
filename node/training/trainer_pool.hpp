#pragma once

#include "chain/tasks/task_runtime.hpp"
#include "model/task.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace gradient::node {

/// Trainers of any task for whichever thread needs one: made on demand, used by one thread at a
/// time, kept for the next. Thread-safe.
class TrainerPool {
  public:
    /// Tasks whose idle trainers are kept; of others they are forgotten, the longest unused first.
    static constexpr std::size_t kMaxTasks = 8;

    /// Gives a trainer back when it goes; must not outlive the pool.
    struct Return {
        TrainerPool* pool;
        chain::SharedTask task;  // outlives the trainer
        void operator()(model::Trainer* trainer) const noexcept;
    };
    using Lease = std::unique_ptr<model::Trainer, Return>;

    /// Throws Failure(failure) if the engine cannot train the first task, that of the network.
    TrainerPool(const chain::SharedTask& first, model::EngineKind engine);

    /// A trainer for the calling thread.
    [[nodiscard]] Lease lease(const chain::SharedTask& task);

    [[nodiscard]] model::EngineKind engine() const noexcept { return engine_; }

  private:
    struct Idle {
        chain::SharedTask task;
        std::vector<std::unique_ptr<model::Trainer>> trainers;
    };
    [[nodiscard]] std::unique_ptr<model::Trainer> make(const chain::SharedTask& task) const;

    model::EngineKind engine_;
    std::mutex mutex_;
    std::list<Idle> idle_;  // last used first; under mutex_
};

/// Trainers leased from a pool, one for each task, kept until this goes. For one thread at a time.
class LeasedTrainers final : public chain::Trainers {
  public:
    explicit LeasedTrainers(TrainerPool& pool) noexcept : pool_(pool) {}

    [[nodiscard]] model::Trainer& trainer_of(const chain::SharedTask& task) override;

  private:
    TrainerPool& pool_;
    std::map<const chain::TaskRuntime*, TrainerPool::Lease> leases_;
};

/// The engine of that name; "best" is the fastest one here. Throws Failure(usage) for one that this
/// processor lacks.
[[nodiscard]] model::EngineKind engine_named(std::string_view name);

}  // namespace gradient::node
