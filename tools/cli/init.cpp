#include "chain/base/u256.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/state/genesis_state.hpp"
#include "chain/work/task_model.hpp"
#include "chain/work/unit.hpp"
#include "node/setup/files.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/terminal.hpp"
#include "tools/cli/text_figures.hpp"
#include "tools/cli/text_files.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct InitOptions {
    std::vector<std::filesystem::path> texts;
    std::filesystem::path out = "chain.json";
    std::string name = "local";
    std::uint64_t interval_ms = chain::ConsensusParams{}.interval_ms;
    std::optional<double> unit_ms;
    std::optional<std::uint32_t> bits;
    std::optional<std::uint16_t> rows;
    std::optional<std::uint16_t> batch;
    std::optional<std::uint16_t> steps_per_unit;
    std::optional<std::uint32_t> units_per_hit;
};

node::Failure refuse(const std::string& sentence) {
    return {node::ExitCode::chain_spec, sentence};
}

// Time of a unit on this machine, hashing included: what a lane will take. The fastest tenth, as
// whatever else the machine does now will end.
double measure_unit_ms(const chain::TaskRecord& task, const model::Dataset& data) {
    auto trainer = model::Trainer::create(chain::to_model(task.shape), data);
    if (!trainer) throw refuse(std::string(model::describe(trainer.error())));
    auto parameters = chain::initial_parameters(task);
    std::vector<double> times;
    constexpr std::chrono::milliseconds kMeasureTime{1500};
    constexpr std::size_t kMinUnits = 5;
    const auto begin = Clock::now();
    chain::Hash256 previous;
    for (std::uint32_t unit = 1; times.size() < kMinUnits || Clock::now() - begin < kMeasureTime;
         ++unit) {
        const auto start = Clock::now();
        const auto outcome = chain::run_unit(*trainer, task.data_root, unit, previous, parameters);
        if (!outcome) throw refuse(std::string(model::describe(outcome.error())));
        previous = outcome->digest;
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    const auto fast = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 10);
    std::nth_element(times.begin(), fast, times.end());
    return *fast;
}

// The target for one reference FLOP under which one lane wins once an interval: 2^256 * unit time /
// interval / work.
std::uint32_t bits_for(double unit_ms, std::uint64_t interval_ms, std::uint64_t unit_work,
                       std::uint32_t max_bits) {
    constexpr double kNanosecondsPerMs = 1e6;
    const auto unit_ns =
        static_cast<std::uint64_t>(std::max(1.0, std::round(unit_ms * kNanosecondsPerMs)));
    const auto interval_ns = interval_ms * static_cast<std::uint64_t>(kNanosecondsPerMs);
    const auto divisor = chain::checked_mul(chain::U256(interval_ns), unit_work);
    const auto per_ns = chain::divide(chain::U256::max(), divisor.value()).quotient;
    const auto target = chain::saturating_mul(per_ns, unit_ns);
    const auto easiest = chain::from_compact(max_bits);
    return easiest && target > *easiest ? max_bits : chain::to_compact(target);
}

std::uint64_t now_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

chain::ChainSpec make_spec(const InitOptions& options, chain::Bytes text) {
    auto spec = chain::default_chain_spec(options.name, std::move(text), now_ms(),
                                          chain::ConsensusParams{}.max_bits);
    if (options.rows) spec.model.rows = *options.rows;
    if (options.batch) spec.model.batch = *options.batch;
    if (options.steps_per_unit) spec.model.steps_per_unit = *options.steps_per_unit;
    if (options.units_per_hit) spec.params.work.units_per_hit = *options.units_per_hit;
    // The half-life keeps its proportion to the interval.
    spec.params.half_life_ms =
        spec.params.half_life_ms / spec.params.interval_ms * options.interval_ms;
    spec.params.interval_ms = options.interval_ms;
    return spec;
}

void check(const chain::ChainSpec& spec) {
    if (const auto good = chain::check_chain_spec(spec); !good) throw refuse(good.error().message);
}

std::string human(const boost::json::object& r, const TextFigures& figures) {
    Listing lines;
    lines.add("chain spec", std::string(r.at("chain").as_string()));
    lines.add("genesis", std::string(r.at("genesis").as_string()));
    lines.add("text",
              fmt::format("{} bytes: {} tokens to train on, {} held out, {} different",
                          grouped(r.at("text_bytes").as_uint64()), grouped(figures.training_tokens),
                          grouped(figures.held_out_tokens), figures.vocabulary));
    lines.add("model",
              fmt::format("{} parameters, {} FLOP a unit", grouped(r.at("parameters").as_uint64()),
                          grouped(r.at("unit_work").as_uint64())));
    lines.add(
        "difficulty",
        fmt::format("a unit takes {:.2f} ms here: about {:.0f} units in a block of {} ms (bits {})",
                    r.at("unit_ms").as_double(), r.at("expected_units_per_block").as_double(),
                    r.at("interval_ms").as_uint64(), r.at("bits").as_string().c_str()));
    std::string text = lines.text() + "\nHeld-out scores to beat:\n";
    Table table({"table", "Brier", "accuracy"});
    for (const auto& [name, score] :
         {std::pair("unigram", figures.unigram), std::pair("bigram", figures.bigram),
          std::pair("trigram", figures.trigram)}) {
        table.add(
            {name, fmt::format("{:.4f}", score.brier), fmt::format("{:.4f}", score.accuracy)});
    }
    return text + table.text();
}

void run_init(const InitOptions& options, const CommonOptions& common) {
    if (node::path_exists(options.out, node::ExitCode::chain_spec)) {
        throw refuse(
            fmt::format("The file {} exists: name another with --out.", options.out.string()));
    }
    auto spec = make_spec(options, joined_texts(options.texts));
    check(spec);
    const auto task = chain::genesis_task(spec);
    const auto text = model::TextDataset::create(spec.text);
    if (!text) throw refuse(std::string(model::describe(text.error())));
    const std::uint64_t work = chain::unit_work(task);
    const double unit_ms = options.unit_ms ? *options.unit_ms : measure_unit_ms(task, *text);
    spec.params.anchor.bits =
        options.bits ? *options.bits
                     : bits_for(unit_ms, options.interval_ms, work, spec.params.max_bits);
    check(spec);
    const auto figures = figures_of(*text);
    node::write_file_atomically(options.out, chain::to_json(spec), 0644);

    const double expected = std::max(1.0, static_cast<double>(options.interval_ms) / unit_ms);
    const boost::json::object result{
        {"chain", options.out.string()},
        {"name", spec.name},
        {"network_id", spec.network_id},
        {"genesis", chain::make_genesis(spec).id.to_hex()},
        {"text_bytes", spec.text.size()},
        {"training_tokens", figures.training_tokens},
        {"held_out_tokens", figures.held_out_tokens},
        {"vocabulary", figures.vocabulary},
        {"parameters", model::parameter_count(chain::to_model(task.shape))},
        {"unit_work", work},
        {"unit_ms", unit_ms},
        {"interval_ms", options.interval_ms},
        {"expected_units_per_block", expected},
        {"bits", fmt::format("{:08x}", spec.params.anchor.bits)},
        {"unigram", to_json(figures.unigram)},
        {"bigram", to_json(figures.bigram)},
        {"trigram", to_json(figures.trigram)},
    };
    print_result(common, result, human(result, figures));
}

}  // namespace

void add_init_command(CLI::App& app, const CommonOptions& common) {
    auto options = std::make_shared<InitOptions>();
    CLI::App* const init =
        app.add_subcommand("init", "Make the chain spec of a new network that learns a text");
    init->add_option("--text", options->texts, "Text files, joined in this order")
        ->required()
        ->type_name("FILE ...");
    init->add_option("--out", options->out, "Chain spec to write")
        ->type_name("FILE")
        ->capture_default_str();
    init->add_option("--name", options->name, "Name of the network")->capture_default_str();
    init->add_option("--interval-ms", options->interval_ms, "Wanted time between blocks")
        ->capture_default_str();
    init->add_option("--unit-ms", options->unit_ms, "Time of a unit, instead of measuring it here")
        ->check(CLI::Range(1e-6, 1e9));
    init->add_option(
            "--bits", options->bits,
            "First target for one reference FLOP in compact form (0x...), instead of computing it")
        ->excludes("--unit-ms");
    init->add_option("--rows", options->rows, "Rows of a sequence")->group("Model");
    init->add_option("--batch", options->batch, "Sequences of a step")->group("Model");
    init->add_option("--steps-per-unit", options->steps_per_unit, "Steps of a unit")
        ->group("Model");
    init->add_option("--units-per-hit", options->units_per_hit, "Units that a hit costs at least")
        ->group("Model");
    init->callback([options, &common] { run_init(*options, common); });
}

}  // namespace gradient::cli
