#include "model/matrix/matrix_dataset.hpp"

#include <algorithm>

namespace gradient::model {
namespace {

// Wire form (model/SPEC.md section 5.2): magic, version u16, columns u16, value columns u16,
// output columns u16, rows u32; then A1, A2, A3, B. Never renumber.
constexpr std::array<std::uint8_t, 4> kMagic{'G', 'M', 'A', 'T'};
constexpr std::uint16_t kVersion = 1;

std::uint16_t read_u16(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
    return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8);
}

std::uint32_t read_u32(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
    return read_u16(bytes, at) | std::uint32_t{read_u16(bytes, at + 2)} << 16;
}

void append_u16(std::vector<std::uint8_t>& bytes, std::uint16_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value));
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
}

void append_u32(std::vector<std::uint8_t>& bytes, std::uint32_t value) {
    append_u16(bytes, static_cast<std::uint16_t>(value));
    append_u16(bytes, static_cast<std::uint16_t>(value >> 16));
}

std::uint16_t padded(std::uint16_t columns) noexcept {
    return static_cast<std::uint16_t>((columns + 15) / 16 * 16);
}

/// Bytes that a data set of this shape takes; at most 2^44.
std::uint64_t encoded_size(const MatrixShape& shape) noexcept {
    const std::uint64_t columns =
        std::uint64_t{shape.columns} * 2 + shape.value_columns + shape.output_columns;
    return MatrixDataset::kHeaderBytes + columns * shape.rows * sizeof(std::int16_t);
}

tl::expected<void, TaskError> check_shape(const MatrixShape& shape) noexcept {
    const auto in_range = [](std::uint16_t columns) {
        return columns >= 1 && columns <= MatrixDataset::kMaxColumns;
    };
    if (shape.rows == 0 || !in_range(shape.columns) || !in_range(shape.value_columns) ||
        !in_range(shape.output_columns))
        return tl::unexpected(TaskError::bad_shape);
    if (encoded_size(shape) > MatrixDataset::kMaxBytes)
        return tl::unexpected(TaskError::data_mismatch);
    return {};
}

/// Arithmetic modulo the prime 2^61 - 1. The rank of a matrix modulo this prime is its true rank as
/// far as kMinRank: a minor of order 4 is at most (2 * 2047)^4 < 2^48 (Hadamard), so it is zero
/// modulo the prime only if it is zero.
__extension__ using u128 = unsigned __int128;
constexpr std::uint64_t kPrime = (std::uint64_t{1} << 61) - 1;

std::uint64_t add(std::uint64_t a, std::uint64_t b) noexcept {
    const std::uint64_t sum = a + b;
    return sum >= kPrime ? sum - kPrime : sum;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b) noexcept {
    const u128 product =
        u128{a} * b;  // 2^61 is 1 modulo the prime: add the upper half to the lower
    return add(static_cast<std::uint64_t>(product) & kPrime,
               static_cast<std::uint64_t>(product >> 61));
}

std::uint64_t inverse(std::uint64_t a) noexcept {
    std::uint64_t result = 1;
    for (std::uint64_t exponent = kPrime - 2; exponent > 0; exponent >>= 1) {
        if ((exponent & 1) != 0) result = multiply(result, a);
        a = multiply(a, a);
    }
    return result;
}

/// A row of the echelon form: zero before column `lead`, one there.
struct Pivot {
    std::size_t lead;
    std::vector<std::uint64_t> entries;
};

}  // namespace

tl::expected<MatrixDataset, TaskError> MatrixDataset::create(const MatrixShape& shape,
                                                             std::span<const std::int16_t> a1,
                                                             std::span<const std::int16_t> a2,
                                                             std::span<const std::int16_t> a3,
                                                             std::span<const std::int16_t> b) {
    if (auto checked = check_shape(shape); !checked) return tl::unexpected(checked.error());
    MatrixDataset data;
    data.shape_ = shape;
    const std::array<std::span<const std::int16_t>, kMatrices> given{a1, a2, a3, b};
    for (const Matrix matrix : {kA1, kA2, kA3, kB}) {
        const auto values = given[matrix];
        if (values.size() != std::size_t{shape.rows} * data.columns_of(matrix))
            return tl::unexpected(TaskError::bad_shape);
        if (std::ranges::any_of(
                values, [](std::int16_t m) { return m > kMaxMantissa || m < -kMaxMantissa; }))
            return tl::unexpected(TaskError::data_out_of_range);
        data.matrices_[matrix].assign(values.begin(), values.end());
    }
    return data;
}

tl::expected<MatrixDataset, TaskError> MatrixDataset::decode(std::span<const std::uint8_t> bytes) {
    if (bytes.size() < kHeaderBytes || !std::ranges::equal(bytes.first(kMagic.size()), kMagic) ||
        read_u16(bytes, 4) != kVersion)
        return tl::unexpected(TaskError::data_malformed);
    const MatrixShape shape{.rows = read_u32(bytes, 12),
                            .columns = read_u16(bytes, 6),
                            .value_columns = read_u16(bytes, 8),
                            .output_columns = read_u16(bytes, 10)};
    if (auto checked = check_shape(shape); !checked) return tl::unexpected(checked.error());
    if (bytes.size() != encoded_size(shape)) return tl::unexpected(TaskError::data_malformed);
    std::vector<std::int16_t> values((bytes.size() - kHeaderBytes) / sizeof(std::int16_t));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<std::int16_t>(read_u16(bytes, kHeaderBytes + 2 * i));
    const std::span all(values);
    const std::size_t inputs = std::size_t{shape.rows} * shape.columns;
    const std::size_t outputs = std::size_t{shape.rows} * shape.output_columns;
    return create(shape, all.first(inputs), all.subspan(inputs, inputs),
                  all.subspan(2 * inputs, all.size() - 2 * inputs - outputs), all.last(outputs));
}

std::vector<std::uint8_t> MatrixDataset::encode() const {
    std::vector<std::uint8_t> bytes(kMagic.begin(), kMagic.end());
    bytes.reserve(encoded_size(shape_));
    append_u16(bytes, kVersion);
    append_u16(bytes, shape_.columns);
    append_u16(bytes, shape_.value_columns);
    append_u16(bytes, shape_.output_columns);
    append_u32(bytes, shape_.rows);
    for (const auto& matrix : matrices_)
        for (const std::int16_t m : matrix) append_u16(bytes, static_cast<std::uint16_t>(m));
    return bytes;
}

// ------------------------------------------------------------------------------------------------
// substance

tl::expected<void, TaskError> MatrixDataset::check_substance() const {
    for (const Matrix matrix : {kA1, kA2, kA3, kB})
        if (is_constant(matrix)) return tl::unexpected(TaskError::data_constant);
    if (!has_many_rows() || has_dominant_row()) return tl::unexpected(TaskError::data_repetitive);
    for (const Matrix matrix : {kA1, kA2, kA3})
        if (!has_rank(matrix)) return tl::unexpected(TaskError::data_low_rank);
    return {};
}

bool MatrixDataset::is_constant(Matrix matrix) const noexcept {
    const auto values =
        std::span(matrices_[matrix]).first(std::size_t{training_rows()} * columns_of(matrix));
    return std::ranges::all_of(values, [&](std::int16_t m) { return m == values.front(); });
}

bool MatrixDataset::are_rows_equal(std::size_t left, std::size_t right) const noexcept {
    return std::ranges::all_of(std::array{kA1, kA2, kA3, kB}, [&](Matrix matrix) {
        return std::ranges::equal(row(matrix, left), row(matrix, right));
    });
}

bool MatrixDataset::has_many_rows() const {
    std::vector<std::size_t> distinct;
    for (std::size_t i = 0; i < training_rows() && distinct.size() < kMinDistinctRows; ++i)
        if (std::ranges::none_of(distinct, [&](std::size_t j) { return are_rows_equal(i, j); }))
            distinct.push_back(i);
    return distinct.size() == kMinDistinctRows;
}

bool MatrixDataset::has_dominant_row() const noexcept {
    // Boyer and Moore's vote: a row that makes more than half of all is the candidate that is left.
    std::size_t candidate = 0;
    std::size_t votes = 0;
    for (std::size_t i = 0; i < training_rows(); ++i) {
        if (votes == 0) candidate = i;
        if (are_rows_equal(i, candidate)) {
            ++votes;
        } else {
            --votes;
        }
    }
    std::size_t count = 0;
    for (std::size_t i = 0; i < training_rows(); ++i) {
        if (are_rows_equal(i, candidate)) ++count;
    }
    return count > training_rows() / 2;
}

bool MatrixDataset::has_rank(Matrix matrix) const {
    std::vector<Pivot> pivots;
    std::vector<std::uint64_t> rest(columns_of(matrix));
    for (std::size_t i = 0; i < training_rows() && pivots.size() < kMinRank; ++i) {
        std::ranges::transform(row(matrix, i), rest.begin(), [](std::int16_t m) {
            return m >= 0 ? static_cast<std::uint64_t>(m) : kPrime - static_cast<std::uint64_t>(-m);
        });
        for (const Pivot& pivot : pivots) {
            if (rest[pivot.lead] == 0) continue;
            const std::uint64_t factor = kPrime - rest[pivot.lead];
            for (std::size_t j = pivot.lead; j < rest.size(); ++j)
                rest[j] = add(rest[j], multiply(factor, pivot.entries[j]));
        }
        const auto lead = std::ranges::find_if(rest, [](std::uint64_t x) { return x != 0; });
        if (lead == rest.end()) continue;
        const std::uint64_t scale = inverse(*lead);
        Pivot pivot{.lead = static_cast<std::size_t>(lead - rest.begin()), .entries = rest};
        for (std::uint64_t& entry : pivot.entries) entry = multiply(entry, scale);
        pivots.push_back(std::move(pivot));
    }
    return pivots.size() == kMinRank;
}

// ------------------------------------------------------------------------------------------------
// rows and sequences

std::uint16_t MatrixDataset::columns_of(Matrix matrix) const noexcept {
    switch (matrix) {
        case kA3:
            return shape_.value_columns;
        case kB:
            return shape_.output_columns;
        default:
            return shape_.columns;
    }
}

std::span<const std::int16_t> MatrixDataset::row(Matrix matrix, std::size_t index) const noexcept {
    const std::size_t columns = columns_of(matrix);
    return std::span(matrices_[matrix]).subspan(index * columns, columns);
}

std::uint16_t MatrixDataset::width() const noexcept {
    return padded(shape_.columns);
}
std::uint16_t MatrixDataset::value_width() const noexcept {
    return padded(shape_.value_columns);
}
std::uint16_t MatrixDataset::outputs() const noexcept {
    return padded(shape_.output_columns);
}

std::uint64_t MatrixDataset::training_sequences(std::uint16_t rows) const noexcept {
    return training_rows() < rows ? 0 : training_rows() - rows + std::uint64_t{1};
}

std::uint64_t MatrixDataset::held_out_sequences(std::uint16_t rows) const noexcept {
    return rows == 0 ? 0 : (shape_.rows - training_rows()) / rows;
}

void MatrixDataset::fill(std::size_t first, std::uint16_t rows,
                         const std::array<std::span<std::int16_t>, kMatrices>& out) const noexcept {
    for (const Matrix matrix : {kA1, kA2, kA3, kB}) {
        auto to = out[matrix].begin();
        const std::ptrdiff_t padding = padded(columns_of(matrix)) - columns_of(matrix);
        for (std::size_t i = 0; i < rows; ++i) {
            to = std::ranges::copy(row(matrix, first + i), to).out;
            to = std::fill_n(to, padding, std::int16_t{0});
        }
    }
}

void MatrixDataset::fill_training(std::uint64_t index, std::uint16_t rows,
                                  std::span<std::int16_t> a1, std::span<std::int16_t> a2,
                                  std::span<std::int16_t> a3,
                                  std::span<std::int16_t> b) const noexcept {
    fill(index, rows, {a1, a2, a3, b});
}

void MatrixDataset::fill_held_out(std::uint64_t index, std::uint16_t rows,
                                  std::span<std::int16_t> a1, std::span<std::int16_t> a2,
                                  std::span<std::int16_t> a3,
                                  std::span<std::int16_t> b) const noexcept {
    fill(training_rows() + index * rows, rows, {a1, a2, a3, b});
}

}  // namespace gradient::model
