#pragma once

#include "chain/base/result.hpp"
#include "chain/state/state_view.hpp"
#include "chain/state/store_error.hpp"
#include "chain/types/task.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace gradient::chain {

/// A task with its data in memory: all it takes to train it. Immutable; any thread may read it.
struct TaskRuntime {
    TaskRecord record;
    std::unique_ptr<const model::Dataset> data;
    std::uint64_t unit_work = 0;  ///< reference FLOPs of one unit

    /// A trainer of the task; one for each thread. Must not outlive the runtime.
    [[nodiscard]] Result<model::Trainer, model::TaskError> make_trainer(
        model::EngineKind engine = model::EngineKind::best) const;
};
using SharedTask = std::shared_ptr<const TaskRuntime>;

/// The runtime of a task from its data bytes.
[[nodiscard]] Result<SharedTask, model::TaskError> make_task_runtime(const TaskRecord& record,
                                                                     ByteSpan data);

/// A user task's data bytes, put together from the chunks that the state holds.
[[nodiscard]] Result<Bytes, StoreError> task_data(const StateView& view, std::uint32_t task);

/// Runtimes of the tasks that judging something takes.
class TaskSet {
  public:
    void add(SharedTask task) {
        const std::uint32_t id = task->record.id;
        tasks_[id] = std::move(task);
    }
    /// Null if the task is not in the set.
    [[nodiscard]] SharedTask find(std::uint32_t task) const {
        const auto found = tasks_.find(task);
        return found == tasks_.end() ? nullptr : found->second;
    }

  private:
    std::map<std::uint32_t, SharedTask> tasks_;
};

/// Makes runtimes and keeps those of the last tasks asked for. Belongs to one thread.
class TaskCatalog {
  public:
    /// Runtimes kept beside the genesis task's.
    static constexpr std::size_t kKept = 16;

    explicit TaskCatalog(SharedTask genesis) : genesis_(std::move(genesis)) {}

    /// The runtime of a task that the state has; null if it has none of that id. Fails if the state
    /// is damaged.
    [[nodiscard]] Result<SharedTask, StoreError> load(const StateView& view, std::uint32_t task);

  private:
    SharedTask genesis_;
    std::vector<SharedTask> kept_;  // least recently asked for first
};

/// The runtimes of tasks that the state has; ids that it does not have are left out.
[[nodiscard]] Result<TaskSet, StoreError> load_tasks(const StateView& view,
                                                     std::span<const std::uint32_t> tasks,
                                                     TaskCatalog& catalog);

/// Where the code that judges gets trainers from. The reference is good until the next call from
/// the same thread.
class Trainers {
  public:
    Trainers() = default;
    Trainers(const Trainers&) = delete;
    Trainers& operator=(const Trainers&) = delete;
    virtual ~Trainers() = default;

    [[nodiscard]] virtual model::Trainer& trainer_of(const SharedTask& task) = 0;
};

/// Trainers for one thread, made on demand.
class OwnTrainers final : public Trainers {
  public:
    explicit OwnTrainers(model::EngineKind engine = model::EngineKind::best) : engine_(engine) {}

    [[nodiscard]] model::Trainer& trainer_of(const SharedTask& task) override;

  private:
    struct Entry {
        SharedTask task;  // outlives the trainer
        std::unique_ptr<model::Trainer> trainer;
    };
    model::EngineKind engine_;
    std::vector<Entry> entries_;
};

}  // namespace gradient::chain
