#include "tools/data/npy.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace gradient::data {
namespace {

/// A .npy file from its parts.
std::string npy(std::string header, const std::string& entries, char major = 1) {
    header += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += {major, '\0', static_cast<char>(header.size() & 0xff),
              static_cast<char>(header.size() >> 8)};
    if (major == 2) bytes += std::string(2, '\0');
    return bytes + header + entries;
}

std::string header(const std::string& descr, const std::string& shape,
                   const std::string& fortran = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

/// Entries as little-endian integers of `size` bytes.
std::string integers(std::size_t size, std::initializer_list<std::int64_t> values) {
    std::string bytes;
    for (const std::int64_t value : values)
        for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
    return bytes;
}

std::string refusal(const std::string& bytes) {
    const auto table = read_npy(bytes);
    return table ? "accepted" : table.error();
}

constexpr std::int64_t kOneAndAHalf = 0x3ff8000000000000;
constexpr std::int64_t kNan = 0x7ff8000000000000;
constexpr std::int64_t kMinusInfinity = std::int64_t{-0x10000000000000};

TEST(Npy, reads_every_type_it_names) {
    const Table expected{.rows = 1, .columns = 2, .values = {1, -2}};
    EXPECT_EQ(read_npy(npy(header("|i1", "(1, 2)"), integers(1, {1, -2}))), expected);
    EXPECT_EQ(read_npy(npy(header("<i2", "(1, 2)"), integers(2, {1, -2}))), expected);
    EXPECT_EQ(read_npy(npy(header("<i4", "(1, 2)"), integers(4, {1, -2}))), expected);
    EXPECT_EQ(read_npy(npy(header("<i8", "(1, 2)"), integers(8, {1, -2}))), expected);
    EXPECT_EQ(read_npy(npy(header("<f4", "(1, 2)"), integers(4, {0x3f800000, 0xc0000000}))),
              expected);
    EXPECT_EQ(read_npy(npy(header("<f8", "(1, 2)"),
                           integers(8, {0x3ff0000000000000, std::int64_t{-0x4000000000000000}}))),
              expected);
    EXPECT_EQ(read_npy(npy(header("|u1", "(1, 2)"), integers(1, {1, 254})))->values,
              (std::vector<double>{1, 254}));
}

TEST(Npy, reads_rows_first_and_columns_first) {
    const auto c = read_npy(npy(header("|i1", "(2, 3)"), integers(1, {1, 2, 3, 4, 5, 6})));
    const auto f = read_npy(npy(header("|i1", "(2, 3)", "True"), integers(1, {1, 4, 2, 5, 3, 6})));
    ASSERT_TRUE(c);
    EXPECT_EQ(c->rows, 2U);
    EXPECT_EQ(c->columns, 3U);
    EXPECT_EQ(c->values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(f, c);
}

TEST(Npy, one_dimension_is_one_column) {
    const auto table = read_npy(npy(header("|i1", "(3,)"), integers(1, {1, 2, 3})));
    EXPECT_EQ(table, (Table{.rows = 3, .columns = 1, .values = {1, 2, 3}}));
}

TEST(Npy, reads_version_2_and_headers_written_otherwise) {
    const Table expected{.rows = 1, .columns = 1, .values = {7}};
    EXPECT_EQ(read_npy(npy(header("|i1", "(1, 1)"), "\x07", 2)), expected);
    EXPECT_EQ(read_npy(npy(R"({"shape":(1,1),"descr":"|i1","fortran_order":True})", "\x07")),
              expected);
    EXPECT_EQ(read_npy(npy(header("|i1", "(1, 1)") + std::string(70, ' '), "\x07")), expected);
}

TEST(Npy, refuses_nan_and_infinities_with_their_place) {
    EXPECT_EQ(refusal(npy(header("<f8", "(2, 2)"),
                          integers(8, {kOneAndAHalf, kOneAndAHalf, kNan, kOneAndAHalf}))),
              "row 2, column 1 is NaN");
    EXPECT_EQ(refusal(npy(header("<f8", "(2, 2)", "True"),
                          integers(8, {kOneAndAHalf, kOneAndAHalf, kMinusInfinity, kOneAndAHalf}))),
              "row 1, column 2 is infinite");
    EXPECT_EQ(refusal(npy(header("<f4", "(1, 1)"), integers(4, {0x7f800000}))),
              "row 1, column 1 is infinite");
}

TEST(Npy, refuses_other_types_versions_and_shapes) {
    for (const std::string type : {">f8", "<f2", "<c8", "|b1", "<u2", "<U3", "|O", "f8"})
        EXPECT_EQ(
            refusal(npy(header(type, "(1, 1)"), std::string(8, '\0'))),
            "its entries have type '" + type + "'; <f4, <f8, |i1, <i2, <i4, <i8 and |u1 are read");
    EXPECT_EQ(refusal(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
                          std::string(8, '\0'))),
              "its entries are records, not numbers");
    EXPECT_EQ(refusal(npy(header("|i1", "()"), "\x07")),
              "its array has 0 dimensions; a matrix has 2");
    EXPECT_EQ(refusal(npy(header("|i1", "(1, 1, 1)"), "\x07")),
              "its array has 3 dimensions; a matrix has 2");
    EXPECT_EQ(refusal(npy(header("|i1", "(0, 4)"), "")), "it has no entries");
    EXPECT_EQ(refusal(npy(header("|i1", "(4, 0)"), "")), "it has no entries");
    EXPECT_EQ(refusal(npy(header("|i1", "(1, 1)"), "\x07", 3)),
              "it is .npy version 3.0; 1.0 and 2.0 are read");
    auto newer = npy(header("|i1", "(1, 1)"), "\x07");
    newer[7] = 1;
    EXPECT_EQ(refusal(newer), "it is .npy version 1.1; 1.0 and 2.0 are read");
}

TEST(Npy, refuses_sizes_that_do_not_agree_before_asking_for_memory) {
    EXPECT_EQ(refusal(npy(header("<i2", "(2, 2)"), std::string(7, '\0'))),
              "it has 7 bytes of entries where 2 rows of 2 need 8");
    EXPECT_EQ(refusal(npy(header("<i2", "(2, 2)"), std::string(9, '\0'))),
              "it has 9 bytes of entries where 2 rows of 2 need 8");
    EXPECT_EQ(refusal(npy(header("<f8", "(4294967296, 4294967297)"), "")),
              "it has more than 8388608 entries");
    EXPECT_EQ(refusal(npy(header("<f8", "(8388608, 2)"), "")), "it has more than 8388608 entries");
    EXPECT_EQ(refusal(npy(header("<f8", "(99999999999999999999, 2)"), "")),
              "its .npy header cannot be understood");
}

TEST(Npy, refuses_every_truncation) {
    const auto good = npy(header("<i2", "(2, 2)"), std::string(8, '\0'));
    ASSERT_TRUE(read_npy(good));
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_NE(refusal(good.substr(0, size)), "accepted") << size;
}

TEST(Npy, refuses_a_header_longer_than_the_file) {
    auto bytes = npy(header("|i1", "(1, 1)"), "");
    ++bytes[8];
    EXPECT_EQ(refusal(bytes), "it ends within its .npy header");
}

TEST(Npy, refuses_headers_that_are_no_such_dict) {
    for (const std::string text :
         {"", "{", "{}", "{'descr': '|i1'}", "{'descr': '|i1', 'fortran_order': False}",
          "{'descr': '|i1', 'fortran_order': 0, 'shape': (1, 1)}",
          "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1)} x",
          "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 1), 'more': 1}",
          "{'descr': '|i1', 'descr': '|i1', 'fortran_order': False, 'shape': (1, 1)}",
          "{'descr': '|i1' 'fortran_order': False, 'shape': (1, 1)}",
          "{'descr': '|i1', 'fortran_order': False, 'shape': (-1, 1)}",
          "{'descr': '|i1', 'fortran_order': False, 'shape': (1 1)}",
          "{'descr': '|i1', 'fortran_order': False, 'shape': 1}"})
        EXPECT_EQ(refusal(npy(text, "\x07")), "its .npy header cannot be understood") << text;
}

TEST(Npy, what_is_written_is_read_back) {
    const Table table{
        .rows = 2,
        .columns = 3,
        .values = {0.1, -0.0, 1e300, std::numeric_limits<double>::denorm_min(), -5, 1.0 / 3}};
    const std::string bytes = write_npy(table);
    EXPECT_EQ(read_npy(bytes), table);
    EXPECT_EQ(bytes.size() % 64, 6 * sizeof(double)) << "entries begin on a multiple of 64";
    EXPECT_EQ(bytes.substr(10, 60), "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), } ");
}

}  // namespace
}  // namespace gradient::data
