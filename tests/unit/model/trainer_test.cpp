#include "model/numerics/kernels.hpp"
#include "model/task.hpp"
#include "tests/support/random_dataset.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <thread>

namespace gradient::model {
namespace {

using test::RandomDataset;

AttentionConfig small_config() {
    AttentionConfig config;
    config.rows = 32;
    config.width = 48;
    config.value_width = 32;
    config.outputs = 16;
    config.batch = 3;
    config.steps_per_unit = 2;
    config.x_rate_shift = 6;
    return config;
}

Seed seed_of(std::uint8_t value) {
    Seed seed{};
    seed.fill(value);
    return seed;
}

/// A run of units: the parameters after them and what each unit left.
struct History {
    std::vector<std::int32_t> parameters;
    std::vector<UnitResult> units;
    Evaluation evaluation;

    friend bool operator==(const History&, const History&) = default;
};

History run(const AttentionConfig& config, const Dataset& data, EngineKind engine, int units) {
    auto trainer = Trainer::create(config, data, engine);
    EXPECT_TRUE(trainer.has_value());
    History result;
    result.parameters = initial_parameters(config, seed_of(9));
    for (int i = 0; i < units; ++i)
        result.units.push_back(
            *trainer->train_unit(result.parameters, seed_of(static_cast<std::uint8_t>(i))));
    result.evaluation = *trainer->evaluate(result.parameters, 3, 5);
    return result;
}

void expect_engines_agree(const AttentionConfig& config, const Dataset& data, int units) {
    const History oracle = run(config, data, EngineKind::eigen_double, units);
    for (const EngineKind engine : available_engines())
        EXPECT_EQ(run(config, data, engine, units), oracle) << engine_name(engine);
}

TEST(Trainer, engines_agree_on_ordinary_data) {
    expect_engines_agree(small_config(), RandomDataset(48, 32, 16, 700), 8);
    AttentionConfig config = small_config();
    config.causal = 0;
    config.rows = 48;
    expect_engines_agree(config, RandomDataset(48, 32, 16, 700), 8);
}

TEST(Trainer, engines_agree_on_the_default_shape) {
    AttentionConfig config;
    config.steps_per_unit = 2;
    expect_engines_agree(config, RandomDataset(128, 128, 128, 1024), 2);
}

TEST(Trainer, engines_agree_at_the_ends_of_every_format) {
    for (const int magnitude : {0, 1, 2047})
        for (const bool constant : {true, false})
            for (const int x_exponent : {-14, -4})
                for (const int y_exponent : {-14, -9})
                    for (const int rate : {0, 20, 40}) {
                        AttentionConfig config = small_config();
                        config.rows = 16;
                        config.x_exponent = static_cast<std::int8_t>(x_exponent);
                        config.y_exponent = static_cast<std::int8_t>(y_exponent);
                        config.x_rate_shift = static_cast<std::uint8_t>(rate);
                        config.y_rate_shift = static_cast<std::uint8_t>(rate);
                        config.x_init = 2047;
                        expect_engines_agree(
                            config,
                            RandomDataset(48, 32, 16, static_cast<std::int16_t>(magnitude),
                                          constant),
                            3);
                    }
    AttentionConfig wide = small_config();
    wide.rows = wide.width = wide.value_width = wide.outputs = 256;
    wide.batch = 2;
    wide.steps_per_unit = 1;
    wide.x_rate_shift = 0;
    wide.y_rate_shift = 0;
    expect_engines_agree(wide, RandomDataset(256, 256, 256, 2047, true), 2);
}

TEST(Trainer, threads_do_not_change_a_bit) {
    const AttentionConfig config = small_config();
    const RandomDataset data(48, 32, 16, 700);
    const History alone = run(config, data, EngineKind::best, 10);
    std::vector<History> together(4);
    {
        std::vector<std::jthread> threads;
        for (History& result : together)
            threads.emplace_back([&] { result = run(config, data, EngineKind::best, 10); });
    }
    for (const History& result : together) EXPECT_EQ(result, alone);
}

TEST(Trainer, a_unit_depends_on_every_part_of_its_seed) {
    const AttentionConfig config = small_config();
    const RandomDataset data(48, 32, 16, 700);
    auto trainer = Trainer::create(config, data);
    const auto start = initial_parameters(config, seed_of(9));
    auto base = start;
    const UnitResult expected = *trainer->train_unit(base, seed_of(1));
    for (const std::size_t byte : {0U, 15U, 16U, 31U}) {
        Seed seed = seed_of(1);
        seed[byte] ^= 1;
        auto parameters = start;
        const UnitResult other = *trainer->train_unit(parameters, seed);
        EXPECT_NE(other.gradient, expected.gradient) << byte;
        EXPECT_NE(parameters, base) << byte;
    }
}

TEST(Trainer, the_gradient_fold_changes_where_the_update_rounds_to_nothing) {
    AttentionConfig config = small_config();
    config.x_rate_shift = config.y_rate_shift = 40;
    const RandomDataset data(48, 32, 16, 700);
    auto trainer = Trainer::create(config, data);
    auto parameters = initial_parameters(config, seed_of(9));
    const auto before = parameters;
    const UnitResult first = *trainer->train_unit(parameters, seed_of(1));
    EXPECT_EQ(parameters, before);
    const UnitResult second = *trainer->train_unit(parameters, seed_of(2));
    EXPECT_NE(first.gradient, second.gradient);
}

TEST(Trainer, clips_each_parameter_matrix_to_its_norm) {
    AttentionConfig config = small_config();
    config.x_clip = 500;
    config.y_clip = 300;
    const RandomDataset data(48, 32, 16, 700);
    auto trainer = Trainer::create(config, data);
    auto parameters = initial_parameters(config, seed_of(9));
    const auto before = parameters;
    ASSERT_TRUE(trainer->train_unit(parameters, seed_of(1)));
    const auto norm = [&](std::size_t first, std::size_t last) {
        double sum = 0;
        for (std::size_t i = first; i < last; ++i)
            sum += std::pow((parameters[i] - before[i]) / 64.0, 2);
        return std::sqrt(sum);
    };
    const std::size_t split = std::size_t{48} * 48;
    // The norm counts whole units of 64 grid steps, so up to one unit an entry is not seen.
    EXPECT_NEAR(norm(0, split), 500, 50);
    EXPECT_NEAR(norm(split, parameters.size()), 300, 30);
}

TEST(Trainer, refuses_and_changes_nothing) {
    const AttentionConfig config = small_config();
    const RandomDataset data(48, 32, 16, 700);
    auto trainer = Trainer::create(config, data);
    std::vector<std::int32_t> parameters(parameter_count(config) - 1, 5);
    const auto before = parameters;
    EXPECT_EQ(trainer->train_unit(parameters, {}).error(), TaskError::wrong_parameters);
    EXPECT_EQ(trainer->evaluate(parameters, 0, 1).error(), TaskError::wrong_parameters);
    EXPECT_EQ(parameters, before);
    parameters.push_back(kParameterLimit + 1);
    const auto outside = parameters;
    EXPECT_EQ(trainer->train_unit(parameters, {}).error(), TaskError::wrong_parameters);
    EXPECT_EQ(parameters, outside);
    EXPECT_EQ(trainer->predict(before, {}, {}, {}).error(), TaskError::wrong_parameters);
    EXPECT_EQ(Trainer::create(config, RandomDataset(32, 32, 16, 1)).error(),
              TaskError::data_mismatch);
}

TEST(CheckConfig, names_what_is_wrong) {
    const auto refuse = [](auto change, TaskError expected) {
        AttentionConfig config = small_config();
        change(config);
        const auto checked = check_config(config);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error(), expected);
    };
    EXPECT_TRUE(check_config(small_config()));
    refuse([](auto& c) { c.rows = 0; }, TaskError::bad_shape);
    refuse([](auto& c) { c.width = 40; }, TaskError::bad_shape);
    refuse([](auto& c) { c.value_width = 272; }, TaskError::bad_shape);
    refuse([](auto& c) { c.batch = 17; }, TaskError::bad_shape);
    refuse([](auto& c) { c.batch = 0; }, TaskError::bad_shape);
    refuse([](auto& c) { c.steps_per_unit = 0; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.causal = 2; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.x_exponent = -3; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.y_exponent = -8; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.x_rate_mantissa = 0; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.y_rate_shift = 41; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.jitter = 0; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.x_clip = 0; }, TaskError::bad_hyper);
    refuse([](auto& c) { c.x_init = 2048; }, TaskError::bad_hyper);
}

/// The loss 0.5 |F A3 Y - B|^2 of one training sequence in binary64, without noise.
class RealModel {
  public:
    RealModel(const AttentionConfig& config, const Dataset& data) : c_(config) {
        a1_.resize(n() * c_.width);
        a2_.resize(n() * c_.width);
        a3_.resize(n() * c_.value_width);
        b_.resize(n() * c_.outputs);
        data.fill_training(0, c_.rows, a1_, a2_, a3_, b_);
    }

    double loss(const std::vector<double>& theta) const {
        const std::size_t d = c_.width;
        const std::size_t v = c_.value_width;
        const std::size_t p = c_.outputs;
        const double* y = theta.data() + d * d;
        double total = 0;
        for (std::size_t i = 0; i < n(); ++i) {
            std::vector<double> u(d);
            for (std::size_t q = 0; q < d; ++q)
                for (std::size_t j = 0; j < d; ++j)
                    u[j] += a1_[i * d + q] / 1024.0 * theta[q * d + j];
            std::vector<double> weights(i + 1);
            double sum = 0;
            for (std::size_t j = 0; j <= i; ++j) {
                double score = 0;
                for (std::size_t q = 0; q < d; ++q) score += u[q] * a2_[j * d + q] / 1024.0;
                sum += weights[j] = std::exp(score);
            }
            for (std::size_t o = 0; o < p; ++o) {
                double output = 0;
                for (std::size_t j = 0; j <= i; ++j)
                    for (std::size_t q = 0; q < v; ++q)
                        output += weights[j] / sum * a3_[j * v + q] / 1024.0 * y[q * p + o];
                total += 0.5 * std::pow(output - b_[i * p + o] / 1024.0, 2);
            }
        }
        return total;
    }

  private:
    std::size_t n() const { return c_.rows; }
    AttentionConfig c_;
    std::vector<std::int16_t> a1_, a2_, a3_, b_;
};

/// One sequence, always the same.
class OneSequence final : public Dataset {
  public:
    std::uint16_t width() const noexcept override { return data_.width(); }
    std::uint16_t value_width() const noexcept override { return data_.value_width(); }
    std::uint16_t outputs() const noexcept override { return data_.outputs(); }
    std::uint64_t training_sequences(std::uint16_t /*rows*/) const noexcept override { return 1; }
    std::uint64_t held_out_sequences(std::uint16_t /*rows*/) const noexcept override { return 1; }
    void fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        data_.fill_training(index, rows, a1, a2, a3, b);
    }
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        data_.fill_training(index, rows, a1, a2, a3, b);
    }

  private:
    RandomDataset data_{16, 16, 16, 1024};
};

// The update of one step, averaged over many seeds so that the noise falls out, is minus the rate
// times the gradient; the gradient is taken by central differences of the loss in binary64.
TEST(Trainer, descends_along_the_gradient_of_the_loss) {
    AttentionConfig config;
    config.rows = config.width = config.value_width = config.outputs = 16;
    config.batch = 1;
    config.steps_per_unit = 1;
    config.jitter = 1;
    config.x_rate_shift = 8;
    config.y_rate_shift = 8;
    const OneSequence data;
    auto trainer = Trainer::create(config, data);
    std::vector<std::int32_t> start = initial_parameters(config, seed_of(4));
    for (std::size_t i = 256; i < start.size(); ++i) start[i] = start[i - 256] * 4;
    const auto value_of = [&](std::size_t i, double grid) {
        return std::ldexp(grid, (i < 256 ? config.x_exponent : config.y_exponent) - 16);
    };
    std::vector<double> theta(start.size());
    for (std::size_t i = 0; i < theta.size(); ++i) theta[i] = value_of(i, start[i]);

    std::vector<double> descent(start.size());
    constexpr int kSeeds = 64;
    for (int s = 0; s < kSeeds; ++s) {
        auto parameters = start;
        ASSERT_TRUE(trainer->train_unit(parameters, seed_of(static_cast<std::uint8_t>(s))));
        for (std::size_t i = 0; i < start.size(); ++i)
            descent[i] += value_of(i, start[i] - parameters[i]) * 256 / kSeeds;
    }
    const RealModel model(config, data);
    for (const auto& [first, last] : {std::pair<std::size_t, std::size_t>{0, 256}, {256, 512}}) {
        double dot = 0;
        double real = 0;
        double ours = 0;
        for (std::size_t i = first; i < last; ++i) {
            auto moved = theta;
            moved[i] += 1e-5;
            const double up = model.loss(moved);
            moved[i] -= 2e-5;
            const double gradient = (up - model.loss(moved)) / 2e-5;
            dot += gradient * descent[i];
            real += gradient * gradient;
            ours += descent[i] * descent[i];
        }
        EXPECT_GT(dot / std::sqrt(real * ours), 0.998) << "part starting at " << first;
        EXPECT_NEAR(std::sqrt(ours / real), 1.0, 0.03) << "part starting at " << first;
    }
}

}  // namespace
}  // namespace gradient::model
