#include "tools/data/csv.hpp"

#include <gtest/gtest.h>

namespace gradient::data {
namespace {

const Table kTwoByTwo{.rows = 2, .columns = 2, .values = {1, -2.5, 0.001, 4e3}};

std::string refusal(std::string_view text) {
    const auto table = read_csv(text);
    return table ? "accepted" : table.error();
}

TEST(Csv, reads_rows_of_numbers) {
    EXPECT_EQ(read_csv("1,-2.5\n1e-3,4e3\n"), kTwoByTwo);
    EXPECT_EQ(read_csv("1,-2.5\r\n1e-3,4e3\r\n"), kTwoByTwo);
    EXPECT_EQ(read_csv("1,-2.5\n1e-3,4e3"), kTwoByTwo);
    EXPECT_EQ(read_csv("\xef\xbb\xbf"
                       "1,-2.5\n.001, +4000 \n"),
              kTwoByTwo);
    EXPECT_EQ(read_csv("7"), (Table{.rows = 1, .columns = 1, .values = {7}}));
}

TEST(Csv, reads_quoted_fields) {
    EXPECT_EQ(read_csv("\"1\",\"-2.5\"\r\n\"1e-3\",4e3\r\n"), kTwoByTwo);
    EXPECT_EQ(read_csv("\"a \"\"quoted\"\"\nname, with a comma\",b\n1,-2.5\n1e-3,4e3\n"),
              kTwoByTwo);
}

TEST(Csv, skips_a_header_and_does_not_count_it) {
    EXPECT_EQ(read_csv("width,height\n1,-2.5\n1e-3,4e3\n"), kTwoByTwo);
    EXPECT_EQ(refusal("width,height\n1,2\n3,x\n"), "row 2, column 2 is not a number: 'x'");
    EXPECT_EQ(refusal("width,height\n"), "it has no rows");
    // One number is enough to make it a row: a typing mistake must not vanish with the row.
    EXPECT_EQ(refusal("1,2x\n3,4\n"), "row 1, column 2 is not a number: '2x'");
    EXPECT_EQ(refusal("a,b\nc,d\n"), "row 1, column 1 is not a number: 'c'");
}

TEST(Csv, refuses_what_is_not_a_finite_number_with_its_place) {
    EXPECT_EQ(refusal("1,2\n3,nan\n"), "row 2, column 2 is not finite: 'nan'");
    EXPECT_EQ(refusal("1,2\n-inf,4\n"), "row 2, column 1 is not finite: '-inf'");
    EXPECT_EQ(refusal("Infinity,2\n"), "row 1, column 1 is not finite: 'Infinity'");
    EXPECT_EQ(refusal("1,1e999\n"), "row 1, column 2 does not fit a 64-bit float: '1e999'");
    EXPECT_EQ(refusal("1,\n"), "row 1, column 2 is empty");
    EXPECT_EQ(refusal("1, \t\n"), "row 1, column 2 is empty");
    EXPECT_EQ(refusal("1,2\n\n"), "row 2 has 1 columns where row 1 has 2");
    EXPECT_EQ(refusal("1\r,2\n"), "row 1, column 1 is not a number: '1?'");
    for (const std::string field : {"1.5.2", "0x10", "1 2", "+-1", "--1", "1e", "1;5", "+"})
        EXPECT_EQ(refusal("1," + field + "\n"), "row 1, column 2 is not a number: '" + field + "'");
    EXPECT_EQ(refusal("1,a\tvery long field that goes on\n"),
              "row 1, column 2 is not a number: 'a?very long field that g...'");
}

TEST(Csv, refuses_rows_of_unequal_length) {
    EXPECT_EQ(refusal("1,2\n3\n"), "row 2 has 1 columns where row 1 has 2");
    EXPECT_EQ(refusal("1,2\n3,4,5\n"), "row 2 has 3 columns where row 1 has 2");
}

TEST(Csv, refuses_quotes_out_of_place) {
    EXPECT_EQ(refusal("1,\"2\n3,4\n"), "row 1, column 2 has a quote out of place");
    EXPECT_EQ(refusal("1,2\"\n"), "row 1, column 2 has a quote out of place");
    EXPECT_EQ(refusal("1,\"2\"3\n"), "row 1, column 2 has a quote out of place");
}

TEST(Csv, refuses_nothing_and_too_much) {
    EXPECT_EQ(refusal(""), "it has no rows");
    std::string row = "1";
    for (std::size_t i = 1; i < 1024; ++i) row += ",1";
    row += "\n";
    std::string text;
    for (std::size_t i = 0; i < kMaxEntries / 1024; ++i) text += row;
    EXPECT_TRUE(read_csv(text));
    EXPECT_EQ(refusal(text + row), "it has more than 8388608 entries");
}

}  // namespace
}  // namespace gradient::data
