#include "model/task.hpp"

#include "model/numerics/kernels.hpp"
#include "model/numerics/random_bytes.hpp"

namespace gradient::model {
namespace {

constexpr double kLossUnit = 1.0 / 4294967296.0;

bool is_dimension(std::uint16_t value) noexcept {
    return value % 16 == 0 && value >= 16 && value <= 256;
}

bool is_within(int value, int low, int high) noexcept {
    return value >= low && value <= high;
}

}  // namespace

std::string_view describe(TaskError error) noexcept {
    switch (error) {
        case TaskError::bad_shape:
            return "a dimension is not a multiple of 16 from 16 to 256, or batch * rows exceeds "
                   "512";
        case TaskError::bad_hyper:
            return "a hyper-parameter lies outside its range";
        case TaskError::data_too_short:
            return "the data has fewer training or held-out rows than one sequence";
        case TaskError::data_mismatch:
            return "the data set does not have the task's widths or size";
        case TaskError::wrong_parameters:
            return "the parameters have the wrong number or leave their range";
        case TaskError::unknown_kind:
            return "this processor has no such engine";
        case TaskError::data_malformed:
            return "the bytes are not the encoding of a data set";
        case TaskError::data_out_of_range:
            return "the data has an entry outside the grid (a magnitude above 2047/1024)";
        case TaskError::data_constant:
            return "a matrix of the data has one value throughout, or the text has fewer than 8 "
                   "tokens in common use";
        case TaskError::data_repetitive:
            return "the data has too few distinct rows, or repeats itself";
        case TaskError::data_low_rank:
            return "one of A1, A2, A3 has a rank below 4";
    }
    return "unknown task error";
}

bool ProbeCounts::is_healthy() const noexcept {
    // Y starts at zero and saturates only where it diverges: a Y that rests is a dead model. X may
    // rest, and saturates along the keys of attention that can't be sharp enough.
    return x.saturated * 4 <= x.parameters && y.saturated * 32 <= y.parameters &&
           y.moved * 64 >= y.parameters && x.zero_accumulators * 4 <= x.accumulators &&
           y.zero_accumulators * 4 <= y.accumulators;
}

double Evaluation::brier() const noexcept {
    return rows == 0 ? 0.0
                     : static_cast<double>(squared_error) * kLossUnit / static_cast<double>(rows);
}

double Evaluation::accuracy() const noexcept {
    return rows == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(rows);
}

std::size_t parameter_count(const AttentionConfig& config) noexcept {
    return std::size_t{config.width} * config.width +
           std::size_t{config.value_width} * config.outputs;
}

std::uint64_t unit_work(const AttentionConfig& config) noexcept {
    const std::uint64_t n = config.rows;
    const std::uint64_t d = config.width;
    const std::uint64_t v = config.value_width;
    const std::uint64_t p = config.outputs;
    const std::uint64_t a = config.causal != 0 ? (n + 16) / 2 : n;
    return std::uint64_t{config.steps_per_unit} * config.batch *
           (4 * n * d * d + 4 * n * v * p + 4 * n * a * d + 6 * n * a * p);
}

tl::expected<void, TaskError> check_config(const AttentionConfig& config) noexcept {
    if (!is_dimension(config.rows) || !is_dimension(config.width) ||
        !is_dimension(config.value_width) || !is_dimension(config.outputs) || config.batch == 0 ||
        std::uint32_t{config.batch} * config.rows > 512)
        return tl::unexpected(TaskError::bad_shape);
    constexpr std::uint32_t kMaxClip = 1U << 30;
    const bool ok = is_within(config.steps_per_unit, 1, 256) && config.causal <= 1 &&
                    is_within(config.x_exponent, -14, -4) &&
                    is_within(config.y_exponent, -14, -9) && config.x_rate_mantissa >= 1 &&
                    config.x_rate_shift <= 40 && config.y_rate_mantissa >= 1 &&
                    config.y_rate_shift <= 40 && is_within(config.jitter, 1, 512) &&
                    config.x_clip >= 1 && config.x_clip <= kMaxClip && config.y_clip >= 1 &&
                    config.y_clip <= kMaxClip && is_within(config.x_init, 1, 2047);
    if (!ok) return tl::unexpected(TaskError::bad_hyper);
    return {};
}

std::vector<std::int32_t> initial_parameters(const AttentionConfig& config, const Seed& seed) {
    std::vector<std::int32_t> parameters(parameter_count(config));
    std::vector<std::uint8_t> noise(std::size_t{config.width} * config.width);
    RandomBytes(seed, best_aes_unit()).fill(Stream::initial, 0, 0, noise);
    for (std::size_t i = 0; i < noise.size(); ++i) {
        const std::int32_t h = 2 * std::int32_t{noise[i]} - 255;
        parameters[i] = ((h * config.x_init) >> 8) << 16;
    }
    return parameters;
}

}  // namespace gradient::model
