#include "tools/cli/model_commands.hpp"

#include "chain/base/bytes.hpp"
#include "node/setup/failure.hpp"
#include "tools/cli/cli.hpp"
#include "tools/cli/sampling.hpp"
#include "tools/cli/terminal.hpp"
#include "tools/cli/text_figures.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <memory>

namespace gradient::cli {

namespace {

namespace json = boost::json;

struct AskOptions {
    std::string prompt;
    std::uint64_t length = 200;
    double temperature = 0.5;
    std::uint64_t seed = 1;
};

// Continues the prompt by `length` bytes.
std::string continue_text(const ModelSource& source, const AskOptions& options) {
    auto trainer = source.make_trainer();
    const auto& text = *source.text;
    const std::uint16_t rows = source.config.rows;
    std::vector<std::int16_t> a1(std::size_t{rows} * text.width());
    std::vector<std::int16_t> a2(a1.size());
    std::vector<std::int16_t> a3(std::size_t{rows} * text.value_width());
    std::vector<std::uint8_t> tokens;
    for (const std::uint8_t byte : chain::as_bytes(options.prompt))
        tokens.push_back(text.token_of(byte));
    Sampler sampler(options.temperature, options.seed);
    std::string answer;
    for (std::uint64_t i = 0; i < options.length; ++i) {
        text.fill_prompt(tokens, rows, a1, a2, a3);
        const auto outputs = trainer.predict(source.parameters, a1, a2, a3);
        if (!outputs)
            throw node::Failure(node::ExitCode::failure,
                                std::string(model::describe(outputs.error())));
        // The last row predicts the token after the prompt.
        const auto last_row = std::span(*outputs).last(text.outputs());
        tokens.push_back(static_cast<std::uint8_t>(sampler.next(last_row)));
        answer += static_cast<char>(text.byte_of(tokens.back()));
    }
    return answer;
}

void run_ask(const AskOptions& options, const CommonOptions& common) {
    const auto source = load_model(common.data_directory);
    const std::string answer = continue_text(source, options);
    print_result(common,
                 {{"prompt", to_utf8(options.prompt)},
                  {"text", to_utf8(answer)},
                  {"temperature", options.temperature},
                  {"seed", options.seed},
                  {"height", source.height},
                  {"tip", source.tip},
                  {"digest", source.digest}},
                 for_terminal(options.prompt + answer) + "\n");
}

void run_eval(const CommonOptions& common) {
    const auto source = load_model(common.data_directory);
    const auto evaluation = evaluate_model(source);
    print_result(common, to_json(evaluation), to_text(evaluation));
}

}  // namespace

ModelEvaluation evaluate_model(const ModelSource& source) {
    auto trainer = source.make_trainer();
    const std::uint64_t sequences = source.text->held_out_sequences(source.config.rows);
    const auto result = trainer.evaluate(source.parameters, 0, sequences);
    if (!result)
        throw node::Failure(node::ExitCode::failure, std::string(model::describe(result.error())));
    return {source.height,
            source.tip,
            source.digest,
            {result->rows, result->brier(), result->accuracy()},
            figures_of(*source.text)};
}

json::object to_json(const ModelEvaluation& evaluation) {
    return {{"height", evaluation.height},
            {"tip", evaluation.tip},
            {"digest", evaluation.digest},
            {"model", to_json(evaluation.model)},
            {"unigram", to_json(evaluation.tables.unigram)},
            {"bigram", to_json(evaluation.tables.bigram)},
            {"trigram", to_json(evaluation.tables.trigram)}};
}

std::string to_text(const ModelEvaluation& evaluation) {
    std::string text =
        fmt::format("Held-out scores at height {}, next token:\n", grouped(evaluation.height));
    Table table({"predictor", "Brier", "accuracy", "rows"});
    const auto add = [&](const char* name, const NgramScore& score) {
        table.add({name, fmt::format("{:.4f}", score.brier), fmt::format("{:.4f}", score.accuracy),
                   fmt::format("{:>7}", grouped(score.rows))});
    };
    add("model", evaluation.model);
    add("unigram", evaluation.tables.unigram);
    add("bigram", evaluation.tables.bigram);
    add("trigram", evaluation.tables.trigram);
    return text + table.text();
}

void add_model_commands(CLI::App& app, const CommonOptions& common) {
    CLI::App* const model =
        app.add_subcommand("model", "Use the on-chain model, of a running node or offline");
    model->require_subcommand(1);
    model->add_subcommand("eval", "Score the model on the held-out text beside n-gram tables")
        ->callback([&common] { run_eval(common); });
    auto options = std::make_shared<AskOptions>();
    constexpr std::uint64_t kMaxLength = 100'000;
    constexpr double kMaxTemperature = 100;
    CLI::App* const ask = model->add_subcommand("ask", "Let the model continue a text");
    ask->add_option("prompt", options->prompt, "Text to continue")->required();
    ask->add_option("--length", options->length, "Bytes to add")
        ->check(CLI::Range(std::uint64_t{1}, kMaxLength))
        ->capture_default_str();
    ask->add_option("--temperature", options->temperature,
                    "0: always the likeliest byte; 1: as the model estimates")
        ->check(CLI::Range(0.0, kMaxTemperature))
        ->capture_default_str();
    ask->add_option("--seed", options->seed, "The same seed gives the same text")
        ->capture_default_str();
    ask->callback([options, &common] { run_ask(*options, common); });
}

}  // namespace gradient::cli
