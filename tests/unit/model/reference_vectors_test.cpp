// Every engine against the vectors that the Python reference wrote (tests/vectors/model_*.json,
// described in tests/vectors/README.md): equal to the last bit.

#include "model/task.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <fstream>
#include <sstream>
#include <string>
#include <tuple>

namespace gradient::model {
namespace {

namespace json = boost::json;

template <typename T>
T number(const json::value& value) {
    return value.to_number<T>();
}

template <typename T>
T number(const json::value& object, std::string_view key) {
    return number<T>(object.at(key));
}

std::string hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

Seed seed_of(const json::value& value) {
    const std::string text(value.as_string());
    Seed seed{};
    for (std::size_t i = 0; i < seed.size(); ++i)
        seed[i] = static_cast<std::uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
    return seed;
}

/// SHA-256 of integers as little-endian 32-bit words.
std::string digest(std::span<const std::int32_t> values) {
    std::vector<std::uint8_t> bytes;
    for (const std::int32_t value : values)
        for (int i = 0; i < 4; ++i)
            bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(value) >> 8 * i));
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> result{};
    SHA256(bytes.data(), bytes.size(), result.data());
    return hex(result);
}

AttentionConfig config_of(const json::value& value) {
    AttentionConfig config;
    const auto read = [&value](auto& field, std::string_view key) {
        field = number<std::remove_reference_t<decltype(field)>>(value, key);
    };
    read(config.rows, "rows");
    read(config.width, "width");
    read(config.value_width, "value_width");
    read(config.outputs, "outputs");
    read(config.batch, "batch");
    read(config.steps_per_unit, "steps_per_unit");
    read(config.causal, "causal");
    read(config.x_exponent, "x_exponent");
    read(config.y_exponent, "y_exponent");
    read(config.x_rate_mantissa, "x_rate_mantissa");
    read(config.x_rate_shift, "x_rate_shift");
    read(config.y_rate_mantissa, "y_rate_mantissa");
    read(config.y_rate_shift, "y_rate_shift");
    read(config.jitter, "jitter");
    read(config.x_clip, "x_clip");
    read(config.y_clip, "y_clip");
    read(config.x_init, "x_init");
    EXPECT_EQ(value.as_object().size(), 17U);
    return config;
}

/// The generator of the vectors' data, and its laws.
class Generator {
  public:
    explicit Generator(const json::value& state) : state_(number<std::uint64_t>(state)) {}

    template <typename T>
    void append_row(std::vector<T>& to, const json::value& law, std::size_t columns) {
        const std::string_view draw = law.at("draw").as_string();
        const std::uint64_t hot = draw == "one_hot" ? next() % columns : 0;
        for (std::size_t column = 0; column < columns; ++column) {
            std::int64_t value = 0;
            if (draw == "constant") {
                value = number<std::int64_t>(law, "value");
            } else if (draw == "uniform") {
                const auto amplitude = number<std::uint64_t>(law, "amplitude");
                value = static_cast<std::int64_t>(next() % (2 * amplitude + 1)) -
                        static_cast<std::int64_t>(amplitude);
            } else if (draw == "sign") {
                value = number<std::int64_t>(law, "amplitude") * ((next() & 1) != 0 ? -1 : 1);
            } else if (draw == "one_hot") {
                value = column == hot ? number<std::int64_t>(law, "value") : 0;
            } else {
                ADD_FAILURE() << "unknown draw " << draw;
            }
            to.push_back(static_cast<T>(value));
        }
    }

  private:
    std::uint64_t next() noexcept {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return state_ >> 33;
    }

    std::uint64_t state_;
};

class VectorDataset final : public Dataset {
  public:
    VectorDataset(const AttentionConfig& config, const json::value& description)
        : config_(config), context_rows_(0) {
        if (const auto* rows = description.as_object().if_contains("context_rows"))
            context_rows_ = number<std::uint16_t>(*rows);
        if (description.as_object().contains("generator"))
            draw(description);
        else
            copy(description);
    }

    std::uint16_t width() const noexcept override { return config_.width; }
    std::uint16_t value_width() const noexcept override { return config_.value_width; }
    std::uint16_t outputs() const noexcept override { return config_.outputs; }
    std::uint64_t training_sequences(std::uint16_t /*rows*/) const noexcept override {
        return training_.size();
    }
    std::uint64_t held_out_sequences(std::uint16_t /*rows*/) const noexcept override {
        return held_out_.size();
    }
    std::uint16_t context_rows() const noexcept override { return context_rows_; }
    void fill_training(std::uint64_t index, std::uint16_t /*rows*/, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        fill(training_[index], {a1, a2, a3, b});
    }
    void fill_held_out(std::uint64_t index, std::uint16_t /*rows*/, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        fill(held_out_[index], {a1, a2, a3, b});
    }

    /// A1, A2, A3 and B of a held-out sequence.
    using Sequence = std::array<std::vector<std::int16_t>, 4>;
    const Sequence& held_out(std::size_t index) const { return held_out_[index]; }

  private:
    static constexpr std::array<std::string_view, 4> kNames = {"a1", "a2", "a3", "b"};

    static void fill(const Sequence& from, std::array<std::span<std::int16_t>, 4> to) noexcept {
        for (std::size_t m = 0; m < 4; ++m) std::ranges::copy(from[m], to[m].begin());
    }

    void draw(const json::value& description) {
        Generator generator(description.at("generator"));
        const std::array<std::size_t, 4> columns = {config_.width, config_.width,
                                                    config_.value_width, config_.outputs};
        for (auto* part : {&training_, &held_out_}) {
            part->resize(
                number<std::size_t>(description, part == &training_ ? "training" : "held_out"));
            for (Sequence& sequence : *part)
                for (std::size_t m = 0; m < 4; ++m)
                    for (std::size_t i = 0; i < config_.rows; ++i)
                        generator.append_row(sequence[m], description.at(kNames[m]), columns[m]);
        }
    }

    void copy(const json::value& description) {
        for (auto* part : {&training_, &held_out_})
            for (const json::value& given :
                 description.at(part == &training_ ? "training" : "held_out").as_array()) {
                Sequence sequence;
                for (std::size_t m = 0; m < 4; ++m)
                    for (const json::value& entry : given.at(kNames[m]).as_array())
                        sequence[m].push_back(number<std::int16_t>(entry));
                part->push_back(std::move(sequence));
            }
    }

    AttentionConfig config_;
    std::uint16_t context_rows_;
    std::vector<Sequence> training_, held_out_;
};

std::vector<std::int32_t> parameters_of(const AttentionConfig& config, const json::value& value) {
    if (const auto* seed = value.as_object().if_contains("seed"))
        return initial_parameters(config, seed_of(*seed));
    Generator generator(value.at("generator"));
    std::vector<std::int32_t> parameters;
    for (std::size_t i = 0; i < config.width; ++i)
        generator.append_row(parameters, value.at("x"), config.width);
    for (std::size_t i = 0; i < config.value_width; ++i)
        generator.append_row(parameters, value.at("y"), config.outputs);
    return parameters;
}

void check_unit(Trainer& trainer, const VectorDataset& data, std::vector<std::int32_t>& parameters,
                const json::value& given, const json::value& expected) {
    const auto result = trainer.train_unit(parameters, seed_of(given.at("seed")));
    ASSERT_TRUE(result) << describe(result.error());
    EXPECT_EQ(digest(parameters), expected.at("parameters").as_string());
    EXPECT_EQ(result->loss, number<std::int64_t>(expected, "loss"));
    EXPECT_EQ(hex(result->gradient), expected.at("gradient").as_string());

    const json::array& ranges = given.at("evaluate").as_array();
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const auto evaluation = trainer.evaluate(parameters, number<std::uint64_t>(ranges[i].at(0)),
                                                 number<std::uint64_t>(ranges[i].at(1)));
        ASSERT_TRUE(evaluation) << describe(evaluation.error());
        const json::value& wanted = expected.at("evaluations").at(i);
        EXPECT_EQ(evaluation->rows, number<std::uint64_t>(wanted, "rows"));
        EXPECT_EQ(evaluation->correct, number<std::uint64_t>(wanted, "correct"));
        EXPECT_EQ(evaluation->squared_error, number<std::int64_t>(wanted, "squared_error"));
    }
    const auto& sequence = data.held_out(0);
    const auto outputs = trainer.predict(parameters, sequence[0], sequence[1], sequence[2]);
    ASSERT_TRUE(outputs) << describe(outputs.error());
    EXPECT_EQ(digest(*outputs), expected.at("prediction").as_string());
}

void check_case(const json::value& one, EngineKind engine) {
    const AttentionConfig config = config_of(one.at("config"));
    const json::value& expected = one.at("expected");
    const VectorDataset data(config, one.at("data"));
    std::vector<std::int32_t> parameters = parameters_of(config, one.at("initial"));
    EXPECT_EQ(parameter_count(config), number<std::size_t>(expected, "parameter_count"));
    EXPECT_EQ(unit_work(config), number<std::uint64_t>(expected, "work"));
    EXPECT_EQ(digest(parameters), expected.at("initial").as_string());

    auto trainer = Trainer::create(config, data, engine);
    ASSERT_TRUE(trainer) << describe(trainer.error());
    const json::array& units = one.at("units").as_array();
    for (std::size_t k = 0; k < units.size(); ++k) {
        SCOPED_TRACE("unit " + std::to_string(k));
        check_unit(*trainer, data, parameters, units[k], expected.at("units").at(k));
    }
}

json::value load(const std::string& name) {
    std::ifstream file(std::string(GRADIENT_SOURCE_DIR "/tests/vectors/") + name + ".json");
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_TRUE(file) << "cannot read the vectors " << name;
    return json::parse(text.str());
}

class ReferenceVectors : public testing::TestWithParam<std::tuple<const char*, EngineKind>> {};

TEST_P(ReferenceVectors, agree_to_the_last_bit) {
    const auto& [name, engine] = GetParam();
    const json::value content = load(name);
    for (const json::value& one : content.at("cases").as_array()) {
        SCOPED_TRACE(std::string(one.at("name").as_string()));
        check_case(one, engine);
    }
}

INSTANTIATE_TEST_SUITE_P(Files, ReferenceVectors,
                         testing::Combine(testing::Values("model_small", "model_extreme",
                                                          "model_sweep", "model_default",
                                                          "model_explicit"),
                                          testing::ValuesIn(available_engines())),
                         [](const auto& test) {
                             std::string name = std::get<0>(test.param);
                             name += '_';
                             name += engine_name(std::get<1>(test.param));
                             std::ranges::replace_if(
                                 name, [](char c) { return std::isalnum(c) == 0; }, '_');
                             return name;
                         });

}  // namespace
}  // namespace gradient::model
