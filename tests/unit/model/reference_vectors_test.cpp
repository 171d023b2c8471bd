// Every engine against the vectors that the Python reference wrote (tests/vectors/model_*.json,
// described in tests/vectors/README.md): equal to the last bit.

#include "model/numerics/random_bytes.hpp"
#include "model/task.hpp"
#include "model/text/text_dataset.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <fstream>
#include <sstream>
#include <string>

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

std::string byte_digest(std::span<const std::uint8_t> bytes) {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> result{};
    SHA256(bytes.data(), bytes.size(), result.data());
    return hex(result);
}

/// SHA-256 of integers as little-endian 32-bit words.
std::string digest(std::span<const std::int32_t> values) {
    std::vector<std::uint8_t> bytes;
    for (const std::int32_t value : values)
        for (int i = 0; i < 4; ++i)
            bytes.push_back(static_cast<std::uint8_t>(static_cast<std::uint32_t>(value) >> 8 * i));
    return byte_digest(bytes);
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

    /// The upper 31 bits of the next state.
    std::uint64_t next() noexcept {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return state_ >> 33;
    }

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
    std::uint64_t state_;
};

/// A1, A2, A3 and B.
using Sequence = std::array<std::vector<std::int16_t>, 4>;

Sequence empty_sequence(const AttentionConfig& config) {
    const std::size_t rows = config.rows;
    Sequence sequence;
    sequence[0].resize(rows * config.width);
    sequence[1].resize(rows * config.width);
    sequence[2].resize(rows * config.value_width);
    sequence[3].resize(rows * config.outputs);
    return sequence;
}

Sequence training_sequence(const Dataset& data, const AttentionConfig& config,
                           std::uint64_t index) {
    Sequence s = empty_sequence(config);
    data.fill_training(index, config.rows, s[0], s[1], s[2], s[3]);
    return s;
}

Sequence held_out_sequence(const Dataset& data, const AttentionConfig& config,
                           std::uint64_t index) {
    Sequence s = empty_sequence(config);
    data.fill_held_out(index, config.rows, s[0], s[1], s[2], s[3]);
    return s;
}

class VectorDataset final : public Dataset {
  public:
    VectorDataset(const AttentionConfig& config, const json::value& description) : config_(config) {
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

void check_counts(const MatrixCounts& found, const json::value& expected) {
    EXPECT_EQ(found.parameters, number<std::uint64_t>(expected, "parameters"));
    EXPECT_EQ(found.saturated, number<std::uint64_t>(expected, "saturated"));
    EXPECT_EQ(found.moved, number<std::uint64_t>(expected, "moved"));
    EXPECT_EQ(found.accumulators, number<std::uint64_t>(expected, "accumulators"));
    EXPECT_EQ(found.zero_accumulators, number<std::uint64_t>(expected, "zero_accumulators"));
}

void check_probe(Trainer& trainer, std::span<const std::int32_t> parameters,
                 const json::value& given, const json::value& expected) {
    const auto counts = trainer.probe_unit(parameters, seed_of(given.at("seed")));
    ASSERT_TRUE(counts) << describe(counts.error());
    check_counts(counts->x, expected.at("x"));
    check_counts(counts->y, expected.at("y"));
    EXPECT_EQ(counts->is_healthy(), expected.at("healthy").as_bool());
}

void check_unit(Trainer& trainer, const Dataset& data, std::vector<std::int32_t>& parameters,
                const json::value& given, const json::value& expected) {
    if (given.as_object().contains("probe"))
        check_probe(trainer, parameters, given, expected.at("probe"));
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
    const Sequence sequence = held_out_sequence(data, trainer.config(), 0);
    const auto outputs = trainer.predict(parameters, sequence[0], sequence[1], sequence[2]);
    ASSERT_TRUE(outputs) << describe(outputs.error());
    EXPECT_EQ(digest(*outputs), expected.at("prediction").as_string());
}

void check_case(const json::value& one, const AttentionConfig& config, const Dataset& data,
                EngineKind engine) {
    const json::value& expected = one.at("expected");
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

void check_engines(const json::value& one, const AttentionConfig& config, const Dataset& data) {
    for (const EngineKind engine : available_engines()) {
        SCOPED_TRACE(std::string(engine_name(engine)));
        check_case(one, config, data, engine);
    }
}

void check_file(const std::string& name) {
    const json::value content = load(name);
    for (const json::value& one : content.at("cases").as_array()) {
        SCOPED_TRACE(std::string(one.at("name").as_string()));
        const AttentionConfig config = config_of(one.at("config"));
        check_engines(one, config, VectorDataset(config, one.at("data")));
    }
}

std::vector<std::uint8_t> text_of(const json::value& description) {
    Generator generator(description.at("generator"));
    std::vector<std::uint8_t> text;
    std::vector<std::string> words;
    if (const auto* list = description.as_object().if_contains("words")) {
        std::istringstream all{std::string(list->as_string())};
        for (std::string word; std::getline(all, word, ' ');) words.push_back(word);
    }
    for (auto draws = number<std::uint64_t>(description, "draws"); draws > 0; --draws) {
        if (words.empty()) {
            const auto below = number<std::uint64_t>(description, "below");
            text.push_back(static_cast<std::uint8_t>(generator.next() % below));
            continue;
        }
        const std::string& word = words[generator.next() % words.size()];
        text.insert(text.end(), word.begin(), word.end());
        text.push_back(' ');
    }
    return text;
}

/// The same over narrower integers.
template <typename T>
std::string digest_of(const T& values) {
    return digest(std::vector<std::int32_t>(values.begin(), values.end()));
}

void check_text(const TextDataset& data, const AttentionConfig& config, const json::value& given,
                const json::value& expected) {
    const std::uint64_t training = data.training_sequences(config.rows);
    const std::uint64_t held_out = data.held_out_sequences(config.rows);
    EXPECT_EQ(training, number<std::uint64_t>(expected, "training_sequences"));
    EXPECT_EQ(held_out, number<std::uint64_t>(expected, "held_out_sequences"));
    EXPECT_EQ(byte_digest(data.training_tokens()), expected.at("training_tokens").as_string());
    EXPECT_EQ(byte_digest(data.held_out_tokens()), expected.at("held_out_tokens").as_string());

    const json::array& sequences = given.at("sequences").as_array();
    for (std::size_t k = 0; k < sequences.size(); ++k) {
        const auto index = number<std::uint64_t>(sequences[k]);
        const Sequence trained = training_sequence(data, config, index % training);
        const Sequence scored = held_out_sequence(data, config, index % held_out);
        for (std::size_t m = 0; m < 4; ++m) {
            EXPECT_EQ(digest_of(trained[m]), expected.at("training").at(k).at(m).as_string());
            EXPECT_EQ(digest_of(scored[m]), expected.at("held_out").at(k).at(m).as_string());
        }
    }
    const json::array& prompts = given.at("prompts").as_array();
    for (std::size_t k = 0; k < prompts.size(); ++k) {
        std::vector<std::uint8_t> tokens;
        for (const json::value& token : prompts[k].as_array())
            tokens.push_back(number<std::uint8_t>(token));
        Sequence s = empty_sequence(config);
        data.fill_prompt(tokens, config.rows, s[0], s[1], s[2]);
        for (std::size_t m = 0; m < 3; ++m)
            EXPECT_EQ(digest_of(s[m]), expected.at("prompts").at(k).at(m).as_string());
    }
}

TEST(ReferenceVectors, small_shapes) {
    check_file("model_small");
}

TEST(ReferenceVectors, ends_of_every_format) {
    check_file("model_extreme");
}

TEST(ReferenceVectors, hyper_parameters_over_their_ranges) {
    check_file("model_sweep");
}

TEST(ReferenceVectors, default_shape) {
    check_file("model_default");
}

TEST(ReferenceVectors, data_written_out) {
    check_file("model_explicit");
}

TEST(ReferenceVectors, probe) {
    check_file("model_probe");
}

TEST(ReferenceVectors, text) {
    const json::value content = load("model_text");
    for (const json::value& one : content.at("cases").as_array()) {
        SCOPED_TRACE(std::string(one.at("name").as_string()));
        const AttentionConfig config = config_of(one.at("config"));
        const auto data = TextDataset::create(text_of(one.at("data").at("text")));
        ASSERT_TRUE(data) << describe(data.error());
        check_text(*data, config, one.at("data"), one.at("expected").at("text"));
        check_engines(one, config, *data);
    }
}

TEST(ReferenceVectors, random_streams) {
    const json::value content = load("model_aes");
    for (const json::value& stream : content.at("streams").as_array())
        for (const AesUnit unit : {AesUnit::portable, AesUnit::aes_ni, AesUnit::vaes512}) {
            if (unit > best_aes_unit()) break;
            const RandomBytes random(seed_of(stream.at("seed")), unit);
            const std::string wanted(stream.at("bytes").as_string());
            std::vector<std::uint8_t> drawn((wanted.size() / 2 + 15) / 16 * 16);
            random.fill(static_cast<Stream>(number<std::uint32_t>(stream, "stream")),
                        number<std::uint32_t>(stream, "step"), 0, drawn);
            EXPECT_EQ(hex(drawn).substr(0, wanted.size()), wanted);
        }
}

}  // namespace
}  // namespace gradient::model
