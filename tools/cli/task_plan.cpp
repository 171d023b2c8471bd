#include "tools/cli/task_plan.hpp"

#include "chain/consensus/genesis_fields.hpp"
#include "chain/work/task_model.hpp"
#include "model/text/text_dataset.hpp"
#include "node/setup/failure.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace gradient::cli {

namespace {

node::Failure wrong_choice(const std::string& sentence) {
    return {node::ExitCode::usage, sentence};
}

struct NameCollector {
    std::vector<std::string> names;
    template <class T>
    void field(std::string_view name, const T&) {
        names.emplace_back(name);
    }
};

struct JsonWriter {
    boost::json::object& object;
    void field(std::string_view name, std::int64_t value) const { object[name] = value; }
};

struct ChoiceWriter {
    const ShapeChoices& choices;

    template <class T>
    void field(std::string_view name, T& value) const {
        const auto found = choices.find(name);
        if (found == choices.end()) return;
        constexpr std::int64_t kLow = std::numeric_limits<T>::min();
        constexpr std::int64_t kHigh = std::numeric_limits<T>::max();
        if (found->second < kLow || found->second > kHigh) {
            throw wrong_choice(
                fmt::format("{} is {}; it must be {} to {}.", name, found->second, kLow, kHigh));
        }
        value = static_cast<T>(found->second);
    }
};

/// Rows of one matrix, as real numbers.
struct Sample {
    std::size_t columns = 0;
    std::vector<double> values;

    [[nodiscard]] std::size_t rows() const { return values.size() / columns; }
    [[nodiscard]] std::span<const double> row(std::size_t index) const {
        return std::span(values).subspan(index * columns, columns);
    }
};

struct Samples {
    Sample a1, a2, a3, b;
};

// Up to 1,024 rows, spread evenly over the training part.
Samples take_samples(const model::Dataset& data) {
    constexpr std::uint16_t kRows = 16;
    constexpr std::uint64_t kSequences = 64;
    const std::uint64_t available = data.training_sequences(kRows);
    const std::uint64_t count = std::min(available, kSequences);
    Samples samples{
        {data.width(), {}}, {data.width(), {}}, {data.value_width(), {}}, {data.outputs(), {}}};
    std::vector<std::int16_t> a1(std::size_t{kRows} * data.width()), a2(a1.size());
    std::vector<std::int16_t> a3(std::size_t{kRows} * data.value_width());
    std::vector<std::int16_t> b(std::size_t{kRows} * data.outputs());
    const auto append = [](Sample& sample, std::span<const std::int16_t> mantissas) {
        constexpr double kOne = 1024;
        for (const std::int16_t mantissa : mantissas) sample.values.push_back(mantissa / kOne);
    };
    for (std::uint64_t i = 0; i < count; ++i) {
        data.fill_training(i * available / count, kRows, a1, a2, a3, b);
        append(samples.a1, a1);
        append(samples.a2, a2);
        append(samples.a3, a3);
        append(samples.b, b);
    }
    return samples;
}

double dot(std::span<const double> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

// Mean over the rows of |row|^2.
double mean_square(const Sample& sample) {
    if (sample.rows() == 0) return 0;
    return dot(sample.values, sample.values) / static_cast<double>(sample.rows());
}

// Largest eigenvalue of the mean of row^T row, by the power method.
double largest_moment(const Sample& sample) {
    if (sample.rows() == 0) return 0;
    constexpr int kIterations = 30;
    std::vector<double> vector(sample.columns, 1 / std::sqrt(sample.columns));
    // Uneven, so that no symmetry of the data makes it orthogonal to the wanted direction.
    for (std::size_t i = 0; i < vector.size(); ++i)
        vector[i] *= 1 + 0.01 * static_cast<double>(i % 7);
    double moment = 0;
    for (int iteration = 0; iteration < kIterations; ++iteration) {
        std::vector<double> product(sample.columns, 0);
        for (std::size_t r = 0; r < sample.rows(); ++r) {
            const auto row = sample.row(r);
            const double along = dot(row, vector) / static_cast<double>(sample.rows());
            for (std::size_t i = 0; i < row.size(); ++i) product[i] += along * row[i];
        }
        moment = std::sqrt(dot(product, product));
        if (moment == 0) return 0;
        for (std::size_t i = 0; i < product.size(); ++i) vector[i] = product[i] / moment;
    }
    return moment;
}

// The shift s for which 2^-s is at most 1 / curvature.
std::uint8_t shift_for(double curvature) {
    constexpr double kMaxShift = 40;
    if (!(curvature > 0)) return 0;
    return static_cast<std::uint8_t>(std::clamp(std::ceil(std::log2(curvature)), 0.0, kMaxShift));
}

constexpr std::uint16_t kRowStep = 16;
constexpr std::uint16_t kMostRows = 64;
constexpr std::uint16_t kMaxBatchRows = 512;

std::uint16_t rows_for(const model::MatrixDataset& data) {
    for (std::uint16_t rows = kMostRows; rows > 0;
         rows = static_cast<std::uint16_t>(rows - kRowStep)) {
        if (data.training_sequences(rows) > 0 && data.held_out_sequences(rows) > 0) return rows;
    }
    throw node::Failure(node::ExitCode::chain_spec,
                        fmt::format("Cannot use the matrices: they have {} rows; they need at "
                                    "least 160, as the last tenth is held out and a sequence has "
                                    "16 rows or more.",
                                    data.shape().rows));
}

// X and Y start near zero, so that the first units see nearly uniform attention: the curvature in Y
// is at most that of plain regression on A3; that in X is a covariance under the attention of one
// row, which for data of no special order is smaller than its bound by the number of rows.
chain::AttentionShape matrix_shape(const model::MatrixDataset& data) {
    model::AttentionConfig config;
    config.rows = rows_for(data);
    config.width = data.width();
    config.value_width = data.value_width();
    config.outputs = data.outputs();
    config.batch = static_cast<std::uint16_t>(kMaxBatchRows / config.rows);
    config.causal = 0;
    config.y_exponent = -9;
    config.x_init = 16;
    const Samples samples = take_samples(data);
    const double batch_rows = config.batch * config.rows;
    config.y_rate_shift = shift_for(batch_rows * largest_moment(samples.a3));
    config.x_rate_shift = shift_for(2 * config.batch * largest_moment(samples.a1) *
                                    largest_moment(samples.a2) * mean_square(samples.b));
    return chain::from_model(config);
}

}  // namespace

std::vector<std::string> shape_names() {
    NameCollector collector;
    const chain::AttentionShape any;
    chain::visit_model(collector, any);
    return collector.names;
}

boost::json::object to_json(const chain::AttentionShape& shape) {
    boost::json::object object;
    JsonWriter writer{object};
    chain::visit_model(writer, shape);
    return object;
}

bool is_width(std::string_view name) noexcept {
    return name == "width" || name == "value_width" || name == "outputs";
}

ShapeChoices parse_shape(std::string_view text) {
    boost::system::error_code error;
    const auto parsed = boost::json::parse(text, error);
    if (error || !parsed.is_object())
        throw wrong_choice("The task's configuration must be one JSON object.");
    const auto names = shape_names();
    ShapeChoices choices;
    for (const auto& [key, value] : parsed.get_object()) {
        const std::string name(key);
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw wrong_choice(fmt::format("The task's configuration has no member {}.", name));
        if (!value.is_int64())
            throw wrong_choice(fmt::format("{} of the configuration must be an integer.", name));
        choices[name] = value.get_int64();
    }
    return choices;
}

chain::AttentionShape default_shape(const DataPlan& data) {
    if (const auto* const matrices =
            dynamic_cast<const model::MatrixDataset*>(data.dataset.get())) {
        return matrix_shape(*matrices);
    }
    return chain::from_model(model::TextDataset::default_config());
}

chain::AttentionShape make_shape(const DataPlan& data, const ShapeChoices& choices) {
    auto shape = default_shape(data);
    // More rows make a smaller batch, unless that is chosen too.
    if (choices.contains("rows") && !choices.contains("batch")) {
        const std::int64_t rows = std::max<std::int64_t>(choices.at("rows"), 1);
        shape.batch = static_cast<std::uint16_t>(std::max<std::int64_t>(kMaxBatchRows / rows, 1));
    }
    ChoiceWriter writer{choices};
    chain::visit_model(writer, shape);
    const auto config = chain::to_model(shape);
    const auto refuse = [](model::TaskError error) {
        return wrong_choice(fmt::format("Cannot train such a model: {}", model::describe(error)));
    };
    if (const auto good = model::check_config(config); !good) throw refuse(good.error());
    const auto trainer = model::Trainer::create(config, *data.dataset);
    if (!trainer) throw refuse(trainer.error());
    return shape;
}

chain::CreateTask make_creation(const DataPlan& data, const chain::AttentionShape& shape,
                                const TaskTerms& terms) {
    chain::CreateTask creation;
    creation.kind = chain::TaskKind::attention;
    creation.shape = shape;
    creation.data_format = data.format;
    creation.data_bytes = data.bytes.size();
    creation.chunks = data.chunks;
    creation.unit_budget = terms.unit_budget;
    creation.pay_per_hit = terms.pay_per_hit;
    creation.escrow = terms.escrow;
    return creation;
}

}  // namespace gradient::cli
