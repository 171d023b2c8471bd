// What the probe unit counts (model/SPEC.md section 6.6) on healthy, dead and diverged tasks, and
// how far each lies from the bounds of health.
//
// Usage: probe_counts [--json] TEXT_FILE [units]     units: of training before the second probe

#include "model/matrix/matrix_dataset.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/random_dataset.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace gradient;
using namespace gradient::model;

Seed seed_of(int number) {
    Seed seed{};
    std::memcpy(seed.data(), &number, sizeof(number));
    return seed;
}

bool json = false;

/// Probes a task at its start and after so many units.
void probe(const char* name, const AttentionConfig& config, const Dataset& data,
           const std::vector<int>& units) {
    auto trainer = Trainer::create(config, data);
    if (!trainer) std::abort();
    auto parameters = initial_parameters(config, seed_of(0));
    int done = 0;
    for (const int wanted : units) {
        for (; done < wanted; ++done)
            if (!trainer->train_unit(parameters, seed_of(done))) std::abort();
        const auto counts = trainer->probe_unit(parameters, seed_of(-1 - wanted));
        if (!counts) std::abort();
        const auto share = [](std::uint64_t part, std::uint64_t whole) {
            return static_cast<double>(part) / static_cast<double>(whole);
        };
        const auto score = trainer->evaluate(parameters, 0, 50);
        const auto print = [&](const char* matrix, const MatrixCounts& of) {
            std::printf(json ? "\"%s\": {\"saturated\": %.6f, \"moved\": %.6f, \"zero\": %.6f}, "
                             : "  %s: %8.6f %8.6f %8.6f",
                        matrix, share(of.saturated, of.parameters), share(of.moved, of.parameters),
                        share(of.zero_accumulators, of.accumulators));
        };
        std::printf(json ? "{\"task\": \"%s\", \"units\": %d, " : "%-36s %5d", name, done);
        print("X", counts->x);
        print("Y", counts->y);
        std::printf(json ? "\"squared_error\": %.4f, \"healthy\": %s}\n" : "  %9.4f  %s\n",
                    score->brier(), counts->is_healthy() ? "true" : "false");
        std::fflush(stdout);
    }
}

/// Matrices with a rule to learn: keys single a row out, targets are a linear map of its values.
MatrixDataset matrices(std::uint16_t columns, std::uint16_t outputs, std::int32_t magnitude) {
    constexpr std::uint32_t kRows = 4000;
    test::Lcg lcg(columns);
    std::vector<std::int16_t> keys, values, targets;
    for (std::uint32_t i = 0; i < kRows; ++i) {
        const std::size_t row = values.size();
        for (std::uint16_t j = 0; j < columns; ++j) {
            keys.push_back(static_cast<std::int16_t>(
                i % columns == j ? 1024 : lcg.in(-magnitude / 8, magnitude / 8)));
            values.push_back(static_cast<std::int16_t>(lcg.in(-magnitude, magnitude)));
        }
        for (std::uint16_t j = 0; j < outputs; ++j)
            targets.push_back(
                static_cast<std::int16_t>(values[row + j] - values[row + (j + 1U) % columns] / 2));
    }
    return *MatrixDataset::create({kRows, columns, columns, outputs}, keys, keys, values, targets);
}

AttentionConfig matrix_config(std::uint16_t width, std::uint16_t outputs) {
    AttentionConfig config;
    config.rows = width < 64 ? 16 : 64;
    config.width = config.value_width = width;
    config.outputs = outputs;
    config.causal = 0;
    config.x_rate_shift = 2;
    config.y_rate_shift = 6;
    return config;
}

/// The tiny model of the chain's tests (tests/support/tiny_chain.hpp).
AttentionConfig tiny_config() {
    AttentionConfig config;
    config.rows = config.width = config.value_width = config.outputs = 16;
    config.batch = config.steps_per_unit = 1;
    config.x_rate_shift = 6;
    return config;
}

}  // namespace

int main(int argc, char** argv) {
    int next = 1;
    if (next < argc && std::strcmp(argv[next], "--json") == 0) json = ++next > 0;
    if (next >= argc) {
        std::fputs("usage: probe_counts [--json] TEXT_FILE [units]\n", stderr);
        return 2;
    }
    std::ifstream file(argv[next], std::ios::binary);
    const std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
    const int units = next + 1 < argc ? std::atoi(argv[next + 1]) : 2000;
    const auto text = TextDataset::create(bytes);
    if (!text) {
        std::fputs("probe_counts: the file is no text data set\n", stderr);
        return 1;
    }
    if (!json)
        std::puts(
            "task                                 units  X: saturated, moved, zero accumulators; Y "
            "likewise; squared error of a row; healthy");
    const AttentionConfig usual = TextDataset::default_config();
    const auto changed = [&](auto change) {
        AttentionConfig config = usual;
        change(config);
        return config;
    };

    const std::vector<int> all{0, 20, units};
    probe("text", usual, *text, all);
    probe("matrices, 16 columns", matrix_config(16, 16), matrices(16, 4, 512), all);
    probe("matrices, 13 columns", matrix_config(16, 16), matrices(13, 3, 512), all);
    probe("matrices, 16 columns, quiet", matrix_config(16, 16), matrices(16, 4, 16), all);
    probe("matrices, 128 columns", matrix_config(128, 64), matrices(128, 64, 512), all);
    probe("tiny", tiny_config(), test::RandomDataset(16, 16, 16, 700), all);

    for (const int shift : {8, 16, 20, 22, 24, 30})
        probe(("text, rates 2^-" + std::to_string(shift)).c_str(), changed([&](AttentionConfig& c) {
                  c.x_rate_shift = c.y_rate_shift = static_cast<std::uint8_t>(shift);
              }),
              *text, {0, 20});
    for (const int shift : {5, 4, 3, 2, 1, 0})
        probe(("text, no clip, Y rate 2^-" + std::to_string(shift)).c_str(),
              changed([&](AttentionConfig& c) {
                  c.y_rate_shift = static_cast<std::uint8_t>(shift);
                  c.x_clip = c.y_clip = 1U << 30;
              }),
              *text, {0, 1, 20});
    probe("text, largest rates, no clip", changed([](AttentionConfig& c) {
              c.x_rate_mantissa = c.y_rate_mantissa = 255;
              c.x_rate_shift = c.y_rate_shift = 0;
              c.x_clip = c.y_clip = 1U << 30;
          }),
          *text, {0, 1, 20});
    for (const int bits : {12, 8, 4, 0})
        probe(("text, clips of 2^" + std::to_string(bits)).c_str(),
              changed([&](AttentionConfig& c) { c.x_clip = c.y_clip = 1U << bits; }), *text,
              {0, 20});
    probe("text, X rests", changed([](AttentionConfig& c) { c.x_rate_shift = 40; }), *text,
          {0, 20});
    probe("text, Y rests", changed([](AttentionConfig& c) { c.y_rate_shift = 40; }), *text,
          {0, 20});
    probe("zeros", usual, test::RandomDataset(128, 256, 64, 0), {0, 20});
}
