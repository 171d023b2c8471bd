// What jitter and dither cost: in time (the same unit with and without drawing and adding noise)
// and in learning (held-out accuracy and Brier score after training with noise left out, as
// specified, and larger).
//
// Usage: noise_cost TEXT_FILE [units] [--json]

#include "model/numerics/engine.hpp"
#include "model/text/text_dataset.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace gradient::model;

const Kernels* table = nullptr;

/// round_shift with the noise `factor` times as wide.
template <int factor>
void round_wide(const std::int32_t* acc, const std::uint8_t* noise, std::int16_t* out,
                std::size_t count, int shift) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t h = noise == nullptr ? 0 : (2 * std::int64_t{noise[i]} - 255) * factor;
        const int s = std::min(shift, 40);
        const std::int64_t rounded = (std::int64_t{acc[i]} * 256 + ((h + 128) << s)) >> (s + 8);
        out[i] = static_cast<std::int16_t>(std::clamp<std::int64_t>(rounded, -2047, 2047));
    }
}

template <int factor>
void round_scores_wide(const std::int32_t* acc, const std::uint8_t* noise, std::int16_t* out,
                       std::size_t n, bool causal, int shift) noexcept {
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t valid = causal ? i + 1 : n;
        round_wide<factor>(acc + i * n, noise + i * n, out + i * n, valid, shift);
        std::fill(out + i * n + valid, out + (i + 1) * n, std::int16_t{0});
    }
}

void softmax_plain(const std::int32_t* scores, const std::uint8_t* /*noise*/, std::int16_t* f,
                   std::size_t n, bool causal, int k) noexcept {
    table->softmax(scores, nullptr, f, n, causal, k);
}

/// The table with the noise of every rounding scaled by `factor`; 0 rounds to nearest.
template <int factor>
Kernels with_noise() {
    Kernels changed = *table;
    changed.round = round_wide<factor>;
    changed.round_scores = round_scores_wide<factor>;
    if (factor == 0) changed.softmax = softmax_plain;
    return changed;
}

struct Variant {
    const char* name;
    Kernels kernels;
    std::uint16_t jitter;
};

Seed seed_of(int number) {
    Seed seed{};
    std::memcpy(seed.data(), &number, sizeof(number));
    return seed;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: noise_cost TEXT_FILE [units] [--json]\n", stderr);
        return 2;
    }
    const bool json = std::strcmp(argv[argc - 1], "--json") == 0;
    const int units = argc > 2 + (json ? 1 : 0) ? std::atoi(argv[2]) : 625;
    std::ifstream file(argv[1], std::ios::binary);
    const std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
    const auto text = TextDataset::create(bytes);
    if (!text) {
        std::fprintf(stderr, "%s: %s\n", argv[1], std::string(describe(text.error())).c_str());
        return 1;
    }
    table = *find_engine(EngineKind::best);
    const AttentionConfig config = TextDataset::default_config();
    const std::vector<Variant> variants{
        {"as specified: dither 1, jitter 16", *table, config.jitter},
        {"no dither (round to nearest)", with_noise<0>(), config.jitter},
        {"dither 2", with_noise<2>(), config.jitter},
        {"dither 4", with_noise<4>(), config.jitter},
        {"jitter 1", *table, 1},
        {"jitter 32", *table, 32},
        {"no dither, jitter 1", with_noise<0>(), 1}};
    for (const Variant& variant : variants) {
        AttentionConfig changed = config;
        changed.jitter = variant.jitter;
        auto trainer = Trainer::create(changed, *text, variant.kernels);
        auto parameters = initial_parameters(changed, seed_of(0));
        for (int i = 0; i < units; ++i)
            if (!trainer->train_unit(parameters, seed_of(i))) std::abort();
        const auto held_out =
            trainer->evaluate(parameters, 0, text->held_out_sequences(config.rows));
        std::printf(
            json ? "{\"variant\": \"%s\", \"steps\": %d, \"accuracy\": %.4f, \"brier\": %.4f}\n"
                 : "%-36s %6d steps  accuracy %.4f  Brier %.4f\n",
            variant.name, units * config.steps_per_unit, held_out->accuracy(), held_out->brier());
        std::fflush(stdout);
    }
}
