// The settlement against the vectors that a second implementation wrote from chain/SPEC.md section
// 17 (tests/reference/check_settlement.py).

#include "chain/base/codec.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/settlement.hpp"
#include "tests/support/settlement_case.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

namespace json = boost::json;

using Parameters = std::vector<std::int32_t>;

const json::object& vectors() {
    static const json::value parsed = [] {
        std::ifstream file(std::string(GRADIENT_SOURCE_DIR) + "/tests/vectors/settlement.json");
        std::stringstream text;
        text << file.rdbuf();
        return json::parse(text.str());
    }();
    return parsed.as_object();
}

template <class T>
T number(const json::value& object, std::string_view key) {
    return object.at(key).to_number<T>();
}

template <class T>
std::vector<T> list(const json::value& value) {
    std::vector<T> numbers;
    for (const json::value& entry : value.as_array()) numbers.push_back(entry.to_number<T>());
    return numbers;
}

std::string text(const json::value& value) {
    return std::string(value.as_string());
}

SettlementRules rules_of(const json::value& given) {
    return {number<std::uint32_t>(given, "full_units"),
            number<std::uint64_t>(given, "initial_displacement")};
}

test::OwnedRound round_of(const json::value& segments) {
    test::OwnedRound round;
    for (const json::value& segment : segments.as_array()) {
        round.add(
            number<std::uint32_t>(segment, "hits"), number<std::uint32_t>(segment, "paid_units"),
            number<std::uint32_t>(segment, "lateness"), list<std::int32_t>(segment.at("delta")));
    }
    return round;
}

// All zeros and empty are the same momentum; ours is the empty one.
Parameters momentum_of(const json::value& given) {
    auto momentum = list<std::int32_t>(given);
    if (std::ranges::count(momentum, 0) == std::ssize(momentum)) momentum.clear();
    return momentum;
}

void expect_chain(const json::value& given) {
    SettledRound state{list<std::int32_t>(given.at("theta")), {}, {}};
    const auto& rounds = given.at("rounds").as_array();
    for (std::size_t i = 0; i < rounds.size(); ++i) {
        const test::OwnedRound round = round_of(rounds[i]);
        state = settle_round(state.theta, state.momentum, state.history, round.segments,
                             rules_of(given));
        const json::value& expected = given.at("expected").at(i);
        const Bytes history = encode(state.history);
        EXPECT_EQ(state.theta, list<std::int32_t>(expected.at("theta"))) << i;
        EXPECT_EQ(state.momentum, momentum_of(expected.at("momentum"))) << i;
        EXPECT_EQ(sha256(history).to_hex(), text(expected.at("history_sha256"))) << i;
        EXPECT_EQ(decode_exact<SettlementHistory>(history), state.history) << i;
    }
    EXPECT_EQ(to_hex(encode(state.history)), text(given.at("history")));
}

TEST(SettlementVectors, chains_of_rounds) {
    for (const json::value& given : vectors().at("chains").as_array()) {
        SCOPED_TRACE(text(given.at("name")));
        expect_chain(given);
    }
}

// The generator of tests/vectors/README.md.
class Generator {
  public:
    explicit Generator(std::uint64_t state) : state_(state) {}

    Parameters draw(std::size_t count, std::int64_t amplitude) {
        Parameters drawn(count);
        for (std::int32_t& entry : drawn) {
            state_ = state_ * 6364136223846793005U + 1442695040888963407U;
            const auto bits = static_cast<std::int64_t>(state_ >> 33U);
            entry = static_cast<std::int32_t>(bits % (2 * amplitude + 1) - amplitude);
        }
        return drawn;
    }

  private:
    std::uint64_t state_;
};

TEST(SettlementVectors, a_round_of_many_parameters) {
    const json::value& given = vectors().at("wide");
    const json::value& expected = given.at("expected");
    const auto size = number<std::size_t>(given, "size");
    Generator generator(number<std::uint64_t>(given, "generator"));
    test::OwnedRound round;
    for (std::uint32_t j = 0; j < number<std::uint32_t>(given, "count"); ++j) {
        const std::int64_t times = j == 5 ? 41 : 1;
        round.add(1 + j, 40 * (j + 1), j % 4,
                  generator.draw(size, times * number<std::int64_t>(given, "amplitude")));
    }
    const Parameters theta = generator.draw(size, kParameterLimit);
    const Parameters momentum = generator.draw(size, kDeltaLimit);
    const SettledRound settled = settle_round(theta, momentum, {}, round.segments, rules_of(given));
    EXPECT_EQ(sha256(encode_parameters(settled.theta)).to_hex(), text(expected.at("theta")));
    EXPECT_EQ(sha256(encode_parameters(settled.momentum)).to_hex(), text(expected.at("momentum")));
    EXPECT_EQ(to_hex(encode(settled.history)), text(expected.at("history")));
}

TEST(SettlementVectors, acceptable_steps) {
    for (const json::value& given : vectors().at("steps").as_array()) {
        EXPECT_EQ(step_is_acceptable(number<std::int64_t>(given, "after"),
                                     number<std::int64_t>(given, "reference")),
                  given.at("acceptable").as_bool())
            << given;
    }
}

}  // namespace
}  // namespace gradient::chain
