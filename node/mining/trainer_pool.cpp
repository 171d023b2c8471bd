#include "node/mining/trainer_pool.hpp"

#include "node/setup/failure.hpp"

#include <fmt/format.h>

namespace gradient::node {

TrainerPool::TrainerPool(std::shared_ptr<const chain::Network> network, model::EngineKind engine)
    : network_(std::move(network)), engine_(engine) {
    idle_.push_back(make());  // says now what would go wrong later
}

std::unique_ptr<model::Trainer> TrainerPool::make() const {
    auto trainer = network_->make_trainer(engine_);
    if (!trainer) {
        throw Failure(ExitCode::failure, fmt::format("The task cannot be trained: {}.",
                                                     model::describe(trainer.error())));
    }
    return std::make_unique<model::Trainer>(*std::move(trainer));
}

TrainerPool::Lease TrainerPool::lease() {
    std::unique_ptr<model::Trainer> trainer;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            trainer = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!trainer) trainer = make();
    return {trainer.release(), Return{this}};
}

void TrainerPool::Return::operator()(model::Trainer* trainer) const noexcept {
    std::unique_ptr<model::Trainer> owned(trainer);
    const std::lock_guard lock(pool->mutex_);
    pool->idle_.push_back(std::move(owned));
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
