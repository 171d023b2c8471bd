#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/types/task.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gradient::chain {

/// The solver core's view of a task's shape, and back.
[[nodiscard]] model::AttentionConfig to_model(const AttentionShape& shape) noexcept;
[[nodiscard]] AttentionShape from_model(const model::AttentionConfig& config) noexcept;

/// work(task): a unit's cost in reference FLOPs.
[[nodiscard]] std::uint64_t unit_work(const TaskRecord& task) noexcept;

/// The parameters that the task starts from. Precondition: its shape passes model::check_config.
[[nodiscard]] std::vector<std::int32_t> initial_parameters(const TaskRecord& task);

/// The rows that a task's data bytes stand for; they outlive the bytes.
[[nodiscard]] Result<std::unique_ptr<model::Dataset>, model::TaskError> make_dataset(
    const TaskRecord& task, ByteSpan data);

/// Whether a task may train on its data: they decode, have the widths of its shape and a sequence
/// to train on and one held out, and have substance.
[[nodiscard]] Result<void, model::TaskError> check_task_data(const TaskRecord& task,
                                                             ByteSpan data);

}  // namespace gradient::chain
