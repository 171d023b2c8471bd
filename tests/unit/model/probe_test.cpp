#include "model/numerics/kernels.hpp"
#include "model/task.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/random_dataset.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gradient::model {
namespace {

using test::RandomDataset;

Seed seed_of(std::uint8_t value) {
    Seed seed{};
    seed.fill(value);
    return seed;
}

/// Words of a few hundred, so that there is something to learn.
TextDataset some_text() {
    test::Lcg lcg(3);
    std::vector<std::string> words(300);
    for (std::string& word : words)
        for (std::int32_t letters = lcg.in(2, 8); letters > 0; --letters)
            word += static_cast<char>('a' + lcg.in(0, 25));
    std::vector<std::uint8_t> text;
    while (text.size() < 60'000) {
        const std::string& word = words[lcg.next() % words.size()];
        text.insert(text.end(), word.begin(), word.end());
        text.push_back(' ');
    }
    return *TextDataset::create(text);
}

/// The probe of a model that has trained for so many units.
ProbeCounts probe_after(const AttentionConfig& config, const Dataset& data, int units) {
    auto trainer = Trainer::create(config, data);
    EXPECT_TRUE(trainer.has_value());
    auto parameters = initial_parameters(config, seed_of(1));
    for (int i = 0; i < units; ++i)
        EXPECT_TRUE(trainer->train_unit(parameters, seed_of(static_cast<std::uint8_t>(i))));
    return *trainer->probe_unit(parameters, seed_of(200));
}

/// Healthy with every count at most a fourth of the way to its bound.
void expect_wide_margins(const ProbeCounts& counts) {
    EXPECT_LE(counts.x.saturated * 16, counts.x.parameters);
    EXPECT_LE(counts.y.saturated * 128, counts.y.parameters);
    EXPECT_GE(counts.y.moved * 16, counts.y.parameters);
    EXPECT_LE(counts.x.zero_accumulators * 16, counts.x.accumulators);
    EXPECT_LE(counts.y.zero_accumulators * 16, counts.y.accumulators);
    EXPECT_TRUE(counts.is_healthy());
}

AttentionConfig text_config() {
    return TextDataset::default_config();
}

AttentionConfig tiny_config() {
    AttentionConfig config;
    config.rows = config.width = config.value_width = config.outputs = 16;
    config.batch = config.steps_per_unit = 1;
    config.x_rate_shift = 6;
    return config;
}

TEST(Probe, runs_the_unit_that_train_unit_runs) {
    const RandomDataset data(16, 16, 16, 700);
    AttentionConfig config = tiny_config();
    config.steps_per_unit = 3;
    config.x_clip = 400'000;
    auto trainer = *Trainer::create(config, data);
    const auto before = initial_parameters(config, seed_of(1));
    const ProbeCounts counts = *trainer.probe_unit(before, seed_of(2));
    auto after = before;
    ASSERT_TRUE(trainer.train_unit(after, seed_of(2)));
    std::uint64_t moved_x = 0;
    std::uint64_t moved_y = 0;
    for (std::size_t i = 0; i < after.size(); ++i)
        if (std::abs(after[i] - before[i]) >= 64) ++(i < 256 ? moved_x : moved_y);
    EXPECT_EQ(counts.x.moved, moved_x);
    EXPECT_EQ(counts.y.moved, moved_y);
    EXPECT_EQ(counts.x.parameters, 256U);
    EXPECT_EQ(counts.y.parameters, 256U);
    EXPECT_EQ(counts.x.accumulators, 3 * 256U);
    EXPECT_EQ(counts.y.accumulators, 3 * 256U);
}

TEST(Probe, leaves_no_trace_in_the_trainer) {
    const RandomDataset data(16, 16, 16, 700);
    const auto start = initial_parameters(tiny_config(), seed_of(1));
    auto alone = *Trainer::create(tiny_config(), data);
    auto probed = *Trainer::create(tiny_config(), data);
    ASSERT_TRUE(probed.probe_unit(start, seed_of(5)));
    auto left = start;
    auto right = start;
    EXPECT_EQ(*alone.train_unit(left, seed_of(2)), *probed.train_unit(right, seed_of(2)));
    EXPECT_EQ(left, right);
}

TEST(Probe, refuses_what_train_unit_refuses) {
    const RandomDataset data(16, 16, 16, 700);
    auto trainer = *Trainer::create(tiny_config(), data);
    auto parameters = initial_parameters(tiny_config(), seed_of(1));
    const std::span all(parameters);
    EXPECT_EQ(trainer.probe_unit(all.first(511), {}).error(), TaskError::wrong_parameters);
    parameters[7] = kParameterLimit + 1;
    EXPECT_EQ(trainer.probe_unit(all, {}).error(), TaskError::wrong_parameters);
    parameters[7] = -kParameterLimit - 1;
    EXPECT_EQ(trainer.probe_unit(all, {}).error(), TaskError::wrong_parameters);
    parameters[7] = -kParameterLimit;
    EXPECT_TRUE(trainer.probe_unit(all, {}));
}

TEST(Probe, counts_as_saturated_the_limits_and_nothing_else) {
    const RandomDataset data(16, 16, 16, 700);
    AttentionConfig config = tiny_config();
    config.x_rate_shift = config.y_rate_shift = 40;
    auto trainer = *Trainer::create(config, data);
    auto parameters = initial_parameters(config, seed_of(1));
    parameters[0] = kParameterLimit;
    parameters[1] = -kParameterLimit;
    parameters[2] = kParameterLimit - 1;
    parameters[256] = -kParameterLimit;
    parameters[257] = -kParameterLimit + 1;
    const ProbeCounts counts = *trainer.probe_unit(parameters, seed_of(2));
    EXPECT_EQ(counts.x.saturated, 2U);
    EXPECT_EQ(counts.y.saturated, 1U);
}

TEST(Probe, every_bound_is_met_exactly) {
    ProbeCounts best;
    best.x = {6400, 1600, 0, 12800, 3200};
    best.y = {3200, 100, 50, 6400, 1600};
    EXPECT_TRUE(best.is_healthy());
    const auto changed = [&](auto change) {
        ProbeCounts counts = best;
        change(counts);
        return counts.is_healthy();
    };
    EXPECT_FALSE(changed([](ProbeCounts& c) { ++c.x.saturated; }));
    EXPECT_FALSE(changed([](ProbeCounts& c) { ++c.y.saturated; }));
    EXPECT_FALSE(changed([](ProbeCounts& c) { --c.y.moved; }));
    EXPECT_FALSE(changed([](ProbeCounts& c) { ++c.x.zero_accumulators; }));
    EXPECT_FALSE(changed([](ProbeCounts& c) { ++c.y.zero_accumulators; }));
}

TEST(Probe, text_is_healthy_at_its_start_and_later) {
    const TextDataset text = some_text();
    for (const int units : {0, 1, 10}) expect_wide_margins(probe_after(text_config(), text, units));
}

TEST(Probe, the_smallest_models_are_healthy) {
    const RandomDataset data(16, 16, 16, 700);
    for (const int units : {0, 1, 10, 200})
        expect_wide_margins(probe_after(tiny_config(), data, units));
}

TEST(Probe, finds_a_model_that_diverged) {
    const TextDataset text = some_text();
    AttentionConfig config = text_config();
    config.x_rate_mantissa = config.y_rate_mantissa = 255;
    config.x_rate_shift = config.y_rate_shift = 0;
    config.x_clip = config.y_clip = 1U << 30;
    for (const int units : {0, 1, 3}) {
        const ProbeCounts counts = probe_after(config, text, units);
        EXPECT_FALSE(counts.is_healthy());
        EXPECT_GE(counts.x.saturated * 2, counts.x.parameters);
        EXPECT_GE(counts.y.saturated * 2, counts.y.parameters);
    }
    config = text_config();
    config.y_rate_shift = 0;
    config.y_clip = 1U << 30;
    const ProbeCounts y_alone = probe_after(config, text, 1);
    EXPECT_FALSE(y_alone.is_healthy());
    EXPECT_GE(y_alone.y.saturated * 8, y_alone.y.parameters);
}

TEST(Probe, finds_a_model_that_does_not_move) {
    const TextDataset text = some_text();
    AttentionConfig clipped = text_config();
    clipped.x_clip = clipped.y_clip = 1;  // leaves changes of -1 and 0 grid steps
    AttentionConfig slow = text_config();
    slow.x_rate_shift = slow.y_rate_shift = 30;
    AttentionConfig y_rests = text_config();
    y_rests.y_rate_shift = 40;
    for (const AttentionConfig& config : {clipped, slow, y_rests}) {
        const ProbeCounts counts = probe_after(config, text, 2);
        EXPECT_EQ(counts.y.moved, 0U);
        EXPECT_FALSE(counts.is_healthy());
    }
}

TEST(Probe, x_may_rest) {
    const TextDataset text = some_text();
    AttentionConfig config = text_config();
    config.x_rate_shift = 40;
    const ProbeCounts counts = probe_after(config, text, 2);
    EXPECT_EQ(counts.x.moved, 0U);
    EXPECT_TRUE(counts.is_healthy());
}

TEST(Probe, data_of_zeros_trains_nothing) {
    for (const std::uint16_t jitter : {std::uint16_t{1}, std::uint16_t{16}}) {
        AttentionConfig config = tiny_config();
        config.jitter = jitter;
        EXPECT_FALSE(probe_after(config, RandomDataset(16, 16, 16, 0), 1).is_healthy());
    }
}

}  // namespace
}  // namespace gradient::model
