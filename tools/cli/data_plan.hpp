#pragma once

#include "chain/base/bytes.hpp"
#include "chain/types/task.hpp"
#include "model/dataset.hpp"
#include "tools/data/data_files.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace gradient::cli {

/// How four matrices stand on the wire, model/SPEC.md section 5.2. chain/types/task.hpp gets the
/// enumerator `matrices` with this number.
inline constexpr auto kMatrixFormat = static_cast<chain::DataFormat>(2);

/// Data on its way to the chain.
struct DataPlan {
    chain::DataFormat format = chain::DataFormat::text;
    chain::Bytes bytes;
    std::vector<chain::Hash256> chunks;             ///< ids in order
    chain::Hash256 root;                            ///< what a task's record commits to
    std::unique_ptr<const model::Dataset> dataset;  ///< what the bytes stand for

    /// The bytes of chunk number `index`.
    [[nodiscard]] chain::Bytes chunk(std::size_t index) const;
};

/// Cuts the bytes into chunks and names them.
[[nodiscard]] DataPlan plan_data(chain::DataFormat format, chain::Bytes bytes,
                                 std::unique_ptr<const model::Dataset> dataset);

/// Text files as one text. Throws node::Failure(chain_spec) if they are no text or poor in
/// substance.
[[nodiscard]] DataPlan plan_text(const std::vector<std::filesystem::path>& files);

/// Four matrices as one data set. Throws node::Failure(chain_spec) with file, row and column where
/// there is one, and for data of too little substance.
[[nodiscard]] DataPlan plan_matrices(const data::MatrixFiles& files);

}  // namespace gradient::cli
