#pragma once

#include "tools/cli/model_source.hpp"
#include "tools/cli/text_figures.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>

namespace gradient::cli {

/// A model's held-out score beside those of the tables.
struct ModelEvaluation {
    std::uint64_t height = 0;
    std::string tip;
    std::string digest;
    NgramScore model;
    TextFigures tables;
};

/// Scores the model on the whole held-out part.
[[nodiscard]] ModelEvaluation evaluate_model(const ModelSource& source);

[[nodiscard]] boost::json::object to_json(const ModelEvaluation& evaluation);
[[nodiscard]] std::string to_text(const ModelEvaluation& evaluation);

}  // namespace gradient::cli
