#include "chain/base/codec.hpp"
#include "chain/work/task_model.hpp"
#include "model/matrix/matrix_dataset.hpp"
#include "model/text/text_dataset.hpp"
#include "tests/support/random_dataset.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace gradient::chain {
namespace {

using model::TaskError;

/// Letters at random: every token is common, and hardly a run of ten comes twice.
Bytes some_text() {
    test::Lcg lcg(1);
    Bytes text(20'000);
    std::ranges::generate(text, [&] { return static_cast<std::uint8_t>(lcg.in('a', 'z')); });
    return text;
}

TaskRecord text_task() {
    TaskRecord task;
    task.shape = from_model(model::TextDataset::default_config());
    return task;
}

constexpr model::MatrixShape kShape{
    .rows = 400, .columns = 13, .value_columns = 20, .output_columns = 3};

/// Matrices of random entries, of which `rows_used` rows are repeated.
Bytes some_matrices(std::uint32_t rows_used = kShape.rows) {
    test::Lcg lcg(2);
    const auto draw = [&](std::size_t columns) {
        std::vector<std::int16_t> values(kShape.rows * columns);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = i < rows_used * columns ? static_cast<std::int16_t>(lcg.in(-2047, 2047))
                                                : values[i - rows_used * columns];
        return values;
    };
    return model::MatrixDataset::create(kShape, draw(13), draw(13), draw(20), draw(3))->encode();
}

/// A task on them: the columns rounded up to multiples of 16.
TaskRecord matrix_task() {
    model::AttentionConfig config;
    config.rows = 32;
    config.width = 16;
    config.value_width = 32;
    config.outputs = 16;
    TaskRecord task;
    task.shape = from_model(config);
    task.data_format = DataFormat::matrices;
    return task;
}

/// What checking the task with another shape says.
template <class Change>
TaskError refusal(TaskRecord task, ByteSpan data, Change change) {
    change(task.shape);
    const auto checked = check_task_data(task, data);
    EXPECT_FALSE(checked.has_value());
    return checked ? TaskError{} : checked.error();
}

TEST(TaskModel, matrices_are_data_format_2_and_nothing_is_3) {
    Bytes bytes = encode(matrix_task());
    const std::size_t format = 6 + AttentionShape::kEncodedSize;
    EXPECT_EQ(bytes[format], 2);
    EXPECT_EQ(decode_exact<TaskRecord>(bytes), matrix_task());
    bytes[format] = 3;
    EXPECT_EQ(decode_exact<TaskRecord>(bytes).error(), CodecError::bad_value);
}

TEST(TaskModel, makes_a_data_set_of_matrices) {
    const Bytes data = some_matrices();
    const auto dataset = make_dataset(matrix_task(), data);
    ASSERT_TRUE(dataset.has_value());
    EXPECT_EQ((*dataset)->width(), 16);
    EXPECT_EQ((*dataset)->value_width(), 32);
    EXPECT_EQ((*dataset)->outputs(), 16);
    EXPECT_EQ((*dataset)->training_sequences(32), 360U - 32 + 1);
    EXPECT_EQ(make_dataset(matrix_task(), ByteSpan(data).first(data.size() - 1)).error(),
              TaskError::data_malformed);
    EXPECT_EQ(make_dataset(matrix_task(), some_text()).error(), TaskError::data_malformed);
}

TEST(TaskModel, refuses_a_format_it_does_not_know) {
    TaskRecord task = text_task();
    task.data_format = static_cast<DataFormat>(3);
    EXPECT_EQ(make_dataset(task, some_text()).error(), TaskError::unknown_kind);
    EXPECT_EQ(check_substance(task, some_text()).error(), TaskError::unknown_kind);
    EXPECT_EQ(check_task_data(task, some_text()).error(), TaskError::unknown_kind);
}

TEST(TaskModel, a_task_on_matrices_trains) {
    const TaskRecord task = matrix_task();
    const auto dataset = make_dataset(task, some_matrices());
    ASSERT_TRUE(dataset.has_value());
    auto trainer = model::Trainer::create(to_model(task.shape), **dataset);
    ASSERT_TRUE(trainer.has_value());
    std::vector<std::int32_t> parameters = initial_parameters(task);
    const auto counts = trainer->probe_unit(parameters, {});
    ASSERT_TRUE(counts.has_value());
    EXPECT_TRUE(counts->is_healthy());
    EXPECT_TRUE(trainer->train_unit(parameters, {}).has_value());
}

TEST(TaskData, with_substance_that_fit_pass) {
    EXPECT_TRUE(check_task_data(text_task(), some_text()).has_value());
    EXPECT_TRUE(check_task_data(matrix_task(), some_matrices()).has_value());
    EXPECT_TRUE(check_substance(text_task(), some_text()).has_value());
    EXPECT_TRUE(check_substance(matrix_task(), some_matrices()).has_value());
}

TEST(TaskData, must_decode) {
    EXPECT_EQ(check_task_data(text_task(), ByteSpan(some_text()).first(4095)).error(),
              TaskError::data_too_short);
    Bytes data = some_matrices();
    data.push_back(0);
    EXPECT_EQ(check_task_data(matrix_task(), data).error(), TaskError::data_malformed);
    EXPECT_EQ(check_substance(matrix_task(), data).error(), TaskError::data_malformed);
    EXPECT_EQ(check_task_data(matrix_task(), {}).error(), TaskError::data_malformed);
}

TEST(TaskData, must_have_the_widths_of_the_shape) {
    const Bytes text = some_text();
    const Bytes matrices = some_matrices();
    const auto width = [](AttentionShape& shape) { shape.width += 16; };
    const auto value_width = [](AttentionShape& shape) { shape.value_width -= 16; };
    const auto outputs = [](AttentionShape& shape) { shape.outputs += 16; };
    EXPECT_EQ(refusal(text_task(), text, width), TaskError::data_mismatch);
    EXPECT_EQ(refusal(text_task(), text, value_width), TaskError::data_mismatch);
    EXPECT_EQ(refusal(text_task(), text, outputs), TaskError::data_mismatch);
    EXPECT_EQ(refusal(matrix_task(), matrices, width), TaskError::data_mismatch);
    EXPECT_EQ(refusal(matrix_task(), matrices, value_width), TaskError::data_mismatch);
    EXPECT_EQ(refusal(matrix_task(), matrices, outputs), TaskError::data_mismatch);
}

TEST(TaskData, must_give_a_sequence_to_train_on_and_one_held_out) {
    // 40 rows of 400 are held out.
    const Bytes data = some_matrices();
    EXPECT_EQ(refusal(matrix_task(), data, [](AttentionShape& shape) { shape.rows = 48; }),
              TaskError::data_too_short);
    // A held-out sequence of text takes more than its 16 rows of context.
    EXPECT_EQ(refusal(text_task(), some_text(), [](AttentionShape& shape) { shape.rows = 16; }),
              TaskError::data_too_short);
}

TEST(TaskData, must_have_substance) {
    Bytes text(20'000);
    for (std::size_t i = 0; i < text.size(); ++i)
        text[i] = static_cast<std::uint8_t>('a' + i * i % 23);
    EXPECT_EQ(check_task_data(text_task(), text).error(), TaskError::data_repetitive);
    EXPECT_EQ(check_substance(text_task(), text).error(), TaskError::data_repetitive);
    EXPECT_EQ(check_task_data(text_task(), Bytes(20'000, 'a')).error(), TaskError::data_constant);
    EXPECT_EQ(check_task_data(matrix_task(), some_matrices(63)).error(),
              TaskError::data_repetitive);
    EXPECT_EQ(check_task_data(matrix_task(), some_matrices(3)).error(), TaskError::data_repetitive);
    EXPECT_EQ(check_substance(matrix_task(), some_matrices(63)).error(),
              TaskError::data_repetitive);
    EXPECT_TRUE(check_substance(matrix_task(), some_matrices(64)).has_value());
}

TEST(TaskData, cheaper_conditions_are_named_first) {
    // Shape before decoding, decoding before widths, widths before substance.
    const auto odd = [](AttentionShape& shape) { shape.width = 17; };
    const auto hyper = [](AttentionShape& shape) { shape.jitter = 0; };
    const auto width = [](AttentionShape& shape) { shape.width += 16; };
    const auto nothing = [](AttentionShape& /*shape*/) {};
    EXPECT_EQ(refusal(matrix_task(), {}, odd), TaskError::bad_shape);
    EXPECT_EQ(refusal(matrix_task(), {}, hyper), TaskError::bad_hyper);
    EXPECT_EQ(refusal(matrix_task(), {}, width), TaskError::data_malformed);
    EXPECT_EQ(refusal(matrix_task(), some_matrices(3), width), TaskError::data_mismatch);
    EXPECT_EQ(refusal(matrix_task(), some_matrices(3), nothing), TaskError::data_repetitive);
}

}  // namespace
}  // namespace gradient::chain
