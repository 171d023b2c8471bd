#include "chain/tasks/task_runtime.hpp"

#include "chain/base/check.hpp"
#include "chain/state/entries.hpp"
#include "chain/work/task_model.hpp"

#include <algorithm>

namespace gradient::chain {

Result<model::Trainer, model::TaskError> TaskRuntime::make_trainer(model::EngineKind engine) const {
    return model::Trainer::create(to_model(record.shape), *data, engine);
}

Result<SharedTask, model::TaskError> make_task_runtime(const TaskRecord& record, ByteSpan data) {
    auto runtime = std::make_shared<TaskRuntime>();
    runtime->record = record;
    TRY_ASSIGN(runtime->data, make_dataset(record, data));
    runtime->unit_work = unit_work(record);
    return SharedTask(std::move(runtime));
}

Result<Bytes, StoreError> task_data(const StateView& view, std::uint32_t task) {
    TRY_ASSIGN(const auto list, require_entry<TaskData>(view, task_data_key(task)));
    Bytes data;
    for (const Hash256& chunk : list.chunks) {
        TRY_ASSIGN(const StateValue bytes, view.get(data_chunk_key(chunk)));
        if (!bytes) return fail(bad_entry(data_chunk_key(chunk), "it is missing"));
        data.insert(data.end(), bytes->begin(), bytes->end());
    }
    return data;
}

Result<SharedTask, StoreError> TaskCatalog::load(const StateView& view, std::uint32_t task) {
    if (task == kGenesisTask) return genesis_;
    TRY_ASSIGN(const auto record, read_entry<TaskRecord>(view, task_key(task)));
    if (!record) return SharedTask();
    // Ids are given anew on another branch, so what counts is the whole record.
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const SharedTask& kept) {
        return kept->record == *record;
    });
    if (found != kept_.end()) {
        std::rotate(found, found + 1, kept_.end());
        return kept_.back();
    }
    TRY_ASSIGN(const Bytes data, task_data(view, task));
    auto runtime = make_task_runtime(*record, data);
    if (!runtime) return fail(bad_entry(task_data_key(task), model::describe(runtime.error())));
    if (kept_.size() == kKept) kept_.erase(kept_.begin());
    kept_.push_back(*std::move(runtime));
    return kept_.back();
}

Result<TaskSet, StoreError> load_tasks(const StateView& view, std::span<const std::uint32_t> tasks,
                                       TaskCatalog& catalog) {
    TaskSet set;
    for (const std::uint32_t id : tasks) {
        if (set.find(id)) continue;
        TRY_ASSIGN(SharedTask task, catalog.load(view, id));
        if (task) set.add(std::move(task));
    }
    return set;
}

model::Trainer& OwnTrainers::trainer_of(const SharedTask& task) {
    for (Entry& entry : entries_) {
        if (entry.task == task) return *entry.trainer;
    }
    auto trainer = task->make_trainer(engine_);
    CHECK(trainer);  // a task is on the chain only if it can be trained
    if (entries_.size() == TaskCatalog::kKept) entries_.erase(entries_.begin());
    entries_.push_back({task, std::make_unique<model::Trainer>(*std::move(trainer))});
    return *entries_.back().trainer;
}

}  // namespace gradient::chain
