// The work chain against the vectors that a second implementation wrote from chain/SPEC.md
// (tests/reference/check_work_chain.py).

#include "chain/base/codec.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/reward.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/targets.hpp"
#include "tests/support/tiny_chain.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace gradient::chain {
namespace {

namespace json = boost::json;

const json::object& vectors() {
    static const json::value parsed = [] {
        std::ifstream file(std::string(GRADIENT_SOURCE_DIR) + "/tests/vectors/work_chain.json");
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

std::string text(const json::value& value) {
    return std::string(value.as_string());
}

Hash256 hash(const json::value& value) {
    const auto read = Hash256::from_hex(text(value));
    CHECK(read);
    return *read;
}

template <class T>
std::vector<T> list(const json::value& value) {
    std::vector<T> numbers;
    for (const json::value& entry : value.as_array()) numbers.push_back(entry.to_number<T>());
    return numbers;
}

Template read_template(const json::value& given) {
    Template tmpl;
    tmpl.version = number<std::uint32_t>(given, "version");
    tmpl.height = number<std::uint64_t>(given, "height");
    tmpl.parent = hash(given.at("parent"));
    tmpl.time_ms = number<std::uint64_t>(given, "time_ms");
    tmpl.bits = number<std::uint32_t>(given, "bits");
    tmpl.settle_root = hash(given.at("settle_root"));
    tmpl.transaction_root = hash(given.at("transaction_root"));
    tmpl.state_root = hash(given.at("state_root"));
    tmpl.history_root = hash(given.at("history_root"));
    tmpl.task = number<std::uint32_t>(given, "task");
    tmpl.miner.bytes = hash(given.at("miner")).bytes;
    tmpl.lane = number<std::uint32_t>(given, "lane");
    return tmpl;
}

void expect_openings(const Lane& lane, const json::value& expected, model::Trainer& trainer) {
    const auto last = number<std::uint32_t>(expected, "units");
    auto units = list<std::uint32_t>(expected.at("hits"));
    const auto guards = draw_guards(lane.outcome(last).digest, last, units, lane.params().guards);
    units.insert(units.end(), guards.begin(), guards.end());
    std::ranges::sort(units);
    ASSERT_EQ(expected.at("openings").as_array().size(), units.size());
    std::size_t at = 0;
    for (const json::value& opening : expected.at("openings").as_array()) {
        ASSERT_EQ(number<std::uint32_t>(opening, "unit"), units[at]);
        const auto before = lane.state_before(units[at++], trainer);
        EXPECT_EQ(before->loss, number<std::int64_t>(opening, "loss"));
        EXPECT_EQ(before->gradient, hash(opening.at("gradient")));
        EXPECT_EQ(to_hex(before->delta), text(opening.at("delta")));
    }
}

TEST(WorkVectors, a_lane_and_its_segment) {
    const json::value& given = vectors().at("lane");
    const json::value& expected = given.at("expected");
    WorkParams params;
    params.hits_per_win = number<std::uint32_t>(given.at("params"), "hits_per_win");
    params.units_per_hit = number<std::uint32_t>(given.at("params"), "units_per_hit");
    params.guards = number<std::uint32_t>(given.at("params"), "guards");
    const Template tmpl = read_template(given.at("template"));
    const Targets targets =
        targets_for(*from_compact(tmpl.bits), model::unit_work(test::tiny_config()), params);
    auto trainer = test::tiny_trainer();
    Lane lane(tmpl, {}, test::tiny_parameters(1), targets, params);
    for (int i = 0; i < number<int>(given, "units_run"); ++i) {
        ASSERT_TRUE(lane.step(trainer).has_value());
    }
    const std::uint32_t last = lane.last_hit();
    EXPECT_EQ(last, number<std::uint32_t>(expected, "units"));
    EXPECT_EQ(lane.template_hash(), hash(expected.at("template_hash")));
    EXPECT_EQ(lane.outcome(0).digest, hash(expected.at("digests").at(0)));
    for (std::uint32_t unit = 1; unit <= last; ++unit) {
        EXPECT_EQ(lane.outcome(unit).state, hash(expected.at("states").at(unit - 1))) << unit;
        EXPECT_EQ(lane.outcome(unit).digest, hash(expected.at("digests").at(unit))) << unit;
    }
    std::vector<std::uint32_t> hits;
    for (const Opening& hit : lane.hits()) hits.push_back(hit.unit);
    EXPECT_EQ(hits, list<std::uint32_t>(expected.at("hits")));
    expect_openings(lane, expected, trainer);
    const Hash256& digest = lane.outcome(last).digest;
    EXPECT_EQ(header_id({tmpl, last, digest}), hash(expected.at("header_id")));
    EXPECT_EQ(segment_id(lane.template_hash(), digest), hash(expected.at("segment_id")));
    EXPECT_EQ(segment_message(lane.template_hash(), last, digest), hash(expected.at("message")));
}

TEST(WorkVectors, differences) {
    for (const json::value& given : vectors().at("deltas").as_array()) {
        const auto base = list<std::int32_t>(given.at("base"));
        const auto value = list<std::int32_t>(given.at("value"));
        const Bytes coded = encode_delta(base, value);
        EXPECT_EQ(to_hex(coded), text(given.at("coded")));
        EXPECT_EQ(*decode_delta(base, coded), value);
    }
}

TEST(WorkVectors, guards) {
    for (const json::value& given : vectors().at("guards").as_array()) {
        EXPECT_EQ(draw_guards(hash(given.at("digest")), number<std::uint32_t>(given, "units"),
                              list<std::uint32_t>(given.at("hits")),
                              number<std::uint32_t>(given, "count")),
                  list<std::uint32_t>(given.at("guards")));
    }
}

TEST(WorkVectors, targets_work_and_pay) {
    ConsensusParams params;
    for (const json::value& given : vectors().at("targets").as_array()) {
        const auto bits = number<std::uint32_t>(given, "bits");
        const Targets targets =
            targets_for(*from_compact(bits), number<std::uint64_t>(given, "work"), params.work);
        EXPECT_EQ(targets.win.to_hex(), text(given.at("win")));
        EXPECT_EQ(targets.hit.to_hex(), text(given.at("hit")));
        EXPECT_EQ(block_work(bits).to_hex(), text(given.at("block_work")));
        EXPECT_EQ(hit_reward(params, params.halving_blocks, targets).units(),
                  number<std::uint64_t>(given, "hit_reward"));
        EXPECT_EQ(segment_reward(params, 1, targets, 13, 100).units(),
                  number<std::uint64_t>(given, "segment_reward"));
    }
}

TEST(WorkVectors, difficulty) {
    const json::value& given = vectors().at("difficulty");
    ConsensusParams params;
    params.anchor = {number<std::uint64_t>(given, "anchor_time"),
                     number<std::uint32_t>(given, "anchor_bits")};
    params.interval_ms = number<std::uint64_t>(given, "interval");
    params.half_life_ms = number<std::uint64_t>(given, "half_life");
    params.max_bits = number<std::uint32_t>(given, "easiest");
    for (const json::value& one : given.at("cases").as_array()) {
        const auto height = number<std::uint64_t>(one, "height");
        const auto time = number<std::uint64_t>(one, "time");
        EXPECT_EQ(next_bits(params, height, time), number<std::uint32_t>(one, "bits"))
            << height << ' ' << time;
    }
}

}  // namespace
}  // namespace gradient::chain
