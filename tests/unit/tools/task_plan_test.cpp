#include "tools/cli/task_plan.hpp"

#include "chain/types/data.hpp"
#include "chain/types/limits.hpp"
#include "chain/work/task_model.hpp"
#include "node/setup/failure.hpp"
#include "tests/support/random_dataset.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tools/data/npy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>

namespace gradient::cli {
namespace {

using node::ExitCode;

/// What the function's Failure says; its code must be this one.
std::string refusal(ExitCode code, const std::function<void()>& function) {
    try {
        function();
    } catch (const node::Failure& failure) {
        EXPECT_EQ(failure.code(), code) << failure.what();
        return failure.what();
    }
    return "accepted";
}

class TaskPlan : public ::testing::Test {
  protected:
    std::filesystem::path write(const std::string& name, const std::string& content) const {
        const auto path = directory_.path() / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    /// English-looking words, different in every line.
    std::filesystem::path write_text(std::size_t bytes) const {
        static constexpr std::array kWords{"the",   "model", "learns", "from",  "a",    "quick",
                                           "brown", "fox",   "jumps",  "while", "lazy", "dogs"};
        test::Lcg random(3);
        std::string text;
        while (text.size() < bytes) {
            text += kWords.at(static_cast<std::size_t>(random.in(0, kWords.size() - 1)));
            text += random.in(0, 7) == 0 ? ".\n" : " ";
        }
        text.resize(bytes);
        return write("text", text);
    }

    std::filesystem::path write_matrix(const std::string& name, std::size_t rows,
                                       std::size_t columns,
                                       const std::function<double(std::size_t)>& value) const {
        data::Table table{rows, columns, {}};
        for (std::size_t i = 0; i < rows * columns; ++i) table.values.push_back(value(i));
        return write(name, data::write_npy(table));
    }

    /// B is a linear map of A3, so attention that picks its own row fits best.
    data::MatrixFiles write_matrices(std::size_t rows) const {
        test::Lcg random(5);
        const auto uniform = [&](double size) { return size * random.in(-1000, 1000) / 1000.0; };
        std::vector<double> a3(rows * 8);
        for (auto& each : a3) each = 0.3 + uniform(0.3);
        const auto column = [&](std::size_t i) {
            const double* const row = &a3[i / 2 * 8];
            return i % 2 == 0 ? 0.5 * row[0] + 0.3 * row[1] : 0.4 * row[2] - 0.2 * row[3];
        };
        return {.a1 = {write_matrix("a1.npy", rows, 5, [&](std::size_t) { return uniform(1); })},
                .a2 = {write_matrix("a2.npy", rows, 5, [&](std::size_t) { return uniform(1); })},
                .a3 = {write_matrix("a3.npy", rows, 8, [&](std::size_t i) { return a3[i]; })},
                .b = {write_matrix("b.npy", rows, 2, column)}};
    }

    TemporaryDirectory directory_;
};

TEST_F(TaskPlan, a_text_is_cut_into_the_chunks_that_its_root_names) {
    const auto plan = plan_text({write_text(2 * chain::kDataChunkBytes + 1000)});
    EXPECT_EQ(plan.format, chain::DataFormat::text);
    ASSERT_EQ(plan.chunks.size(), 3U);
    EXPECT_EQ(plan.root, chain::data_root(plan.bytes));
    chain::Bytes joined;
    for (std::size_t i = 0; i < plan.chunks.size(); ++i) {
        const auto chunk = plan.chunk(i);
        EXPECT_EQ(chain::chunk_id(chunk), plan.chunks[i]);
        EXPECT_EQ(chunk.size() == chain::kDataChunkBytes, i < 2);
        joined.insert(joined.end(), chunk.begin(), chunk.end());
    }
    EXPECT_EQ(joined, plan.bytes);
}

TEST_F(TaskPlan, refuses_data_of_no_substance) {
    EXPECT_NE(refusal(ExitCode::chain_spec,
                      [&] { static_cast<void>(plan_text({write("a", std::string(9000, 'a'))})); })
                  .find("Cannot use the text"),
              std::string::npos);
    EXPECT_NE(refusal(ExitCode::chain_spec,
                      [&] { static_cast<void>(plan_text({write("b", "too short")})); })
                  .find("10 bytes"),
              std::string::npos);
    auto files = write_matrices(640);
    files.b.path = write_matrix("b.npy", 640, 2, [](std::size_t) { return 0.5; });
    EXPECT_NE(refusal(ExitCode::chain_spec, [&] { static_cast<void>(plan_matrices(files)); })
                  .find("Cannot use the matrices"),
              std::string::npos);
}

TEST_F(TaskPlan, a_bad_entry_is_named_with_file_row_and_column) {
    auto files = write_matrices(640);
    files.a2.path = write_matrix("a2.npy", 640, 5,
                                 [](std::size_t i) { return i == 5 * 9 + 3 ? std::nan("") : 0.1; });
    const auto text =
        refusal(ExitCode::chain_spec, [&] { static_cast<void>(plan_matrices(files)); });
    for (const auto* word : {"a2.npy", "row 10", "column 4"})
        EXPECT_NE(text.find(word), std::string::npos) << text;
}

TEST_F(TaskPlan, matrices_decode_to_what_was_read) {
    const auto plan = plan_matrices(write_matrices(640));
    EXPECT_EQ(plan.format, kMatrixFormat);
    const auto decoded = model::MatrixDataset::decode(plan.bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->shape(), (model::MatrixShape{640, 5, 8, 2}));
    EXPECT_EQ(*decoded, *dynamic_cast<const model::MatrixDataset*>(plan.dataset.get()));
}

TEST_F(TaskPlan, the_default_shape_fits_the_matrices) {
    const auto shape = default_shape(plan_matrices(write_matrices(640)));
    EXPECT_EQ(shape.rows, 64);
    EXPECT_EQ(shape.batch, 8);
    EXPECT_EQ(shape.width, 16);
    EXPECT_EQ(shape.value_width, 16);
    EXPECT_EQ(shape.outputs, 16);
    EXPECT_EQ(shape.causal, 0);
    EXPECT_EQ(default_shape(plan_matrices(write_matrices(200))).rows, 16);
    const auto few = plan_matrices(write_matrices(150));
    EXPECT_NE(refusal(ExitCode::chain_spec, [&] { static_cast<void>(default_shape(few)); })
                  .find("150 rows"),
              std::string::npos);
}

// Trains on the held-out score's side of the truth: the rates are neither dead nor diverging.
TEST_F(TaskPlan, the_default_shape_learns) {
    const auto plan = plan_matrices(write_matrices(1280));
    const auto config = chain::to_model(make_shape(plan, {}));
    auto trainer = model::Trainer::create(config, *plan.dataset);
    ASSERT_TRUE(trainer);
    model::Seed seed{};
    auto parameters = model::initial_parameters(config, seed);
    const auto score = [&] { return trainer->evaluate(parameters, 0, 2)->squared_error; };
    const auto before = score();
    for (std::uint8_t unit = 1; unit <= 100; ++unit) {
        seed.fill(unit);
        ASSERT_TRUE(trainer->train_unit(parameters, seed));
    }
    const auto after = score();
    RecordProperty("before", std::to_string(before));
    RecordProperty("after", std::to_string(after));
    EXPECT_LT(after, before / 2) << before << " to " << after << ", shifts "
                                 << int{config.x_rate_shift} << ", " << int{config.y_rate_shift};
}

TEST_F(TaskPlan, choices_override_the_defaults) {
    const auto plan = plan_matrices(write_matrices(1280));
    const auto shape = make_shape(plan, {{"rows", 32}, {"jitter", 5}, {"causal", 1}});
    EXPECT_EQ(shape.rows, 32);
    EXPECT_EQ(shape.batch, 16);
    EXPECT_EQ(shape.jitter, 5);
    EXPECT_EQ(shape.causal, 1);
    EXPECT_EQ(make_shape(plan, {{"rows", 32}, {"batch", 2}}).batch, 2);
}

TEST_F(TaskPlan, refuses_shapes_that_cannot_be_trained) {
    const auto plan = plan_matrices(write_matrices(1280));
    const auto refused = [&](const ShapeChoices& choices) {
        return refusal(ExitCode::usage, [&] { static_cast<void>(make_shape(plan, choices)); });
    };
    EXPECT_EQ(refused({{"rows", 70'000}}), "rows is 70000; it must be 0 to 65535.");
    EXPECT_EQ(refused({{"x_exponent", -200}}), "x_exponent is -200; it must be -128 to 127.");
    for (const ShapeChoices& choices :
         {ShapeChoices{{"rows", 33}}, ShapeChoices{{"rows", 0}}, ShapeChoices{{"jitter", 0}},
          ShapeChoices{{"width", 32}}, ShapeChoices{{"rows", 256}}, ShapeChoices{{"batch", 9}}})
        EXPECT_NE(refused(choices).find("Cannot train such a model"), std::string::npos);
}

TEST(TaskShape, a_configuration_is_one_object_of_known_integers) {
    EXPECT_EQ(parse_shape(R"({"rows": 32, "x_exponent": -8})"),
              (ShapeChoices{{"rows", 32}, {"x_exponent", -8}}));
    for (const auto* wrong : {"", "[]", "{", R"({"row": 32})", R"({"rows": "32"})",
                              R"({"rows": 32.0})", R"({"rows": 1e99})"})
        EXPECT_NE(refusal(ExitCode::usage, [&] { static_cast<void>(parse_shape(wrong)); }),
                  "accepted")
            << wrong;
    const chain::AttentionShape shape = chain::from_model(model::AttentionConfig());
    EXPECT_EQ(to_json(shape).size(), shape_names().size());
}

TEST_F(TaskPlan, a_creation_holds_data_shape_and_terms) {
    const auto plan = plan_text({write_text(20'000)});
    const auto shape = make_shape(plan, {});
    const auto made =
        make_creation(plan, shape, {1000, chain::Amount::of_units(5), chain::Amount::of_coins(2)});
    EXPECT_EQ(made.shape, shape);
    EXPECT_EQ(made.data_format, chain::DataFormat::text);
    EXPECT_EQ(made.data_bytes, plan.bytes.size());
    EXPECT_EQ(made.chunks, plan.chunks);
    EXPECT_EQ(made.unit_budget, 1000U);
    EXPECT_EQ(made.pay_per_hit, chain::Amount::of_units(5));
    EXPECT_EQ(made.escrow, chain::Amount::of_coins(2));
}

}  // namespace
}  // namespace gradient::cli
