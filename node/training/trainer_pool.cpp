#include "node/training/trainer_pool.hpp"

#include "node/setup/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gradient::node {

TrainerPool::TrainerPool(const chain::SharedTask& first, model::EngineKind engine)
    : engine_(engine) {
    static_cast<void>(lease(first));  // says now what would go wrong later
}

std::unique_ptr<model::Trainer> TrainerPool::make(const chain::SharedTask& task) const {
    auto trainer = task->make_trainer(engine_);
    if (!trainer) {
        throw Failure(ExitCode::failure, fmt::format("The task cannot be trained: {}.",
                                                     model::describe(trainer.error())));
    }
    return std::make_unique<model::Trainer>(*std::move(trainer));
}

TrainerPool::Lease TrainerPool::lease(const chain::SharedTask& task) {
    std::unique_ptr<model::Trainer> trainer;
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find(idle_, task, &Idle::task);
        if (found != idle_.end()) {
            idle_.splice(idle_.begin(), idle_, found);
            if (!found->trainers.empty()) {
                trainer = std::move(found->trainers.back());
                found->trainers.pop_back();
            }
        }
    }
    if (!trainer) trainer = make(task);
    return {trainer.release(), Return{this, task}};
}

void TrainerPool::Return::operator()(model::Trainer* trainer) const noexcept {
    std::unique_ptr<model::Trainer> owned(trainer);
    const std::lock_guard lock(pool->mutex_);
    const auto found = std::ranges::find(pool->idle_, task, &Idle::task);
    if (found != pool->idle_.end()) {
        found->trainers.push_back(std::move(owned));
        return;
    }
    if (pool->idle_.size() == kMaxTasks) pool->idle_.pop_back();
    pool->idle_.push_front({task, {}});
    pool->idle_.front().trainers.push_back(std::move(owned));
}

model::Trainer& LeasedTrainers::trainer_of(const chain::SharedTask& task) {
    auto& lease = leases_[task.get()];
    if (!lease) lease = pool_.lease(task);
    return *lease;
}

model::EngineKind engine_named(std::string_view name) {
    const auto available = model::available_engines();
    if (name == "best" && !available.empty()) return available.front();
    for (const auto kind : available) {
        if (model::engine_name(kind) == name) return kind;
    }
    throw Failure(ExitCode::usage, fmt::format("This processor has no engine {}.", name));
}

}  // namespace gradient::node
