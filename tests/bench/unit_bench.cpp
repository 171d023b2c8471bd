// One training step, exact and in plain floating point, side by side on one core.
//
// Contestants take turns within each round, so that a machine that slows down slows all of them;
// times are processor time of the one thread; ratios are taken within a round, then their median.

#include "chain/work/unit.hpp"
#include "model/task.hpp"
#include "tests/bench/machine_limit.hpp"
#include "tests/bench/plain_attention.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>

namespace gradient::bench {
namespace {

constexpr std::int16_t kOne = 1024;  ///< 1.0 as a base mantissa

model::AttentionConfig bench_config() {
    model::AttentionConfig config;  // 64 rows, widths 128, batch 8, 16 steps a unit, causal
    // Rates at which the drawn data below neither diverges nor stands still.
    config.x_rate_shift = 10;
    config.y_rate_shift = 10;
    return config;
}

/// Dense inputs, one-hot targets, drawn once; a sequence is a copy from memory.
class MemoryDataset final : public model::Dataset {
  public:
    MemoryDataset(const model::AttentionConfig& config, std::size_t sequences)
        : config_(config), sequences_(sequences) {
        for (auto& sequence : sequences_) {
            const std::size_t n = config.rows;
            for (auto [matrix, columns] : {std::pair{&sequence.a1, config.width},
                                           {&sequence.a2, config.width},
                                           {&sequence.a3, config.value_width}}) {
                matrix->resize(n * columns);
                for (auto& entry : *matrix) entry = static_cast<std::int16_t>(draw() % 1025 - 512);
            }
            sequence.b.resize(n * config.outputs);
            for (std::size_t i = 0; i < n; ++i)
                sequence.b[i * config.outputs + draw() % config.outputs] = kOne;
        }
    }

    struct Sequence {
        std::vector<std::int16_t> a1, a2, a3, b;
    };
    const Sequence& sequence(std::size_t index) const { return sequences_[index]; }

    std::uint16_t width() const noexcept override { return config_.width; }
    std::uint16_t value_width() const noexcept override { return config_.value_width; }
    std::uint16_t outputs() const noexcept override { return config_.outputs; }
    std::uint64_t training_sequences(std::uint16_t /*rows*/) const noexcept override {
        return sequences_.size();
    }
    std::uint64_t held_out_sequences(std::uint16_t rows) const noexcept override {
        return training_sequences(rows);
    }
    void fill_training(std::uint64_t index, std::uint16_t /*rows*/, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        const Sequence& from = sequences_[index];
        std::ranges::copy(from.a1, a1.begin());
        std::ranges::copy(from.a2, a2.begin());
        std::ranges::copy(from.a3, a3.begin());
        std::ranges::copy(from.b, b.begin());
    }
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        fill_training(index, rows, a1, a2, a3, b);
    }

  private:
    std::uint32_t draw() noexcept {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return static_cast<std::uint32_t>(state_ >> 33);
    }

    model::AttentionConfig config_;
    std::uint64_t state_ = 1;
    std::vector<Sequence> sequences_;
};

/// The same sequences and parameters as real numbers.
PlainBatch plain_batch(const model::AttentionConfig& config, const MemoryDataset& data,
                       std::span<const std::int32_t> parameters) {
    PlainBatch batch{.rows = config.rows,
                     .width = config.width,
                     .value_width = config.value_width,
                     .outputs = config.outputs,
                     .batch = config.batch,
                     .causal = config.causal != 0,
                     .x_rate = std::ldexp(config.x_rate_mantissa, -config.x_rate_shift),
                     .y_rate = std::ldexp(config.y_rate_mantissa, -config.y_rate_shift),
                     .a1 = {},
                     .a2 = {},
                     .a3 = {},
                     .b = {},
                     .x = {},
                     .y = {}};
    const auto append = [](std::vector<double>& to, const std::vector<std::int16_t>& from) {
        for (const std::int16_t entry : from) to.push_back(entry / double{kOne});
    };
    for (std::size_t b = 0; b < config.batch; ++b) {
        const auto& sequence = data.sequence(b % data.training_sequences(config.rows));
        append(batch.a1, sequence.a1);
        append(batch.a2, sequence.a2);
        append(batch.a3, sequence.a3);
        append(batch.b, sequence.b);
    }
    const std::size_t split = std::size_t{config.width} * config.width;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const int exponent = (i < split ? config.x_exponent : config.y_exponent) - 16;
        (i < split ? batch.x : batch.y).push_back(std::ldexp(parameters[i], exponent));
    }
    return batch;
}

/// The complete unit, as miner and verifier run it: batch, jitter, rounding, fold, SHA-256.
class ExactRun {
  public:
    ExactRun(const model::AttentionConfig& config, const model::Dataset& data,
             model::EngineKind engine)
        : trainer_(model::Trainer::create(config, data, engine).value()),
          parameters_(model::initial_parameters(config, model::Seed{})) {}

    double unit() {
        const auto outcome = chain::run_unit(trainer_, {}, ++unit_, previous_, parameters_).value();
        previous_ = outcome.digest;
        return std::ldexp(static_cast<double>(outcome.loss), -32);
    }

  private:
    model::Trainer trainer_;
    std::vector<std::int32_t> parameters_;
    chain::Hash256 previous_;
    std::uint32_t unit_ = 0;
};

struct Contestant {
    std::string name;
    std::function<double()> unit;        ///< as many steps as a unit has; the sum of their losses
    std::vector<double> seconds_a_step;  ///< of each round
};

std::vector<Contestant> contestants(const model::AttentionConfig& config, const MemoryDataset& data,
                                    const std::string& only) {
    std::vector<Contestant> all;
    const auto wanted = [&only](const std::string& name) {
        return only.empty() || name.find(only) != std::string::npos;
    };
    for (const model::EngineKind engine : model::available_engines()) {
        const std::string name = "exact " + std::string(model::engine_name(engine));
        if (!wanted(name) && !(only == "best" && all.empty())) continue;
        auto run = std::make_shared<ExactRun>(config, data, engine);
        all.push_back({.name = name, .unit = [run] { return run->unit(); }, .seconds_a_step = {}});
    }
    const PlainBatch batch =
        plain_batch(config, data, model::initial_parameters(config, model::Seed{}));
    const auto plain = [&](const char* build, MakePlain* make, PlainScalar scalar,
                           PlainCausal causal) {
        const std::string name = std::string("eigen ") +
                                 (scalar == PlainScalar::f32 ? "float " : "double ") + build +
                                 (causal == PlainCausal::triangular ? " triangular" : "");
        if (!wanted(name)) return;
        const std::shared_ptr<PlainTrainer> trainer = make(batch, scalar, causal);
        all.push_back({.name = name,
                       .unit =
                           [trainer, steps = config.steps_per_unit] {
                               double loss = 0;
                               for (int step = 0; step < steps; ++step) loss += trainer->step();
                               return loss;
                           },
                       .seconds_a_step = {}});
    };
    for (const PlainScalar scalar : {PlainScalar::f32, PlainScalar::f64})
        for (const PlainCausal causal : {PlainCausal::whole, PlainCausal::triangular}) {
            plain("baseline", plain_baseline::make, scalar, causal);
#if defined(GRADIENT_PLAIN_NATIVE)
            plain("native", plain_native::make, scalar, causal);
#endif
#if defined(GRADIENT_PLAIN_AVX2)
            if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
                plain("avx2", plain_avx2::make, scalar, causal);
#endif
        }
    return all;
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values,
                             values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

/// How far the exact unit's losses lie from those of plain double, on one sequence: a check that
/// both do the same mathematics.
double loss_difference(model::AttentionConfig config) {
    const MemoryDataset data(config, 1);
    config.jitter = 1;
    config.x_rate_shift = 12;
    config.y_rate_shift = 12;
    ExactRun exact(config, data, model::EngineKind::best);
    const auto plain = plain_baseline::make(
        plain_batch(config, data, model::initial_parameters(config, model::Seed{})),
        PlainScalar::f64, PlainCausal::whole);
    double worst = 0;
    for (int unit = 0; unit < 10; ++unit) {
        double loss = 0;
        for (int step = 0; step < config.steps_per_unit; ++step) loss += plain->step();
        worst = std::max(worst, std::abs(exact.unit() / loss - 1));
    }
    return worst;
}

struct Report {
    std::vector<Contestant> contestants;
    std::vector<MachineLimit> limits;
    double loss_difference;
    double flops_a_step;
};

const Contestant* fastest(const Report& report, std::string_view prefix) {
    const Contestant* best = nullptr;
    for (const auto& one : report.contestants)
        if (one.name.starts_with(prefix) &&
            (best == nullptr || median(one.seconds_a_step) < median(best->seconds_a_step)))
            best = &one;
    return best;
}

/// Median over the rounds of a's time by b's.
double ratio(const Contestant& a, const Contestant& b) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.seconds_a_step.size(); ++i)
        ratios.push_back(a.seconds_a_step[i] / b.seconds_a_step[i]);
    return median(std::move(ratios));
}

struct Claim {
    std::string name;
    double ratio;
    double limit;
};

std::vector<Claim> claims(const Report& report) {
    std::vector<Claim> found;
    const auto claim = [&](const Contestant* a, const Contestant* b, double limit) {
        if (a != nullptr && b != nullptr)
            found.push_back({a->name + " / " + b->name, ratio(*a, *b), limit});
    };
    const Contestant* best = fastest(report, "exact ");
    // As written and built for this machine first, then every faster way to build and to write it.
    for (const char* plain : {"eigen float native", "eigen float avx2",
                              "eigen float native triangular", "eigen float avx2 triangular"})
        for (const Contestant& one : report.contestants)
            if (one.name == plain) claim(best, &one, 0.5);
    claim(best, fastest(report, "eigen double"), 0.5);
    claim(fastest(report, "exact eigen"), fastest(report, "eigen double baseline"), 1.25);
    return found;
}

double gflops(const Report& report, const Contestant& one) {
    return 1e-9 * report.flops_a_step / median(one.seconds_a_step);
}

void print_table(const Report& report) {
    std::printf("largest relative difference of a unit's loss from plain double: %.4f\n\n",
                report.loss_difference);
    for (const auto& limit : report.limits)
        std::printf("limit %-24s %8.1f Gop/s\n", limit.instruction.c_str(), limit.gops);
    const Contestant* best = fastest(report, "exact ");
    std::printf("\n%-32s %10s %10s %9s %9s\n", "one step", "least us", "median us", "GFLOP/s",
                "by best");
    for (const auto& one : report.contestants)
        std::printf("%-32s %10.1f %10.1f %9.1f %9.2f\n", one.name.c_str(),
                    1e6 * std::ranges::min(one.seconds_a_step), 1e6 * median(one.seconds_a_step),
                    gflops(report, one), best != nullptr ? ratio(one, *best) : 0.0);
    std::printf("\n");
    if (best != nullptr && !report.limits.empty())
        std::printf("%s reaches %.2f of the limit of %s\n", best->name.c_str(),
                    gflops(report, *best) / report.limits.front().gops,
                    report.limits.front().instruction.c_str());
    for (const auto& claim : claims(report))
        std::printf("%-60s %5.2f (asked: at most %.2f)%s\n", claim.name.c_str(), claim.ratio,
                    claim.limit, claim.ratio <= claim.limit ? "" : "  NOT MET");
}

void print_json(const Report& report) {
    boost::json::object json;
    json["loss_difference"] = report.loss_difference;
    json["flops_a_step"] = report.flops_a_step;
    boost::json::object limits;
    for (const auto& limit : report.limits) limits[limit.instruction] = limit.gops;
    json["limits_gops"] = limits;
    boost::json::object steps;
    for (const auto& one : report.contestants)
        steps[one.name] = {{"least_us", 1e6 * std::ranges::min(one.seconds_a_step)},
                           {"median_us", 1e6 * median(one.seconds_a_step)},
                           {"gflops", gflops(report, one)}};
    json["steps"] = steps;
    boost::json::object ratios;
    for (const auto& claim : claims(report))
        ratios[claim.name] = {{"ratio", claim.ratio}, {"limit", claim.limit}};
    json["ratios"] = ratios;
    std::cout << json << '\n';
}

}  // namespace
}  // namespace gradient::bench

int main(int argc, char** argv) {
    using namespace gradient;
    CLI::App app{"One training step, exact and in plain Eigen, side by side on one core"};
    int rounds = 40;
    std::string only;
    bool json = false;
    app.add_option("--rounds", rounds, "Rounds; in each, every contestant runs one unit")
        ->check(CLI::PositiveNumber);
    app.add_option("--only", only,
                   "Contestants whose name has this in it; 'best': the best engine");
    app.add_flag("--json", json, "Print one JSON object");
    CLI11_PARSE(app, argc, argv);

    const auto config = bench::bench_config();
    // As many sequences as plain Eigen's batch has, which also lies ready in memory.
    const bench::MemoryDataset data(config, config.batch);
    bench::Report report{
        .contestants = bench::contestants(config, data, only),
        .limits = bench::machine_limits(),
        .loss_difference = bench::loss_difference(config),
        .flops_a_step = static_cast<double>(model::unit_work(config)) / config.steps_per_unit};
    if (report.loss_difference > 0.02) {
        std::fprintf(stderr,
                     "unit_bench: exact and plain do not compute the same (loss off by %g)\n",
                     report.loss_difference);
        return 1;
    }
    for (auto& one : report.contestants) one.unit();
    for (int round = 0; round < rounds; ++round)
        for (auto& one : report.contestants) {
            const double begin = bench::thread_seconds();
            const double loss = one.unit();
            one.seconds_a_step.push_back((bench::thread_seconds() - begin) / config.steps_per_unit);
            if (!std::isfinite(loss)) {
                std::fprintf(stderr, "unit_bench: %s diverged\n", one.name.c_str());
                return 1;
            }
        }
    if (json)
        bench::print_json(report);
    else
        bench::print_table(report);
    return 0;
}
