#include "tools/data/data_files.hpp"

#include "node/setup/files.hpp"
#include "tools/data/csv.hpp"
#include "tools/data/grid.hpp"
#include "tools/data/npy.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gradient::data {

namespace {

node::Failure refuse(const std::filesystem::path& path, std::string_view why) {
    return {node::ExitCode::chain_spec, fmt::format("Cannot use {}: {}.", path.string(), why)};
}

/// One matrix on the grid.
struct GridMatrix {
    std::size_t rows;
    std::size_t columns;
    std::vector<std::int16_t> mantissas;
};

GridMatrix read_grid(const MatrixFile& file) {
    if (!(file.scale > 0) || !std::isfinite(file.scale)) {
        throw refuse(file.path, "its scale must be positive and finite");
    }
    const Table table = read_table(file.path);
    if (table.columns > model::MatrixDataset::kMaxColumns) {
        throw refuse(file.path, fmt::format("it has {} columns; at most {} are possible",
                                            table.columns, model::MatrixDataset::kMaxColumns));
    }
    auto mantissas = to_grid(table, file.scale);
    if (!mantissas) throw refuse(file.path, mantissas.error());
    return {table.rows, table.columns, *std::move(mantissas)};
}

void require_equal(std::string_view what, const MatrixFile& left, std::size_t left_count,
                   const MatrixFile& right, std::size_t right_count) {
    if (left_count == right_count) return;
    throw refuse(right.path, fmt::format("it has {} {} where {} has {}", right_count, what,
                                         left.path.string(), left_count));
}

}  // namespace

Table read_table(const std::filesystem::path& path) {
    const std::string bytes = node::read_file(path, kMaxFileBytes, node::ExitCode::chain_spec);
    if (bytes.starts_with("PK\x03\x04")) {
        throw refuse(path, "it is an archive (.npz); save each array by itself as .npy");
    }
    auto table = is_npy(bytes) ? read_npy(bytes) : read_csv(bytes);
    if (!table) throw refuse(path, table.error());
    return *std::move(table);
}

model::MatrixDataset read_matrices(const MatrixFiles& files) {
    const GridMatrix a1 = read_grid(files.a1);
    const GridMatrix a2 = read_grid(files.a2);
    const GridMatrix a3 = read_grid(files.a3);
    const GridMatrix b = read_grid(files.b);
    require_equal("rows", files.a1, a1.rows, files.a2, a2.rows);
    require_equal("rows", files.a1, a1.rows, files.a3, a3.rows);
    require_equal("rows", files.a1, a1.rows, files.b, b.rows);
    require_equal("columns", files.a1, a1.columns, files.a2, a2.columns);
    const model::MatrixShape shape{
        .rows = static_cast<std::uint32_t>(a1.rows),
        .columns = static_cast<std::uint16_t>(a1.columns),
        .value_columns = static_cast<std::uint16_t>(a3.columns),
        .output_columns = static_cast<std::uint16_t>(b.columns),
    };
    auto data =
        model::MatrixDataset::create(shape, a1.mantissas, a2.mantissas, a3.mantissas, b.mantissas);
    if (!data) {
        throw node::Failure(node::ExitCode::chain_spec,
                            fmt::format("Cannot use the matrices: together they take more than {} "
                                        "bytes.",
                                        model::MatrixDataset::kMaxBytes));
    }
    return *std::move(data);
}

void write_table(const std::filesystem::path& path, const Table& table) {
    constexpr ::mode_t kMode = 0644;
    node::write_file_atomically(path, write_npy(table), kMode);
}

}  // namespace gradient::data
