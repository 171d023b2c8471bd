#include "model/text/text_dataset.hpp"

#include "tests/support/random_dataset.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

namespace gradient::model {
namespace {

std::vector<std::uint8_t> sample_text(std::size_t size) {
    const std::string phrase = "the quick brown fox jumps over the lazy dog; ";
    std::vector<std::uint8_t> text(size);
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<std::uint8_t>(phrase[(i * i / 7 + i) % phrase.size()]);
    return text;
}

TEST(TextDataset, refuses_too_little_and_too_much) {
    EXPECT_EQ(TextDataset::create(sample_text(TextDataset::kMinBytes - 1)).error(),
              TaskError::data_too_short);
    EXPECT_EQ(TextDataset::create(std::vector<std::uint8_t>(TextDataset::kMaxBytes + 1)).error(),
              TaskError::data_mismatch);
    EXPECT_TRUE(TextDataset::create(sample_text(TextDataset::kMinBytes)));
}

TEST(TextDataset, holds_the_last_tenth_out) {
    const auto data = TextDataset::create(sample_text(10007));
    EXPECT_EQ(data->training_tokens().size(), 9007U);
    EXPECT_EQ(data->held_out_tokens().size(), 1000U);
}

TEST(TextDataset, the_vocabulary_comes_from_the_training_part_alone) {
    auto text = sample_text(10000);
    for (std::size_t i = 9000; i < text.size(); ++i) text[i] = '#';
    const auto data = TextDataset::create(text);
    EXPECT_EQ(data->byte_of(data->token_of('#')), '?');
    EXPECT_EQ(data->byte_of(data->token_of('q')), 'q');
}

TEST(TextDataset, rows_never_look_at_their_target_and_targets_are_one_hot) {
    const auto text = sample_text(9000);
    const auto data = TextDataset::create(text);
    const std::uint16_t rows = 64;
    std::vector<std::int16_t> a1(std::size_t{rows} * data->width()), a2(a1.size());
    std::vector<std::int16_t> a3(std::size_t{rows} * data->value_width());
    std::vector<std::int16_t> b(std::size_t{rows} * data->outputs());
    const std::uint64_t last = data->training_sequences(rows) - 1;
    data->fill_training(last, rows, a1, a2, a3, b);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto row = std::span(b).subspan(i * data->outputs(), data->outputs());
        EXPECT_EQ(std::accumulate(row.begin(), row.end(), 0), 1024);
    }
    // The last row's target is the last training token: the part ends exactly there.
    EXPECT_EQ(b[(std::size_t{rows} - 1) * data->outputs() + data->training_tokens().back()], 1024);

    // Changing the last token changes no input. It is swapped with one far away, so that the
    // vocabulary, which counts bytes, stays the same.
    auto other_text = text;
    const std::size_t end = data->training_tokens().size();
    const auto different = std::ranges::find_if(
        other_text, [&](std::uint8_t byte) { return byte != other_text[end - 1]; });
    std::iter_swap(different, other_text.begin() + static_cast<std::ptrdiff_t>(end) - 1);
    const auto other = TextDataset::create(other_text);
    std::vector<std::int16_t> c1(a1.size()), c2(a2.size()), c3(a3.size()), d(b.size());
    other->fill_training(last, rows, c1, c2, c3, d);
    EXPECT_EQ(c1, a1);
    EXPECT_EQ(c2, a2);
    EXPECT_EQ(c3, a3);
    EXPECT_NE(d, b);
}

TEST(TextDataset, held_out_rows_stay_in_the_held_out_part) {
    auto text = sample_text(20000);
    const auto data = TextDataset::create(text);
    // The training part's bytes may change (keeping their counts) without moving a held-out row.
    std::swap(text[100], text[101]);
    std::swap(text[17990], text[17991]);
    const auto other = TextDataset::create(text);
    const std::uint16_t rows = 64;
    const auto fill = [&](const TextDataset& from, std::uint64_t index) {
        std::vector<std::int16_t> a1(std::size_t{rows} * from.width()), a2(a1.size());
        std::vector<std::int16_t> a3(std::size_t{rows} * from.value_width());
        std::vector<std::int16_t> b(std::size_t{rows} * from.outputs());
        from.fill_held_out(index, rows, a1, a2, a3, b);
        a1.insert(a1.end(), a2.begin(), a2.end());
        a1.insert(a1.end(), a3.begin(), a3.end());
        a1.insert(a1.end(), b.begin(), b.end());
        return a1;
    };
    const std::uint64_t count = data->held_out_sequences(rows);
    ASSERT_GT(count, 2U);
    for (std::uint64_t i = 0; i < count; ++i) EXPECT_EQ(fill(*data, i), fill(*other, i)) << i;
}

TEST(TextDataset, the_last_row_of_a_prompt_is_that_of_the_text) {
    const auto data = TextDataset::create(sample_text(9000));
    const std::uint16_t rows = 64;
    std::vector<std::int16_t> a1(std::size_t{rows} * data->width()), a2(a1.size());
    std::vector<std::int16_t> a3(std::size_t{rows} * data->value_width());
    std::vector<std::int16_t> b(std::size_t{rows} * data->outputs());
    data->fill_training(500, rows, a1, a2, a3, b);
    std::vector<std::int16_t> p1(a1.size()), p2(a2.size()), p3(a3.size());
    // Find where sequence 500 starts by its own rows: its inputs reach at most a few tokens back.
    bool found = false;
    for (std::size_t end = 500 + rows; end < 520 + rows && !found; ++end) {
        data->fill_prompt(data->training_tokens().first(end), rows, p1, p2, p3);
        found = p1 == a1 && p2 == a2 && p3 == a3;
    }
    EXPECT_TRUE(found);
    data->fill_prompt({}, rows, p1, p2, p3);  // an empty prompt is a row of token 0
}

/// Words drawn from `words`, each followed by a space.
std::vector<std::uint8_t> words_at_random(const std::vector<std::string>& words, std::size_t size) {
    test::Lcg lcg(size);
    std::string text;
    while (text.size() < size) text += words[lcg.next() % words.size()] + " ";
    text.resize(size);
    return {text.begin(), text.end()};
}

TEST(TextSubstance, accepts_words_in_changing_order) {
    const auto text =
        words_at_random({"the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog"}, 8192);
    EXPECT_TRUE(TextDataset::create(text)->check_substance());
}

TEST(TextSubstance, needs_8_tokens_in_common_use) {
    const std::vector<std::string> six{"a", "b", "c", "d", "e", "f"};  // and the space
    EXPECT_EQ(TextDataset::create(words_at_random(six, 8192))->check_substance().error(),
              TaskError::data_constant);
    auto text = words_at_random({"a", "b", "c", "d", "e", "f", "g"}, 8192);
    EXPECT_TRUE(TextDataset::create(text)->check_substance());
    // Rare letters are tokens but not in common use: one in 256 of 7373 is 28 (rounded down).
    text = words_at_random(six, 8192);
    for (std::size_t i = 0; i < 27; ++i) text[200 * i + 2] = 'z';
    EXPECT_EQ(TextDataset::create(text)->check_substance().error(), TaskError::data_constant);
    text[200 * 27 + 2] = 'z';
    EXPECT_TRUE(TextDataset::create(text)->check_substance());
}

TEST(TextSubstance, refuses_a_short_text_repeated) {
    const auto repeated = [](std::size_t period) {
        auto text = words_at_random(
            {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}, 16384);
        for (std::size_t i = period; i < text.size(); ++i) text[i] = text[i - period];
        return TextDataset::create(text)->check_substance();
    };
    EXPECT_EQ(repeated(50).error(), TaskError::data_repetitive);
    EXPECT_EQ(repeated(1000).error(), TaskError::data_repetitive);
    EXPECT_TRUE(repeated(3000));
}

TEST(TextDataset, its_default_configuration_is_valid) {
    EXPECT_TRUE(check_config(TextDataset::default_config()));
    const auto data = TextDataset::create(sample_text(20000));
    EXPECT_TRUE(Trainer::create(TextDataset::default_config(), *data));
}

}  // namespace
}  // namespace gradient::model
