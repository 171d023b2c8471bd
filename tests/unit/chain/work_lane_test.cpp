#include "chain/base/codec.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/segment_builder.hpp"
#include "chain/work/task_model.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

using test::tiny_lane;
using test::tiny_params;

void run_units(Lane& lane, std::uint32_t units, model::Trainer& trainer) {
    for (std::uint32_t i = 0; i < units; ++i) ASSERT_TRUE(lane.step(trainer).has_value());
}

TEST(Lane, runs_the_units_of_the_specification) {
    auto trainer = test::tiny_trainer();
    Lane lane = tiny_lane(tiny_params());
    run_units(lane, 40, trainer);
    std::vector<std::int32_t> parameters = *test::tiny_parameters();
    const Hash256 tmpl = template_hash(lane.tmpl());
    Hash256 digest = lane_digest(tmpl, start_digest(model_digest(parameters)));
    EXPECT_EQ(lane.outcome(0).digest, digest);
    for (std::uint32_t unit = 1; unit <= 40; ++unit) {
        const auto result = trainer.train_unit(parameters, unit_seed(tmpl, unit, digest).bytes);
        ASSERT_TRUE(result.has_value());
        const Hash256 state =
            state_digest(model_digest(parameters), result->loss, gradient_digest(result->gradient));
        digest = unit_digest(tmpl, unit, digest, state);
        EXPECT_EQ(lane.outcome(unit).state, state);
        EXPECT_EQ(lane.outcome(unit).digest, digest);
    }
    EXPECT_TRUE(std::ranges::equal(lane.parameters(), parameters));
    EXPECT_NE(parameters, *test::tiny_parameters());
}

TEST(Lane, differs_from_every_other_lane_from_its_first_unit_on) {
    auto trainer = test::tiny_trainer();
    Lane one = tiny_lane(tiny_params(), 1);
    Lane two = tiny_lane(tiny_params(), 2);
    run_units(one, 1, trainer);
    run_units(two, 1, trainer);
    EXPECT_NE(one.outcome(1).digest, two.outcome(1).digest);
    EXPECT_NE(one.outcome(1).gradient, two.outcome(1).gradient);
}

TEST(Lane, keeps_the_state_before_each_hit) {
    auto trainer = test::tiny_trainer();
    Lane lane = tiny_lane(tiny_params());
    run_units(lane, 60, trainer);
    std::size_t hits = 0;
    for (std::uint32_t unit = 1; unit <= 60; ++unit) {
        if (lane.targets().classify(lane.outcome(unit).digest) == TicketClass::none) continue;
        ASSERT_LT(hits, lane.hits().size());
        EXPECT_EQ(lane.hits()[hits].unit, unit);
        EXPECT_EQ(lane.hits()[hits].before, *lane.state_before(unit, trainer));
        ++hits;
    }
    EXPECT_EQ(lane.hits().size(), hits);
    EXPECT_GT(hits, 2U);
    EXPECT_EQ(lane.last_hit(), lane.hits().back().unit);
}

TEST(Lane, finds_the_state_before_any_unit) {
    auto trainer = test::tiny_trainer();
    Lane lane = tiny_lane(tiny_params());
    run_units(lane, 2 * Lane::kCheckpointInterval + 3, trainer);
    for (std::uint32_t unit = 1; unit <= lane.units(); ++unit) {
        const auto before = lane.state_before(unit, trainer);
        ASSERT_TRUE(before.has_value());
        const auto parameters = decode_delta(*test::tiny_parameters(), before->delta);
        ASSERT_TRUE(parameters.has_value());
        EXPECT_EQ(state_digest(model_digest(*parameters), before->loss, before->gradient),
                  lane.outcome(unit - 1).state);
    }
    EXPECT_EQ(lane.state_before(1, trainer)->delta, Bytes(2, 255));
}

TEST(Lane, is_full_at_each_limit_and_then_does_not_change) {
    auto trainer = test::tiny_trainer();
    const auto fill = [&](const ConsensusParams& params) {
        Lane lane = tiny_lane(params);
        while (!lane.full()) EXPECT_TRUE(lane.step(trainer).has_value());
        const std::uint32_t units = lane.units();
        const auto more = lane.step(trainer);
        EXPECT_FALSE(more.has_value());
        EXPECT_EQ(more.error(), LaneError::full);
        EXPECT_EQ(lane.units(), units);
        return lane;
    };
    ConsensusParams params = tiny_params();
    params.work.max_units = 20;
    EXPECT_EQ(fill(params).units(), 20U);
    params = tiny_params();
    params.work.max_hits = 3;
    EXPECT_EQ(fill(params).hits().size(), 3U);
    params = tiny_params();
    params.work.max_segment_bytes = 20'000;
    const Lane lane = fill(params);
    EXPECT_GT(lane.hits().size(), 3U);
    const auto built = build_segment(lane, test::tiny_key(), trainer);
    EXPECT_LE(encoded_size(built->segment), params.work.max_segment_bytes);
}

TEST(SegmentBuilder, opens_hits_and_guards_and_signs) {
    auto trainer = test::tiny_trainer();
    const ConsensusParams params = tiny_params();
    Lane lane = tiny_lane(params);
    run_units(lane, 50, trainer);
    const auto built = build_segment(lane, test::tiny_key(), trainer);
    ASSERT_TRUE(built.has_value());
    const SegmentBody& body = built->segment.body;
    EXPECT_EQ(body.units(), lane.units());
    EXPECT_EQ(built->hits, lane.hits().size());
    ASSERT_LT(lane.last_hit(), lane.units());
    EXPECT_EQ(body.openings.size(), lane.hits().size() + params.work.guards + 1);
    EXPECT_EQ(body.openings.back().unit, body.units());
    const Hash256 last = lane.outcome(body.units()).digest;
    EXPECT_EQ(built->header, (Header{lane.tmpl(), body.units(), last}));
    EXPECT_TRUE(verify_signature(lane.tmpl().miner,
                                 segment_message(lane.template_hash(), body.units(), last),
                                 body.signature));
    const auto digests = lane_digests(lane.template_hash(), lane.outcome(0).state, body.digests);
    EXPECT_EQ(digests.back(), last);
    EXPECT_EQ(evidence_of(body, digests), built->evidence);
    // the same lane gives the same segment
    EXPECT_EQ(build_segment(lane, test::tiny_key(), trainer)->segment, built->segment);
}

TEST(SegmentBuilder, refuses_a_lane_without_a_hit) {
    auto trainer = test::tiny_trainer();
    const Lane lane = tiny_lane(tiny_params());
    const auto built = build_segment(lane, test::tiny_key(), trainer);
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error(), LaneError::no_hit);
}

TEST(SegmentBuilder, makes_the_shortest_segments) {
    auto trainer = test::tiny_trainer();
    const BuiltSegment one = test::tiny_segment(tiny_params(2), trainer, 1, 1);
    ASSERT_EQ(one.segment.body.openings.size(), 1U);
    EXPECT_EQ(one.segment.body.openings[0].before, (CodedState{0, {}, Bytes(2, 255)}));
    EXPECT_TRUE(one.evidence.previous_digest.is_zero());
    const BuiltSegment two = test::tiny_segment(tiny_params(3), trainer, 2, 2);
    EXPECT_EQ(two.segment.body.openings.size(), 2U);  // a second hit or the one guard that is left
    EXPECT_FALSE(two.evidence.previous_digest.is_zero());
}

TEST(TaskModel, translates_every_member) {
    AttentionShape shape;
    Bytes bytes(AttentionShape::kEncodedSize);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
    shape = *decode_exact<AttentionShape>(bytes);
    EXPECT_EQ(encode(from_model(to_model(shape))), bytes);
    EXPECT_EQ(to_model(from_model(test::tiny_config())), test::tiny_config());
}

TEST(TaskModel, makes_a_data_set_of_text) {
    TaskRecord task;
    task.shape = from_model(model::AttentionConfig{});
    Bytes text(100'000);
    for (std::size_t i = 0; i < text.size(); ++i) {
        text[i] = static_cast<std::uint8_t>('a' + i * i % 23);
    }
    EXPECT_TRUE(make_dataset(task, text).has_value());
    EXPECT_FALSE(make_dataset(task, ByteSpan(text).first(10)).has_value());
    EXPECT_EQ(initial_parameters(task).size(), model::parameter_count(to_model(task.shape)));
    EXPECT_GT(unit_work(task), 0U);
}

}  // namespace
}  // namespace gradient::chain
