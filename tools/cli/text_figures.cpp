#include "tools/cli/text_figures.hpp"

#include <boost/json.hpp>

#include <set>

namespace gradient::cli {

TextFigures figures_of(const model::TextDataset& text) {
    const auto training = text.training_tokens();
    const auto held_out = text.held_out_tokens();
    std::set<std::uint8_t> different(training.begin(), training.end());
    different.insert(held_out.begin(), held_out.end());
    const NgramTables tables(training, text.outputs());
    TextFigures figures;
    figures.training_tokens = training.size();
    figures.held_out_tokens = held_out.size();
    figures.vocabulary = different.size();
    figures.unigram = tables.evaluate(1, held_out);
    figures.bigram = tables.evaluate(2, held_out);
    figures.trigram = tables.evaluate(3, held_out);
    return figures;
}

boost::json::object to_json(const NgramScore& score) {
    return {{"brier", score.brier}, {"accuracy", score.accuracy}, {"rows", score.rows}};
}

}  // namespace gradient::cli
