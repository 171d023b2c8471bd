#pragma once

#include "tools/cli/data_plan.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <filesystem>
#include <optional>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace gradient::cli {

/// Where a command's four matrices are.
struct MatrixOptions {
    std::array<std::optional<std::filesystem::path>, 4> files;  ///< A1, A2, A3, B
    std::array<double, 4> scales{1, 1, 1, 1};
};

/// Adds --a1, --a2, --a3, --b (unless the files are named otherwise) and their scales.
void add_matrix_files(CLI::App& command, MatrixOptions& options);
void add_matrix_scales(CLI::App& command, MatrixOptions& options);

/// Reads the files; throws node::Failure(usage) if one of the four is missing.
[[nodiscard]] DataPlan read_matrix_options(const MatrixOptions& options);

}  // namespace gradient::cli
