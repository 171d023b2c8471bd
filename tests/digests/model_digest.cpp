// Prints one line per engine and thread count: a digest over parameters, losses, gradient folds and
// evaluations of many units. Every build on every machine must print the same digest.

#include "model/task.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/random_dataset.hpp"

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace gradient::model;
using gradient::test::Lcg;
using gradient::test::RandomDataset;

/// FNV-1a: enough to compare honest runs.
class Digest {
  public:
    void add(const void* data, std::size_t size) noexcept {
        const auto* bytes = static_cast<const unsigned char*>(data);
        for (std::size_t i = 0; i < size; ++i) value_ = (value_ ^ bytes[i]) * 1099511628211U;
    }
    std::uint64_t value() const noexcept { return value_; }

  private:
    std::uint64_t value_ = 14695981039346656037U;
};

void add_run(Digest& digest, const AttentionConfig& config, const Dataset& data, EngineKind engine,
             int units) {
    auto trainer = Trainer::create(config, data, engine);
    if (!trainer) {
        std::fprintf(stderr, "cannot train: %s\n", std::string(describe(trainer.error())).c_str());
        std::exit(1);
    }
    Seed seed{};
    auto parameters = initial_parameters(config, seed);
    for (int i = 0; i < units; ++i) {
        seed[0] = static_cast<std::uint8_t>(i);
        const UnitResult unit = *trainer->train_unit(parameters, seed);
        digest.add(&unit.loss, sizeof(unit.loss));
        digest.add(unit.gradient.data(), unit.gradient.size());
    }
    digest.add(parameters.data(), parameters.size() * sizeof(parameters[0]));
    const Evaluation evaluation = *trainer->evaluate(parameters, 0, 4);
    digest.add(&evaluation.correct, sizeof(evaluation.correct));
    digest.add(&evaluation.squared_error, sizeof(evaluation.squared_error));
}

AttentionConfig small_config(int variant) {
    AttentionConfig config;
    config.rows = variant % 2 == 0 ? 32 : 48;
    config.width = 48;
    config.value_width = 32;
    config.outputs = 16;
    config.batch = 3;
    config.steps_per_unit = 2;
    config.causal = variant % 3 == 0 ? 0 : 1;
    config.x_exponent = static_cast<std::int8_t>(-4 - 2 * variant);
    config.y_exponent = static_cast<std::int8_t>(-9 - variant % 6);
    config.x_rate_shift = static_cast<std::uint8_t>(variant * 4);
    config.y_rate_shift = static_cast<std::uint8_t>(variant * 4);
    config.x_clip = variant == 5 ? 1000 : 1U << 30;
    return config;
}

std::uint64_t digest_of(EngineKind engine, const TextDataset& text) {
    Digest digest;
    for (int variant = 0; variant < 6; ++variant)
        for (const std::int16_t magnitude :
             {std::int16_t{0}, std::int16_t{900}, std::int16_t{2047}})
            add_run(digest, small_config(variant),
                    RandomDataset(48, 32, 16, magnitude, variant == 4), engine, 2);
    AttentionConfig config = TextDataset::default_config();
    config.steps_per_unit = 1;
    add_run(digest, config, text, engine, 3);
    return digest.value();
}

}  // namespace

int main() {
    Lcg lcg(1);
    std::vector<std::uint8_t> bytes(20000);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>('a' + (lcg.next() % 97) * (lcg.next() % 97) / 400);
    const auto text = TextDataset::create(bytes);
    for (const EngineKind engine : available_engines())
        std::printf("%s threads 1 %016llx\n", std::string(engine_name(engine)).c_str(),
                    static_cast<unsigned long long>(digest_of(engine, *text)));
    std::vector<std::uint64_t> digests(3);
    {
        std::vector<std::jthread> workers;
        for (std::uint64_t& digest : digests)
            workers.emplace_back([&] { digest = digest_of(EngineKind::best, *text); });
    }
    for (const std::uint64_t digest : digests)
        std::printf("best threads 3 %016llx\n", static_cast<unsigned long long>(digest));
}
