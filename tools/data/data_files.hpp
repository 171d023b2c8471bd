#pragma once

#include "model/matrix/matrix_dataset.hpp"
#include "tools/data/table.hpp"

#include <filesystem>

namespace gradient::data {

/// Largest file read: as many numbers as a data set can hold, with 32 characters each.
inline constexpr std::size_t kMaxFileBytes = std::size_t{256} * 1024 * 1024;

/// A file with one matrix, and what its entries are multiplied with to fit the grid.
struct MatrixFile {
    std::filesystem::path path;
    double scale = 1;
};

/// The four matrices of a data set.
struct MatrixFiles {
    MatrixFile a1, a2, a3, b;
};

/// Reads a .npy file (by its first bytes) or a .csv file. Throws node::Failure(chain_spec) with one
/// sentence that names the file and, where there is one, the row and the column.
[[nodiscard]] Table read_table(const std::filesystem::path& path);

/// Reads four files into one data set; throws node::Failure(chain_spec) as read_table does, and for
/// matrices that do not belong together. Substance is not judged here.
[[nodiscard]] model::MatrixDataset read_matrices(const MatrixFiles& files);

/// Writes a table as .npy, replacing the file in one step. Throws node::Failure(storage).
void write_table(const std::filesystem::path& path, const Table& table);

}  // namespace gradient::data
