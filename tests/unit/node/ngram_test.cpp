#include "tools/cli/ngram.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gradient::cli {
namespace {

using Tokens = std::vector<std::uint8_t>;

TEST(Ngram, unigram_scores_are_those_of_the_frequencies) {
    // p = (3/4, 1/4): a 0 costs 1/16 + 1/16, a 1 costs 9/16 + 9/16.
    const NgramTables tables(Tokens{0, 0, 1, 0}, 2);
    const auto score = tables.evaluate(1, Tokens{0, 1});
    EXPECT_EQ(score.rows, 2U);
    EXPECT_DOUBLE_EQ(score.brier, (0.125 + 1.125) / 2);
    EXPECT_DOUBLE_EQ(score.accuracy, 0.5);
}

TEST(Ngram, longer_contexts_learn_longer_patterns) {
    Tokens training;
    for (int i = 0; i < 100; ++i) training.insert(training.end(), {0, 1, 0, 2});
    const Tokens held_out{0, 1, 0, 2, 0, 1, 0, 2};
    const NgramTables tables(training, 3);
    EXPECT_DOUBLE_EQ(tables.evaluate(1, held_out).accuracy, 0.5);
    EXPECT_DOUBLE_EQ(tables.evaluate(2, held_out).accuracy, 0.75);  // after 0: 1 as often as 2
    EXPECT_DOUBLE_EQ(tables.evaluate(3, held_out).accuracy, 1.0);
    EXPECT_DOUBLE_EQ(tables.evaluate(3, held_out).brier, 0.0);
    EXPECT_NEAR(tables.evaluate(2, held_out).brier, 0.25, 0.01);
}

TEST(Ngram, unseen_contexts_fall_back_to_shorter_ones) {
    // Nothing ever followed 2, and (1, 2) is new: the unigram answers, 0 being most frequent.
    const NgramTables tables(Tokens{0, 0, 0, 1, 0, 2}, 3);
    for (const std::size_t order : {1U, 2U, 3U}) {
        EXPECT_DOUBLE_EQ(tables.evaluate(order, Tokens{0}).accuracy, 1.0) << order;
    }
    // (2, 0) is new, but after 0 there is a bigram: 0 half of the time.
    const auto score = tables.evaluate(3, Tokens{0, 0});
    EXPECT_DOUBLE_EQ(score.accuracy, 1.0);
    EXPECT_DOUBLE_EQ(tables.evaluate(3, Tokens{}).brier, 0.0);
}

TEST(Ngram, first_held_out_token_has_the_training_part_before_it) {
    const NgramTables tables(Tokens{0, 1, 0, 1, 0, 1, 0}, 2);
    EXPECT_DOUBLE_EQ(tables.evaluate(2, Tokens{1}).accuracy, 1.0);
    EXPECT_DOUBLE_EQ(tables.evaluate(2, Tokens{0}).accuracy, 0.0);
}

}  // namespace
}  // namespace gradient::cli
