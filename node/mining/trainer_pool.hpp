#pragma once

#include "chain/network.hpp"
#include "model/task.hpp"

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace gradient::node {

/// Trainers of the network's task for whichever thread needs one: made on demand, used by one
/// thread at a time, kept for the next. Thread-safe.
class TrainerPool {
  public:
    /// Gives a trainer back when it goes; must not outlive the pool.
    struct Return {
        TrainerPool* pool;
        void operator()(model::Trainer* trainer) const noexcept;
    };
    using Lease = std::unique_ptr<model::Trainer, Return>;

    /// Throws Failure(failure) if the engine cannot train the task.
    TrainerPool(std::shared_ptr<const chain::Network> network, model::EngineKind engine);

    /// A trainer for the calling thread.
    [[nodiscard]] Lease lease();

    [[nodiscard]] model::EngineKind engine() const noexcept { return engine_; }

  private:
    [[nodiscard]] std::unique_ptr<model::Trainer> make() const;

    std::shared_ptr<const chain::Network> network_;
    model::EngineKind engine_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<model::Trainer>> idle_;  // under mutex_
};

/// The engine of that name; "best" is the fastest one here. Throws Failure(usage) for one that this
/// processor lacks.
[[nodiscard]] model::EngineKind engine_named(std::string_view name);

}  // namespace gradient::node
