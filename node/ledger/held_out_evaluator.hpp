#pragma once

#include "chain/parent_state.hpp"
#include "model/task.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace gradient::node {

/// Scores the model on held-out text at each new tip, on the pool at mining's priority. Tips that
/// come faster than they can be scored are left out. Use it from `executor` only.
class HeldOutEvaluator {
  public:
    /// Held-out sequences scored at each tip, from the first on: the same ones always, so that
    /// scores compare.
    static constexpr std::uint64_t kSequences = 512;
    /// Scores kept, of the highest tips.
    static constexpr std::size_t kKept = 65'536;

    /// `done` is called after each score. References must outlive the evaluator and the pool.
    HeldOutEvaluator(asio::any_io_executor executor, WorkerPool& pool, TrainerPool& trainers,
                     std::function<void()> done);

    /// Scores the genesis task's model after this tip, settled if that is what lanes start from.
    void tip_changed(std::shared_ptr<const chain::ParentState> tip);

    /// The score of a block, if there is one.
    [[nodiscard]] std::optional<model::Evaluation> score_of(const chain::ParentState& block) const;
    [[nodiscard]] std::optional<model::Evaluation> score_of(std::uint64_t height,
                                                            const chain::Hash256& id) const;

    /// Whether no score is still to come for a block of this height or below.
    [[nodiscard]] bool settled(std::uint64_t height) const noexcept;

  private:
    struct Score {
        chain::Hash256 id;
        model::Evaluation evaluation;
    };

    void start();
    [[nodiscard]] std::optional<model::Evaluation> evaluate(const chain::ParentState& tip);
    void finish(const std::shared_ptr<const chain::ParentState>& tip,
                const std::optional<model::Evaluation>& result);

    asio::any_io_executor executor_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    std::function<void()> done_;
    std::shared_ptr<const chain::ParentState> running_;
    std::shared_ptr<const chain::ParentState> next_;
    std::map<std::uint64_t, Score> scores_;
};

}  // namespace gradient::node
