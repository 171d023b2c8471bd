#include "tools/cli/sampling.hpp"
#include "tools/cli/terminal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

namespace gradient::cli {
namespace {

using Outputs = std::vector<std::int32_t>;

TEST(Sampling, negative_estimates_count_as_zero_and_the_rest_is_normalised) {
    EXPECT_EQ(Sampler(1, 0).probabilities(Outputs{-500, 1000, 3000}),
              (std::vector{0.0, 0.25, 0.75}));
    const auto sharper = Sampler(0.5, 0).probabilities(Outputs{-500, 1000, 3000});
    EXPECT_EQ(sharper[0], 0);
    EXPECT_DOUBLE_EQ(sharper[1], 0.1);
    EXPECT_DOUBLE_EQ(sharper[2], 0.9);
}

TEST(Sampling, temperature_zero_takes_the_largest) {
    Sampler sampler(0, 1);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(sampler.next(Outputs{5, 7, 6}), 1U);
}

TEST(Sampling, outputs_without_a_positive_one_give_the_largest) {
    EXPECT_EQ(Sampler(1, 1).next(Outputs{-5, -3, -4}), 1U);
    EXPECT_EQ(Sampler(1, 1).next(Outputs{0, 0}), 0U);
}

TEST(Sampling, draws_follow_the_estimates_and_the_seed) {
    const Outputs outputs{1000, -20, 3000};
    std::array<int, 3> counts{};
    Sampler sampler(1, 42);
    std::vector<std::size_t> drawn;
    for (int i = 0; i < 4000; ++i) {
        drawn.push_back(sampler.next(outputs));
        ++counts.at(drawn.back());
    }
    EXPECT_EQ(counts[1], 0);
    EXPECT_NEAR(counts[2], 3000, 150);
    Sampler again(1, 42);
    for (const auto token : drawn) ASSERT_EQ(again.next(outputs), token);
}

TEST(Sampling, tiny_temperatures_do_not_underflow) {
    EXPECT_EQ(Sampler(1e-6, 3).next(Outputs{3, 1, 2}), 0U);
}

TEST(Terminal, text_is_made_valid_and_harmless) {
    EXPECT_EQ(to_utf8("a\xc3\xa9\xff\xc3"), "a\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(to_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a lone surrogate
    EXPECT_EQ(for_terminal("a\x1b[2J\tb\n\x7f\xc2\x9b"), "a?[2J\tb\n??");
}

TEST(Terminal, numbers_and_times_are_readable) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(123), "123");
    EXPECT_EQ(grouped(1234567), "1,234,567");
    EXPECT_EQ(with_prefix(1.5e9, "FLOP/s"), "1.50 GFLOP/s");
    EXPECT_EQ(with_prefix(12, "units/s"), "12.00 units/s");
    EXPECT_EQ(utc_time(1'000), "1970-01-01 00:00:01.000 UTC");
    EXPECT_EQ(utc_time(1'700'000'000'123), "2023-11-14 22:13:20.123 UTC");
}

TEST(Terminal, columns_line_up) {
    Table table({"height", "id"});
    table.add({"7", "ab"});
    EXPECT_EQ(table.text(), "height  id\n     7  ab\n");
    Listing listing;
    listing.add("a", "1");
    listing.add("long", "2");
    EXPECT_EQ(listing.text(), "a     1\nlong  2\n");
}

}  // namespace
}  // namespace gradient::cli
