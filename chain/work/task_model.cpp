#include "chain/work/task_model.hpp"

#include "model/text/text_dataset.hpp"

namespace gradient::chain {

model::AttentionConfig to_model(const AttentionShape& shape) noexcept {
    model::AttentionConfig config;
    config.rows = shape.rows;
    config.width = shape.width;
    config.value_width = shape.value_width;
    config.outputs = shape.outputs;
    config.batch = shape.batch;
    config.steps_per_unit = shape.steps_per_unit;
    config.causal = shape.causal;
    config.x_exponent = shape.x_exponent;
    config.y_exponent = shape.y_exponent;
    config.x_rate_mantissa = shape.x_rate_mantissa;
    config.x_rate_shift = shape.x_rate_shift;
    config.y_rate_mantissa = shape.y_rate_mantissa;
    config.y_rate_shift = shape.y_rate_shift;
    config.jitter = shape.jitter;
    config.x_clip = shape.x_clip;
    config.y_clip = shape.y_clip;
    config.x_init = shape.x_init;
    return config;
}

AttentionShape from_model(const model::AttentionConfig& config) noexcept {
    AttentionShape shape;
    shape.rows = config.rows;
    shape.width = config.width;
    shape.value_width = config.value_width;
    shape.outputs = config.outputs;
    shape.batch = config.batch;
    shape.steps_per_unit = config.steps_per_unit;
    shape.causal = config.causal;
    shape.x_exponent = config.x_exponent;
    shape.y_exponent = config.y_exponent;
    shape.x_rate_mantissa = config.x_rate_mantissa;
    shape.x_rate_shift = config.x_rate_shift;
    shape.y_rate_mantissa = config.y_rate_mantissa;
    shape.y_rate_shift = config.y_rate_shift;
    shape.jitter = config.jitter;
    shape.x_clip = config.x_clip;
    shape.y_clip = config.y_clip;
    shape.x_init = config.x_init;
    return shape;
}

// A member added to the solver core's configuration must find its way onto the wire.
static_assert(sizeof(model::AttentionConfig) == sizeof(AttentionShape));

std::uint64_t unit_work(const TaskRecord& task) noexcept {
    return model::unit_work(to_model(task.shape));
}

std::vector<std::int32_t> initial_parameters(const TaskRecord& task) {
    return model::initial_parameters(to_model(task.shape), task.initial_seed.bytes);
}

Result<std::unique_ptr<model::Dataset>, model::TaskError> make_dataset(const TaskRecord& task,
                                                                       ByteSpan data) {
    switch (task.data_format) {
        case DataFormat::text: {
            TRY_ASSIGN(auto dataset, model::TextDataset::create(data));
            return std::make_unique<model::TextDataset>(std::move(dataset));
        }
    }
    return fail(model::TaskError::unknown_kind);
}

Result<void, model::TaskError> check_task_data(const TaskRecord& task, ByteSpan data) {
    switch (task.data_format) {
        case DataFormat::text: {
            TRY_ASSIGN(const auto dataset, model::TextDataset::create(data));
            TRY(model::Trainer::create(to_model(task.shape), dataset));
            return dataset.check_substance();
        }
    }
    return fail(model::TaskError::unknown_kind);
}

}  // namespace gradient::chain
