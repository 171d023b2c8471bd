#include "model/matrix/matrix_dataset.hpp"

#include "model/numerics/kernels.hpp"
#include "tests/support/random_dataset.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace gradient::model {
namespace {

/// The four matrices of a test, before they become a data set.
struct Matrices {
    MatrixShape shape;
    std::vector<std::int16_t> a1, a2, a3, b;

    tl::expected<MatrixDataset, TaskError> create() const {
        return MatrixDataset::create(shape, a1, a2, a3, b);
    }
};

/// Random entries over the whole range of the grid.
Matrices random_matrices(const MatrixShape& shape) {
    test::Lcg lcg(shape.rows + shape.columns);
    const auto draw = [&](std::size_t columns) {
        std::vector<std::int16_t> values(shape.rows * columns);
        std::ranges::generate(values,
                              [&] { return static_cast<std::int16_t>(lcg.in(-2047, 2047)); });
        return values;
    };
    return {shape, draw(shape.columns), draw(shape.columns), draw(shape.value_columns),
            draw(shape.output_columns)};
}

constexpr MatrixShape kShape{.rows = 205, .columns = 5, .value_columns = 17, .output_columns = 3};

/// A sequence as the solver core gets it.
struct Sequence {
    std::vector<std::int16_t> a1, a2, a3, b;
    friend bool operator==(const Sequence&, const Sequence&) = default;
};

Sequence sequence(const MatrixDataset& data, std::uint64_t index, std::uint16_t rows,
                  bool held_out) {
    const auto blank = [&](std::uint16_t columns) {
        return std::vector<std::int16_t>(std::size_t{rows} * columns, std::int16_t{-1});
    };
    Sequence s{blank(data.width()), blank(data.width()), blank(data.value_width()),
               blank(data.outputs())};
    if (held_out) {
        data.fill_held_out(index, rows, s.a1, s.a2, s.a3, s.b);
    } else {
        data.fill_training(index, rows, s.a1, s.a2, s.a3, s.b);
    }
    return s;
}

/// Rows first .. first+rows-1 of a matrix, each padded with zeros.
std::vector<std::int16_t> padded_rows(const std::vector<std::int16_t>& matrix, std::size_t columns,
                                      std::size_t width, std::size_t first, std::size_t rows) {
    std::vector<std::int16_t> out;
    for (std::size_t i = first; i < first + rows; ++i) {
        const auto begin = matrix.begin() + static_cast<std::ptrdiff_t>(i * columns);
        out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(columns));
        out.resize((i - first + 1) * width);
    }
    return out;
}

Sequence expected_sequence(const Matrices& m, std::size_t first, std::size_t rows) {
    return {padded_rows(m.a1, 5, 16, first, rows), padded_rows(m.a2, 5, 16, first, rows),
            padded_rows(m.a3, 17, 32, first, rows), padded_rows(m.b, 3, 16, first, rows)};
}

TEST(MatrixDataset, pads_columns_with_zeros_up_to_multiples_of_16) {
    const auto matrices = random_matrices(kShape);
    const auto data = matrices.create();
    ASSERT_TRUE(data);
    EXPECT_EQ(data->width(), 16);
    EXPECT_EQ(data->value_width(), 32);
    EXPECT_EQ(data->outputs(), 16);
    EXPECT_EQ(data->shape(), kShape);
    EXPECT_EQ(sequence(*data, 7, 16, false), expected_sequence(matrices, 7, 16));
    const auto full =
        random_matrices({.rows = 20, .columns = 256, .value_columns = 16, .output_columns = 32});
    EXPECT_EQ(full.create()->width(), 256);
    EXPECT_EQ(sequence(*full.create(), 0, 16, false).a3,
              std::vector(full.a3.begin(), full.a3.begin() + 256));
}

TEST(MatrixDataset, trains_on_every_run_of_rows_before_the_last_tenth) {
    const auto matrices = random_matrices(kShape);
    const auto data = matrices.create();
    EXPECT_EQ(data->training_rows(), 185U);
    ASSERT_EQ(data->training_sequences(16), 170U);
    EXPECT_EQ(sequence(*data, 169, 16, false), expected_sequence(matrices, 169, 16));
    EXPECT_EQ(data->training_sequences(185), 1U);
    EXPECT_EQ(data->training_sequences(186), 0U);
}

TEST(MatrixDataset, held_out_sequences_neither_overlap_nor_touch_the_training_part) {
    const auto matrices = random_matrices(kShape);
    const auto data = matrices.create();
    ASSERT_EQ(data->held_out_sequences(8), 2U);
    EXPECT_EQ(sequence(*data, 0, 8, true), expected_sequence(matrices, 185, 8));
    EXPECT_EQ(sequence(*data, 1, 8, true), expected_sequence(matrices, 193, 8));
    EXPECT_EQ(data->held_out_sequences(20), 1U);
    EXPECT_EQ(data->held_out_sequences(21), 0U);
}

TEST(MatrixDataset, refuses_shapes_sizes_and_mantissas_out_of_range) {
    const auto error = [](const std::function<void(Matrices&)>& change) {
        auto matrices = random_matrices(kShape);
        change(matrices);
        return matrices.create().error();
    };
    EXPECT_EQ(error([](Matrices& m) { m.shape.rows = 0; }), TaskError::bad_shape);
    EXPECT_EQ(error([](Matrices& m) { m.shape.columns = 0; }), TaskError::bad_shape);
    EXPECT_EQ(error([](Matrices& m) { m.shape.value_columns = 0; }), TaskError::bad_shape);
    EXPECT_EQ(error([](Matrices& m) { m.shape.output_columns = 0; }), TaskError::bad_shape);
    EXPECT_EQ(error([](Matrices& m) { m.shape.columns = 257; }), TaskError::bad_shape);
    EXPECT_EQ(error([](Matrices& m) { m.a2.pop_back(); }), TaskError::bad_shape);
    EXPECT_EQ(error([](Matrices& m) { m.shape.rows = 300'000; }), TaskError::data_mismatch);
    EXPECT_EQ(error([](Matrices& m) { m.a3[9] = 2048; }), TaskError::data_out_of_range);
    EXPECT_EQ(error([](Matrices& m) { m.b[9] = -2048; }), TaskError::data_out_of_range);
    EXPECT_EQ(error([](Matrices& m) { m.b[9] = -32768; }), TaskError::data_out_of_range);
}

TEST(MatrixDataset, one_data_set_has_one_encoding) {
    const auto data = random_matrices(kShape).create();
    const auto bytes = data->encode();
    EXPECT_EQ(bytes.size(), 16U + 2U * 205U * (5 + 5 + 17 + 3));
    const auto again = MatrixDataset::decode(bytes);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *data);
    EXPECT_EQ(again->encode(), bytes);
}

TEST(MatrixDataset, the_encoding_is_the_documented_one) {
    const MatrixShape shape{.rows = 2, .columns = 1, .value_columns = 2, .output_columns = 1};
    const std::array<std::int16_t, 2> a1{1, -1}, a2{258, 3}, b{2047, -2047};
    const std::array<std::int16_t, 4> a3{4, 5, 6, 7};
    const std::vector<std::uint8_t> expected{
        'G',  'M',  'A',  'T',  1, 0, 1, 0, 2, 0, 1, 0, 2, 0, 0, 0,  //
        0x01, 0x00, 0xff, 0xff, 2, 1, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0xff, 0x07, 0x01, 0xf8};
    EXPECT_EQ(MatrixDataset::create(shape, a1, a2, a3, b)->encode(), expected);
}

TEST(MatrixDataset, refuses_bytes_that_are_not_the_encoding) {
    const auto good = random_matrices(kShape).create()->encode();
    const auto error = [&](const std::function<void(std::vector<std::uint8_t>&)>& change) {
        auto bytes = good;
        change(bytes);
        const auto data = MatrixDataset::decode(bytes);
        EXPECT_FALSE(data);
        return data ? TaskError::unknown_kind : data.error();
    };
    for (std::size_t size = 0; size < good.size(); size += size < 32 ? 1 : 97)
        EXPECT_EQ(error([&](auto& bytes) { bytes.resize(size); }), TaskError::data_malformed)
            << size;
    EXPECT_EQ(error([](auto& bytes) { bytes.push_back(0); }), TaskError::data_malformed);
    for (std::size_t i = 0; i < 6; ++i)
        EXPECT_EQ(error([&](auto& bytes) { bytes[i] ^= 1; }), TaskError::data_malformed) << i;
    EXPECT_EQ(error([](auto& bytes) { bytes[6] = 0; }), TaskError::bad_shape);
    EXPECT_EQ(error([](auto& bytes) { bytes[9] = 1; }), TaskError::bad_shape);  // 273 columns
    EXPECT_EQ(error([](auto& bytes) { bytes[12] = 0; }), TaskError::bad_shape);
    EXPECT_EQ(error([](auto& bytes) { bytes[12] = 204; }), TaskError::data_malformed);
    // Four billion rows are refused by the count alone, long before memory is asked for.
    EXPECT_EQ(error([](auto& bytes) { std::fill_n(bytes.begin() + 12, 4, std::uint8_t{255}); }),
              TaskError::data_mismatch);
    EXPECT_EQ(error([](auto& bytes) { bytes[17] = 0x08; }), TaskError::data_out_of_range);
    EXPECT_EQ(error([](auto& bytes) { bytes.back() = 0x80; }), TaskError::data_out_of_range);
}

// ------------------------------------------------------------------------------------------------
// substance

tl::expected<void, TaskError> substance(const std::function<void(Matrices&)>& change) {
    auto matrices = random_matrices(kShape);
    change(matrices);
    return matrices.create()->check_substance();
}

/// Copies row `from` over row `to` in all four matrices.
void copy_row(Matrices& m, std::size_t from, std::size_t to) {
    const auto copy = [&](std::vector<std::int16_t>& matrix, std::size_t columns) {
        std::copy_n(matrix.begin() + static_cast<std::ptrdiff_t>(from * columns), columns,
                    matrix.begin() + static_cast<std::ptrdiff_t>(to * columns));
    };
    copy(m.a1, 5);
    copy(m.a2, 5);
    copy(m.a3, 17);
    copy(m.b, 3);
}

TEST(MatrixSubstance, accepts_random_data) {
    EXPECT_TRUE(substance([](Matrices&) {}));
}

TEST(MatrixSubstance, refuses_a_constant_matrix_even_if_only_its_training_part_is) {
    EXPECT_EQ(substance([](Matrices& m) { std::ranges::fill(m.a1, std::int16_t{0}); }).error(),
              TaskError::data_constant);
    EXPECT_EQ(
        substance([](Matrices& m) { std::fill_n(m.b.begin(), 185 * 3, std::int16_t{9}); }).error(),
        TaskError::data_constant);
    EXPECT_TRUE(substance([](Matrices& m) {
        std::fill_n(m.b.begin(), 185 * 3, std::int16_t{9});
        m.b[100] = 8;
    }));
}

TEST(MatrixSubstance, needs_64_distinct_rows) {
    const auto with_distinct = [](std::size_t distinct) {
        return substance([&](Matrices& m) {
            for (std::size_t i = distinct; i < 185; ++i) copy_row(m, i % distinct, i);
        });
    };
    EXPECT_TRUE(with_distinct(64));
    EXPECT_EQ(with_distinct(63).error(), TaskError::data_repetitive);
}

TEST(MatrixSubstance, no_row_may_be_more_than_half_of_all) {
    const auto with_copies = [](std::size_t copies) {
        return substance([&](Matrices& m) {
            for (std::size_t i = 1; i < copies; ++i) copy_row(m, 184, 2 * i % 185);
        });
    };
    EXPECT_TRUE(with_copies(92));
    EXPECT_EQ(with_copies(94).error(), TaskError::data_repetitive);
}

/// Replaces a matrix by one of exactly this rank: random combinations of `rank` random rows.
void make_rank(std::vector<std::int16_t>& matrix, std::size_t columns, std::size_t rank) {
    test::Lcg lcg(rank);
    std::vector<std::int32_t> basis(rank * columns);
    std::ranges::generate(basis, [&] { return lcg.in(-100, 100); });
    for (std::size_t i = 0; i < matrix.size() / columns; ++i) {
        std::vector<std::int32_t> row(columns);
        for (std::size_t k = 0; k < rank; ++k) {
            const std::int32_t factor = lcg.in(-5, 5);
            for (std::size_t j = 0; j < columns; ++j) row[j] += factor * basis[k * columns + j];
        }
        std::ranges::transform(row, matrix.begin() + static_cast<std::ptrdiff_t>(i * columns),
                               [](std::int32_t x) { return static_cast<std::int16_t>(x); });
    }
}

TEST(MatrixSubstance, each_input_needs_rank_4) {
    for (std::size_t rank = 1; rank < 4; ++rank) {
        EXPECT_EQ(substance([&](Matrices& m) { make_rank(m.a1, 5, rank); }).error(),
                  TaskError::data_low_rank);
        EXPECT_EQ(substance([&](Matrices& m) { make_rank(m.a2, 5, rank); }).error(),
                  TaskError::data_low_rank);
        EXPECT_EQ(substance([&](Matrices& m) { make_rank(m.a3, 17, rank); }).error(),
                  TaskError::data_low_rank);
    }
    EXPECT_TRUE(substance([](Matrices& m) {
        make_rank(m.a1, 5, 4);
        make_rank(m.a2, 5, 4);
        make_rank(m.a3, 17, 4);
    }));
    // Targets may have any rank: one output is a common case.
    EXPECT_TRUE(substance([](Matrices& m) { make_rank(m.b, 3, 1); }));
}

TEST(MatrixSubstance, rank_counts_late_and_wide_rows_and_not_the_padding) {
    // Rank 3 for all rows but the last of the training part, which brings the fourth dimension.
    EXPECT_TRUE(substance([](Matrices& m) {
        make_rank(m.a1, 5, 3);
        for (std::size_t j = 0; j < 5; ++j) m.a1[184 * 5 + j] = static_cast<std::int16_t>(j * j);
    }));
    EXPECT_EQ(substance([](Matrices& m) {
                  make_rank(m.a1, 5, 3);
                  for (std::size_t j = 0; j < 5; ++j)
                      m.a1[185 * 5 + j] = static_cast<std::int16_t>(j * j);
              }).error(),
              TaskError::data_low_rank);
    // Three columns can not have rank 4, though the solver core multiplies sixteen.
    auto narrow =
        random_matrices({.rows = 205, .columns = 3, .value_columns = 4, .output_columns = 1});
    EXPECT_EQ(narrow.create()->check_substance().error(), TaskError::data_low_rank);
    auto enough =
        random_matrices({.rows = 205, .columns = 4, .value_columns = 4, .output_columns = 1});
    EXPECT_TRUE(enough.create()->check_substance());
}

// ------------------------------------------------------------------------------------------------
// training

TEST(MatrixDataset, a_model_learns_a_rule_that_is_in_the_matrices) {
    // Targets are a fixed linear map of the row's own value, keys single out the row: attention has
    // to find the row itself and Y the map.
    auto m =
        random_matrices({.rows = 4000, .columns = 16, .value_columns = 16, .output_columns = 4});
    test::Lcg lcg(5);
    for (std::size_t i = 0; i < 4000; ++i)
        for (std::size_t j = 0; j < 16; ++j) {
            const bool hot = (i % 16) == j;
            m.a1[i * 16 + j] = m.a2[i * 16 + j] =
                static_cast<std::int16_t>(hot ? 1024 : lcg.in(-64, 64));
            m.a3[i * 16 + j] = static_cast<std::int16_t>(lcg.in(-512, 512));
        }
    for (std::size_t i = 0; i < 4000; ++i)
        for (std::size_t j = 0; j < 4; ++j)
            m.b[i * 4 + j] = static_cast<std::int16_t>(m.a3[i * 16 + j] - m.a3[i * 16 + j + 4] / 2);
    const auto data = m.create();
    ASSERT_TRUE(data);
    ASSERT_TRUE(data->check_substance());
    AttentionConfig config;
    config.rows = 16;
    config.width = 16;
    config.value_width = 16;
    config.outputs = 16;
    config.causal = 0;
    config.y_rate_shift = 6;
    config.x_rate_shift = 2;
    auto trainer = Trainer::create(config, *data);
    ASSERT_TRUE(trainer) << describe(trainer.error());
    auto parameters = initial_parameters(config, Seed{});
    const auto before = trainer->evaluate(parameters, 0, data->held_out_sequences(16));
    for (std::uint8_t unit = 0; unit < 60; ++unit)
        ASSERT_TRUE(trainer->train_unit(parameters, Seed{unit}));
    const auto after = trainer->evaluate(parameters, 0, data->held_out_sequences(16));
    EXPECT_LT(after->brier(), 0.5 * before->brier()) << before->brier() << " " << after->brier();
}

TEST(MatrixDataset, squared_errors_of_saturated_parameters_saturate) {
    const auto data =
        random_matrices({.rows = 800, .columns = 16, .value_columns = 256, .output_columns = 256})
            .create();
    ASSERT_TRUE(data);
    AttentionConfig config;
    config.rows = 16;
    config.width = 16;
    config.value_width = 256;
    config.outputs = 256;
    config.y_exponent = -9;
    auto trainer = Trainer::create(config, *data);
    ASSERT_TRUE(trainer) << describe(trainer.error());
    const std::vector<std::int32_t> parameters(parameter_count(config), kParameterLimit);
    const auto error_of = [&](std::uint64_t first, std::uint64_t count) {
        return trainer->evaluate(parameters, first, count)->squared_error;
    };
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    const std::uint64_t sequences = data->held_out_sequences(config.rows);
    // The error of ever more sequences is the sum of theirs, up to the end of its range.
    std::int64_t sum = 0;
    std::uint64_t count = 0;
    while (sum < kMost) {
        const std::int64_t one = error_of(count % sequences, 1);
        ASSERT_GT(one, kMost / 1000);
        sum = one > kMost - sum ? kMost : sum + one;
        count += 1;
        ASSERT_EQ(error_of(0, count), sum) << count;
    }
    EXPECT_GT(count, 2U);
    // Wherever the first row stands that does not fit.
    for (std::uint64_t first = 0; first < sequences; ++first) {
        EXPECT_EQ(error_of(first, 2 * count), kMost) << first;
    }
}

}  // namespace
}  // namespace gradient::model
