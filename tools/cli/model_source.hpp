#pragma once

#include "model/task.hpp"
#include "model/text/text_dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace gradient::cli {

/// The on-chain model and the text it learns.
struct ModelSource {
    std::uint64_t height = 0;  ///< of the tip
    std::string tip;           ///< its id
    std::string digest;        ///< of the parameters
    std::vector<std::int32_t> parameters;
    model::AttentionConfig config;
    std::unique_ptr<const model::TextDataset> text;

    /// A trainer for it; must not outlive this object.
    [[nodiscard]] model::Trainer make_trainer() const;
};

/// The model as of the tip of a data directory: from the node that runs on it, or from the files if
/// none does. Throws node::Failure.
[[nodiscard]] ModelSource load_model(const std::filesystem::path& data_directory);

}  // namespace gradient::cli
