// Where the time of a training unit goes: every function of the kernel table is timed inside real
// units of the default text task; random bytes and hashes are timed apart on the amounts a unit
// takes.
//
// Usage: unit_phases [--json] [units]

#include "chain/base/hash.hpp"
#include "model/numerics/engine.hpp"
#include "model/numerics/random_bytes.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/random_dataset.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace gradient;
using namespace gradient::model;
using Clock = std::chrono::steady_clock;

enum Phase : std::size_t { products, rounding, jitter, softmax, residual, update, clip, phases };
constexpr std::array<const char*, phases> kNames{"products",          "rounding of operands",
                                                 "jitter of inputs",  "softmax and its gradient",
                                                 "residual and loss", "update",
                                                 "clipping"};

const Kernels* table = nullptr;
std::array<double, phases> seconds{};

/// Adds the time of a call to its phase.
template <Phase phase, class Call>
auto timed(Call call) noexcept {
    struct Stop {
        Clock::time_point start = Clock::now();
        ~Stop() { seconds[phase] += std::chrono::duration<double>(Clock::now() - start).count(); }
    } const stop;
    return call();
}

/// One function of the table, timed.
template <auto member, Phase phase>
struct Timed;

template <class Result, class... Arguments, Result (*Kernels::*member)(Arguments...) noexcept,
          Phase phase>
struct Timed<member, phase> {
    static Result call(Arguments... arguments) noexcept {
        return timed<phase>([&]() noexcept { return (table->*member)(arguments...); });
    }
};

constexpr Kernels kTimed{Timed<&Kernels::multiply, products>::call,
                         Timed<&Kernels::pack_rows, products>::call,
                         Timed<&Kernels::round, rounding>::call,
                         Timed<&Kernels::jitter, jitter>::call,
                         Timed<&Kernels::softmax, softmax>::call,
                         Timed<&Kernels::residual, residual>::call,
                         Timed<&Kernels::squares, residual>::call,
                         Timed<&Kernels::score_shift, softmax>::call,
                         Timed<&Kernels::softmax_backward, softmax>::call,
                         Timed<&Kernels::round_scores, rounding>::call,
                         Timed<&Kernels::update, update>::call,
                         Timed<&Kernels::displacement, clip>::call};

template <class Call>
double fastest(int repeats, Call call) {
    double best = 1e9;
    for (int i = 0; i < repeats; ++i) {
        const auto start = Clock::now();
        call(i);
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

/// Bytes of noise one unit draws.
std::size_t noise_bytes(const AttentionConfig& c) {
    const std::size_t n = c.rows;
    const std::size_t sequence = n * (3 * std::size_t{c.width}) + n * c.value_width + 2 * n * n +
                                 n * std::size_t{c.width} + 3 * n * c.outputs;
    return c.steps_per_unit * (c.batch * sequence + parameter_count(c));
}

Seed seed_of(int number) {
    Seed seed{};
    seed[0] = static_cast<std::uint8_t>(number);
    return seed;
}

}  // namespace

int main(int argc, char** argv) {
    const bool json = argc > 1 && std::strcmp(argv[1], "--json") == 0;
    const int units = argc > 1 + (json ? 1 : 0) ? std::atoi(argv[argc - 1]) : 100;
    test::Lcg lcg(1);
    std::vector<std::uint8_t> bytes(200'000);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>('a' + lcg.next() % 26 * (lcg.next() % 3) / 2);
    const auto text = TextDataset::create(bytes);
    const AttentionConfig config = TextDataset::default_config();
    table = *find_engine(EngineKind::best);
    auto plain = Trainer::create(config, *text);
    auto instrumented = Trainer::create(config, *text, kTimed);
    auto parameters = initial_parameters(config, seed_of(0));

    const double whole = fastest(units, [&](int i) {
        if (!plain->train_unit(parameters, seed_of(i))) std::abort();
    });
    for (int i = 0; i < units; ++i)
        if (!instrumented->train_unit(parameters, seed_of(i))) std::abort();

    const RandomBytes random(seed_of(1), best_aes_unit());
    std::vector<std::uint8_t> noise(16384);
    const std::size_t drawn = noise_bytes(config);
    const double random_seconds = fastest(units, [&](int) {
        for (std::size_t done = 0; done < drawn; done += noise.size())
            random.fill(Stream::round_u, 0, done, noise);
    });
    const double fold_seconds = fastest(units, [&](int) {
        GradientFold fold(best_aes_unit());
        for (int step = 0; step < config.steps_per_unit; ++step) fold.absorb(parameters);
        noise[0] = fold.state()[0];
    });
    const double hash_seconds = fastest(units, [&](int) {
        noise[0] = chain::sha256({reinterpret_cast<const std::uint8_t*>(parameters.data()),
                                  parameters.size() * sizeof(parameters[0])})
                       .bytes[0];
    });

    std::vector<std::pair<std::string, double>> rows;
    for (std::size_t i = 0; i < phases; ++i) rows.emplace_back(kNames[i], seconds[i] / units);
    rows.emplace_back("random bytes (AES-128 counter mode)", random_seconds);
    rows.emplace_back("fold of the gradients (AES rounds)", fold_seconds);
    rows.emplace_back("parameter digest (SHA-256)", hash_seconds);
    const double unit_seconds = whole + hash_seconds;
    const double share = (random_seconds + fold_seconds + hash_seconds) / unit_seconds;
    double known = 0;
    for (const auto& [name, time] : rows) known += time;
    rows.emplace_back("rows of data, rest", std::max(0.0, unit_seconds - known));

    const double rate = static_cast<double>(unit_work(config)) / unit_seconds / 1e9;
    if (json) {
        std::printf(
            "{\"unit_ms\": %.4f, \"gflops\": %.1f, \"hash_and_random_share\": %.4f, \"phases\": {",
            unit_seconds * 1e3, rate, share);
        for (std::size_t i = 0; i < rows.size(); ++i)
            std::printf("%s\"%s\": %.5f", i == 0 ? "" : ", ", rows[i].first.c_str(),
                        rows[i].second * 1e3);
        std::puts("}}");
        return 0;
    }
    std::printf("unit of %u steps on %s: %.3f ms, %.1f reference Gop/s\n", config.steps_per_unit,
                std::string(engine_name(available_engines().front())).c_str(), unit_seconds * 1e3,
                rate);
    for (const auto& [name, time] : rows)
        std::printf("  %-38s %8.3f ms  %5.1f %%\n", name.c_str(), time * 1e3,
                    100 * time / unit_seconds);
    std::printf("hashing and random numbers: %.1f %% of a unit\n", 100 * share);
}
