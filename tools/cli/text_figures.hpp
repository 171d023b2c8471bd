#pragma once

#include "model/text/text_dataset.hpp"
#include "tools/cli/ngram.hpp"

#include <boost/json/object.hpp>

#include <cstdint>

namespace gradient::cli {

/// What a text offers to learn, and what simple tables make of it: the yardstick of a trained
/// model.
struct TextFigures {
    std::uint64_t training_tokens = 0;
    std::uint64_t held_out_tokens = 0;
    std::uint64_t vocabulary = 0;  ///< different tokens in both parts
    NgramScore unigram;
    NgramScore bigram;
    NgramScore trigram;
};

/// Fits the tables on the training part and scores them on the held-out part.
[[nodiscard]] TextFigures figures_of(const model::TextDataset& text);

/// {"brier": .., "accuracy": .., "rows": ..}
[[nodiscard]] boost::json::object to_json(const NgramScore& score);

}  // namespace gradient::cli
