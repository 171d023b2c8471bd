#pragma once

#include "model/dataset.hpp"
#include "model/task.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gradient::model {

/// Shape of a matrix data set as its owner sees it, before padding.
struct MatrixShape {
    std::uint32_t rows = 0;            ///< of each of the four matrices; at least 1
    std::uint16_t columns = 0;         ///< of A1 and A2; 1..256
    std::uint16_t value_columns = 0;   ///< of A3; 1..256
    std::uint16_t output_columns = 0;  ///< of B; 1..256

    friend bool operator==(const MatrixShape&, const MatrixShape&) = default;
};

/// Four matrices A1, A2, A3, B as a data set: a sequence is a run of consecutive rows, the last
/// tenth of the rows is held out (model/SPEC.md section 5.2).
///
/// Columns are padded with zeros up to a multiple of 16, which is what the solver core multiplies;
/// the padding is never stored, and shape() says where to crop a result.
class MatrixDataset final : public Dataset {
  public:
    /// Largest encoding of one task.
    static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;
    static constexpr std::size_t kHeaderBytes = 16;
    /// Most columns of a matrix, and largest magnitude of a mantissa.
    static constexpr std::uint16_t kMaxColumns = 256;
    static constexpr std::int16_t kMaxMantissa = 2047;

    /// Substance (model/SPEC.md section 5.3): fewest distinct rows in the training part, and lowest
    /// rank there of each of A1, A2, A3.
    static constexpr std::size_t kMinDistinctRows = 64;
    static constexpr std::size_t kMinRank = 4;

    /// The matrices, row-major. Fails with bad_shape for a count outside its range or a matrix of
    /// another size, data_mismatch above kMaxBytes, data_out_of_range for a mantissa.
    static tl::expected<MatrixDataset, TaskError> create(const MatrixShape& shape,
                                                         std::span<const std::int16_t> a1,
                                                         std::span<const std::int16_t> a2,
                                                         std::span<const std::int16_t> a3,
                                                         std::span<const std::int16_t> b);

    /// Reads the one encoding of a data set. Fails as create does, and with data_malformed if the
    /// bytes do not begin or end as they must.
    static tl::expected<MatrixDataset, TaskError> decode(std::span<const std::uint8_t> bytes);

    /// The encoding: decode(encode()) is this data set, and encode(decode(bytes)) is `bytes`.
    std::vector<std::uint8_t> encode() const;

    /// Why this data is too poor to be mined on: data_constant, data_repetitive or data_low_rank.
    /// Integers only, so part of consensus; reads every row of the training part about once.
    tl::expected<void, TaskError> check_substance() const;

    /// The real shape, without padding.
    const MatrixShape& shape() const noexcept { return shape_; }
    /// Rows that are trained on; the others are held out.
    std::uint32_t training_rows() const noexcept { return shape_.rows - shape_.rows / 10; }

    std::uint16_t width() const noexcept override;
    std::uint16_t value_width() const noexcept override;
    std::uint16_t outputs() const noexcept override;
    std::uint64_t training_sequences(std::uint16_t rows) const noexcept override;
    std::uint64_t held_out_sequences(std::uint16_t rows) const noexcept override;
    void fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override;
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override;

    friend bool operator==(const MatrixDataset& left, const MatrixDataset& right) {
        return left.shape_ == right.shape_ && left.matrices_ == right.matrices_;
    }

  private:
    enum Matrix : std::size_t { kA1, kA2, kA3, kB, kMatrices };

    MatrixDataset() = default;
    std::uint16_t columns_of(Matrix matrix) const noexcept;
    std::span<const std::int16_t> row(Matrix matrix, std::size_t index) const noexcept;
    bool are_rows_equal(std::size_t left, std::size_t right) const noexcept;
    bool is_constant(Matrix matrix) const noexcept;
    bool has_many_rows() const;
    bool has_dominant_row() const noexcept;
    bool has_rank(Matrix matrix) const;
    void fill(std::size_t first, std::uint16_t rows,
              const std::array<std::span<std::int16_t>, kMatrices>& out) const noexcept;

    MatrixShape shape_;
    std::array<std::vector<std::int16_t>, kMatrices> matrices_;  ///< row-major, real columns only
};

}  // namespace gradient::model
