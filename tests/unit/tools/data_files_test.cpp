#include "tools/data/data_files.hpp"

#include "node/setup/failure.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/data/npy.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

namespace gradient::data {
namespace {

class DataFiles : public ::testing::Test {
  protected:
    std::filesystem::path write(const std::string& name, const std::string& content) const {
        const auto path = directory_.path() / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    /// What the function's Failure says, without the directory.
    std::string refusal(const std::function<void()>& function) const {
        try {
            function();
        } catch (const node::Failure& failure) {
            EXPECT_EQ(failure.code(), node::ExitCode::chain_spec);
            std::string text = failure.what();
            const std::string prefix = directory_.path().string() + "/";
            for (std::size_t at = 0; (at = text.find(prefix)) != std::string::npos;)
                text.erase(at, prefix.size());
            return text;
        }
        return "accepted";
    }

    TemporaryDirectory directory_;
};

TEST_F(DataFiles, tells_npy_from_csv_by_the_first_bytes) {
    const Table table{.rows = 1, .columns = 2, .values = {1, 2}};
    EXPECT_EQ(read_table(write("csv.npy", "1,2\n")), table);
    EXPECT_EQ(read_table(write("npy.csv", write_npy(table))), table);
}

TEST_F(DataFiles, a_written_table_is_read_back) {
    const Table table{.rows = 2, .columns = 1, .values = {0.1, -3}};
    const auto path = directory_.path() / "out.npy";
    write_table(path, table);
    EXPECT_EQ(read_table(path), table);
}

TEST_F(DataFiles, every_refusal_names_the_file) {
    EXPECT_EQ(refusal([&] { static_cast<void>(read_table(directory_.path() / "none.csv")); }),
              "Cannot read none.csv: No such file or directory.");
    EXPECT_EQ(refusal([&] { static_cast<void>(read_table(write("a.csv", "1,2\n3,?\n"))); }),
              "Cannot use a.csv: row 2, column 2 is not a number: '?'.");
    EXPECT_EQ(refusal([&] { static_cast<void>(read_table(write("a.npy", "\x93NUMPY"))); }),
              "Cannot use a.npy: it ends within its .npy header.");
    EXPECT_EQ(
        refusal([&] { static_cast<void>(read_table(write("a.npz", "PK\x03\x04 and more"))); }),
        "Cannot use a.npz: it is an archive (.npz); save each array by itself as .npy.");
}

TEST_F(DataFiles, four_files_make_a_data_set) {
    const auto data = read_matrices({.a1 = {write("a1", "0,1\n1,0\n"), 1},
                                     .a2 = {write("a2", "10,20\n30,40\n"), 0.01},
                                     .a3 = {write("a3", "1,1,1\n0,0,0\n"), 1},
                                     .b = {write("b", "0.5\n-0.5\n"), 2}});
    EXPECT_EQ(data.shape(), (model::MatrixShape{
                                .rows = 2, .columns = 2, .value_columns = 3, .output_columns = 1}));
    const std::vector<std::int16_t> a1{0, 1024, 1024, 0}, a2{102, 205, 307, 410};
    const std::vector<std::int16_t> a3{1024, 1024, 1024, 0, 0, 0}, b{1024, -1024};
    EXPECT_EQ(data, model::MatrixDataset::create(data.shape(), a1, a2, a3, b));
}

TEST_F(DataFiles, refuses_matrices_that_do_not_belong_together) {
    const auto refused = [&](const std::function<void(MatrixFiles&)>& change) {
        MatrixFiles files{.a1 = {write("a1", "0,1\n1,0\n")},
                          .a2 = {write("a2", "0,1\n1,0\n")},
                          .a3 = {write("a3", "1\n0\n")},
                          .b = {write("b", "1\n0\n")}};
        change(files);
        return refusal([&] { static_cast<void>(read_matrices(files)); });
    };
    EXPECT_EQ(refused([](MatrixFiles&) {}), "accepted");
    EXPECT_EQ(refused([&](MatrixFiles& f) { f.a2.path = write("c", "1,2\n"); }),
              "Cannot use c: row 1, column 2 is 2; with scale 1 the largest magnitude is 1.99902.");
    EXPECT_EQ(refused([&](MatrixFiles& f) { f.a2.path = write("c", "1,1\n"); }),
              "Cannot use c: it has 1 rows where a1 has 2.");
    EXPECT_EQ(refused([&](MatrixFiles& f) { f.a3.path = write("c", "1\n"); }),
              "Cannot use c: it has 1 rows where a1 has 2.");
    EXPECT_EQ(refused([&](MatrixFiles& f) { f.b.path = write("c", "1\n1\n1\n"); }),
              "Cannot use c: it has 3 rows where a1 has 2.");
    EXPECT_EQ(refused([&](MatrixFiles& f) { f.a2.path = write("c", "1\n1\n"); }),
              "Cannot use c: it has 1 columns where a1 has 2.");
    std::string wide = "1";
    for (int i = 1; i < 257; ++i) wide += ",1";
    EXPECT_EQ(refused([&](MatrixFiles& f) { f.b.path = write("c", wide); }),
              "Cannot use c: it has 257 columns; at most 256 are possible.");
    EXPECT_EQ(refused([](MatrixFiles& f) { f.a1.scale = 0; }),
              "Cannot use a1: its scale must be positive and finite.");
    std::string tall;
    for (int i = 0; i < 2'100'000; ++i) tall += "0\n";
    EXPECT_EQ(refused([&](MatrixFiles& f) {
                  f.a1.path = f.a2.path = f.a3.path = f.b.path = write("c", tall);
              }),
              "Cannot use the matrices: together they take more than 16777216 bytes.");
}

}  // namespace
}  // namespace gradient::data
