#include "node/ledger/held_out_evaluator.hpp"

#include "chain/state/entries.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace gradient::node {

HeldOutEvaluator::HeldOutEvaluator(asio::any_io_executor executor, WorkerPool& pool,
                                   TrainerPool& trainers, std::function<void()> done)
    : executor_(std::move(executor)), pool_(pool), trainers_(trainers), done_(std::move(done)) {}

void HeldOutEvaluator::tip_changed(std::shared_ptr<const chain::ParentState> tip) {
    next_ = std::move(tip);
    if (!running_) start();
}

void HeldOutEvaluator::start() {
    running_ = std::move(next_);
    next_ = nullptr;
    pool_.post(Priority::mine, {}, [this, tip = running_](const std::stop_token& stop) {
        std::optional<model::Evaluation> result;
        try {
            if (!stop.stop_requested()) result = evaluate(*tip);
        } catch (const std::exception& error) {  // whoever waits for the score must not hang
            spdlog::error("a block could not be scored: {}", error.what());
        }
        asio::post(executor_, [this, tip, result] { finish(tip, result); });
    });
}

std::optional<model::Evaluation> HeldOutEvaluator::evaluate(const chain::ParentState& tip) {
    const auto& task = tip.network().task;
    const auto trainer = trainers_.lease(task);
    const auto model = chain::require_parameters(tip.state(), chain::model_key(task->record.id));
    if (!model) throw store_failure(model.error());
    const auto& parameters =
        tip.task()->record.id == task->record.id ? *tip.start().parameters : *model;
    const std::uint64_t sequences = task->data->held_out_sequences(task->record.shape.rows);
    const auto evaluation = trainer->evaluate(parameters, 0, std::min(sequences, kSequences));
    if (!evaluation) return std::nullopt;
    return *evaluation;
}

void HeldOutEvaluator::finish(const std::shared_ptr<const chain::ParentState>& tip,
                              const std::optional<model::Evaluation>& result) {
    if (result) {
        scores_[tip->height()] = {tip->id(), *result};
        if (scores_.size() > kKept) scores_.erase(scores_.begin());
    }
    running_ = nullptr;
    if (next_) start();
    done_();
}

std::optional<model::Evaluation> HeldOutEvaluator::score_of(const chain::ParentState& block) const {
    return score_of(block.height(), block.id());
}

std::optional<model::Evaluation> HeldOutEvaluator::score_of(std::uint64_t height,
                                                            const chain::Hash256& id) const {
    const auto found = scores_.find(height);
    if (found == scores_.end() || found->second.id != id) return std::nullopt;
    return found->second.evaluation;
}

bool HeldOutEvaluator::settled(std::uint64_t height) const noexcept {
    const auto pending = [&](const auto& tip) { return tip && tip->height() <= height; };
    return !pending(running_) && !pending(next_);
}

}  // namespace gradient::node
