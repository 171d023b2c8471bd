#include "chain/base/codec.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/segment_fixture.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

namespace gradient::chain {
namespace {

using SegmentRules = SegmentFixture;

TEST_F(SegmentRules, accept_an_honest_segment) {
    const auto checked = check_named();
    ASSERT_TRUE(checked.has_value()) << describe(checked.error());
    EXPECT_EQ(checked->hits(), hits());
    EXPECT_EQ(checked->id(), segment_id(template_hash(tmpl_), built_.header.last_digest));
    const auto proven = verify_segment(*checked, trainer_);
    ASSERT_TRUE(proven.has_value()) << describe(proven.error());
    EXPECT_EQ(proven->units(), body_.units());
    EXPECT_EQ(proven->hits(), hits().size());
    EXPECT_EQ(proven->units_replayed(), body_.openings.size());
    EXPECT_GT(proven->mean_loss(), 0);
    // theta_K is the lane's
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    for (std::uint32_t i = 0; i < body_.units(); ++i) ASSERT_TRUE(lane.step(trainer_).has_value());
    EXPECT_TRUE(std::ranges::equal(proven->parameters(), lane.parameters()));
}

TEST_F(SegmentRules, accept_a_share_that_ends_in_a_hit) {
    const std::uint32_t last = hits().front();
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    for (std::uint32_t i = 0; i < last; ++i) ASSERT_TRUE(lane.step(trainer_).has_value());
    body_ = build_segment(lane, test::tiny_key(), trainer_)->segment.body;
    ASSERT_EQ(body_.units(), last);
    ASSERT_NE(last, built_.header.units);
    const auto checked = check();
    ASSERT_TRUE(checked.has_value()) << describe(checked.error());
    EXPECT_TRUE(verify_segment(*checked, trainer_).has_value());
    expect_refused(SegmentError::last_unit_no_win, TicketClass::win);
}

TEST_F(SegmentRules, replays_may_come_in_any_order_and_from_several_threads) {
    const auto checked = check();
    ASSERT_TRUE(checked.has_value());
    std::vector<ReplayedUnit> replays;
    std::vector<std::optional<ReplayedUnit>> results(checked->opening_count());
    const auto replay_from = [&](std::size_t first) {
        auto trainer = test::tiny_trainer();
        for (std::size_t i = first; i < results.size(); i += 2) {
            results[i] = *replay_opening(*checked, i, trainer);
        }
    };
    std::thread other(replay_from, 1);
    replay_from(0);
    other.join();
    for (auto& result : results) replays.push_back(*std::move(result));
    const auto proven = prove_segment(*checked, std::move(replays));
    ASSERT_TRUE(proven.has_value());
    EXPECT_EQ(proven->parameters(), verify_segment(*checked, trainer_)->parameters());
}

TEST_F(SegmentRules, accept_nothing_with_a_replay_missing_or_doubled) {
    const auto checked = check();
    ASSERT_TRUE(checked.has_value());
    std::vector<ReplayedUnit> replays;
    for (std::size_t i = 1; i < checked->opening_count(); ++i) {
        replays.push_back(*replay_opening(*checked, i, trainer_));
    }
    EXPECT_EQ(prove_segment(*checked, replays).error(), SegmentError::replay_missing);
    replays.push_back(replays.front());
    EXPECT_EQ(prove_segment(*checked, replays).error(), SegmentError::replay_missing);
    EXPECT_EQ(prove_segment(*checked, {}).error(), SegmentError::replay_missing);
}

// ---------------------------------------------------------------------------------- form and size

TEST_F(SegmentRules, reject_no_units) {
    body_.digests.clear();
    expect_refused(SegmentError::no_units);
}

TEST_F(SegmentRules, reject_too_many_units) {
    params_.work.max_units = body_.units() - 1;
    expect_refused(SegmentError::too_many_units);
}

TEST_F(SegmentRules, reject_too_many_openings) {
    // One place more than hits and guards is the last unit's.
    params_.work.max_hits = static_cast<std::uint32_t>(hits().size()) - 2;
    expect_refused(SegmentError::too_many_openings);
}

TEST_F(SegmentRules, reject_too_many_hits) {
    params_.work.max_hits = static_cast<std::uint32_t>(hits().size()) - 1;
    body_.openings.pop_back();
    expect_refused(SegmentError::too_many_hits);
}

TEST_F(SegmentRules, reject_too_many_bytes) {
    const std::size_t size = encoded_size(built_.segment);
    params_.work.max_segment_bytes = static_cast<std::uint32_t>(size);
    EXPECT_TRUE(check().has_value());
    --params_.work.max_segment_bytes;
    expect_refused(SegmentError::too_large);
}

TEST_F(SegmentRules, reject_an_opening_twice) {
    body_.openings.insert(body_.openings.begin(), body_.openings.front());
    expect_refused(SegmentError::opening_order);
}

TEST_F(SegmentRules, reject_openings_out_of_order) {
    std::swap(body_.openings[0], body_.openings[1]);
    expect_refused(SegmentError::opening_order);
}

TEST_F(SegmentRules, reject_openings_of_units_that_do_not_exist) {
    body_.openings.back().unit = body_.units() + 1;
    expect_refused(SegmentError::opening_out_of_range);
    body_.openings.front().unit = 0;
    expect_refused(SegmentError::opening_out_of_range);
}

TEST_F(SegmentRules, look_for_units_that_do_not_exist_before_the_order) {
    std::swap(body_.openings[0], body_.openings[1]);
    body_.openings.back().unit = body_.units() + 1;
    expect_refused(SegmentError::opening_out_of_range);
}

TEST_F(SegmentRules, reject_a_list_that_is_not_the_settle_root_s) {
    listed_ = {test::hash_of(1)};
    expect_refused(SegmentError::wrong_list);
}

// ------------------------------------------------------------------------- digests and signatures

TEST_F(SegmentRules, reject_an_altered_digest) {
    for (const std::size_t unit : {std::size_t{0}, body_.digests.size() / 2}) {
        body_ = built_.segment.body;
        body_.digests[unit].bytes[7] ^= 1;
        EXPECT_EQ(check_named().error(), SegmentError::wrong_last_digest);
        expect_refused(SegmentError::bad_signature);
    }
}

TEST_F(SegmentRules, reject_a_digest_left_out_or_added) {
    body_.digests.erase(body_.digests.begin());
    body_.openings.pop_back();
    EXPECT_EQ(check_named().error(), SegmentError::wrong_last_digest);
    body_ = built_.segment.body;
    body_.digests.push_back(test::hash_of(9));
    EXPECT_EQ(check_named().error(), SegmentError::wrong_last_digest);
}

TEST_F(SegmentRules, reject_every_altered_byte_of_the_signature) {
    for (std::size_t i = 0; i < body_.signature.bytes.size(); ++i) {
        body_.signature.bytes[i] ^= 0x10;
        expect_refused(SegmentError::bad_signature);
        body_.signature.bytes[i] ^= 0x10;
    }
    sign(8);
    expect_refused(SegmentError::bad_signature);
}

TEST_F(SegmentRules, reject_a_segment_copied_under_another_key) {
    tmpl_.miner = test::tiny_key(8).public_key();
    expect_refused(SegmentError::bad_signature);
    EXPECT_EQ(check_named().error(), SegmentError::wrong_last_digest);
    // The thief signs, and tries lanes until the stolen digests happen to win and to open rightly
    // often enough; no replay ever agrees.
    int tried = 0;
    for (tmpl_.lane = 0; tried < 3; ++tmpl_.lane) {
        sign(8);
        if (const auto checked = check()) {
            ++tried;
            EXPECT_EQ(verify_segment(*checked, trainer_).error(), SegmentError::replay_differs);
        }
        body_.openings.clear();
        const auto units = hits();
        if (units.empty() || units.back() != body_.units()) continue;
        // open what can be opened: the honest miner's openings and nothing else
        auto wanted = units;
        const auto drawn = guards();
        wanted.insert(wanted.end(), drawn.begin(), drawn.end());
        std::ranges::sort(wanted);
        Lane lane(built_.segment.tmpl, {}, start_, targets_, params_.work);
        for (std::uint32_t i = 0; i < body_.units(); ++i) (void)lane.step(trainer_);
        for (const std::uint32_t unit : wanted) {
            body_.openings.push_back({unit, *lane.state_before(unit, trainer_)});
        }
        sign(8);
        const auto checked = check();
        if (!checked) continue;
        ++tried;
        EXPECT_EQ(verify_segment(*checked, trainer_).error(), SegmentError::replay_differs);
    }
}

TEST_F(SegmentRules, reject_a_segment_moved_to_another_template) {
    ++tmpl_.lane;
    EXPECT_EQ(check_named().error(), SegmentError::wrong_last_digest);
    expect_refused(SegmentError::bad_signature);
}

TEST_F(SegmentRules, reject_a_segment_from_another_start) {
    start_ = LaneStart(test::tiny_parameters(2));
    EXPECT_EQ(check_named().error(), SegmentError::wrong_last_digest);
}

// ----------------------------------------------------------------------------- tickets and
// openings

TEST_F(SegmentRules, accept_units_after_the_last_hit) {
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    while (lane.last_hit() == 0 || lane.last_hit() == lane.units()) {
        ASSERT_TRUE(lane.step(trainer_).has_value());
    }
    body_ = build_segment(lane, test::tiny_key(), trainer_)->segment.body;
    const auto checked = check();
    ASSERT_TRUE(checked.has_value()) << describe(checked.error());
    EXPECT_EQ(checked->paid_units(), lane.last_hit());
    const auto proven = verify_segment(*checked, trainer_);
    ASSERT_TRUE(proven.has_value()) << describe(proven.error());
    EXPECT_EQ(proven->units(), lane.units());
    EXPECT_TRUE(std::ranges::equal(proven->parameters(), lane.parameters()));
}

TEST_F(SegmentRules, reject_a_last_unit_that_is_not_opened) {
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    while (lane.last_hit() == 0 || lane.last_hit() == lane.units()) {
        ASSERT_TRUE(lane.step(trainer_).has_value());
    }
    body_ = build_segment(lane, test::tiny_key(), trainer_)->segment.body;
    body_.openings.pop_back();
    expect_refused(SegmentError::missing_last_unit);
}

TEST_F(SegmentRules, reject_an_invented_tail) {
    // A unit after the last hit that was never run: its replay shows it.
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    while (lane.last_hit() == 0 || lane.last_hit() == lane.units()) {
        ASSERT_TRUE(lane.step(trainer_).has_value());
    }
    body_ = build_segment(lane, test::tiny_key(), trainer_)->segment.body;
    body_.digests.back().bytes[0] ^= 1;
    if (targets_.classify(digests().back()) != TicketClass::none) GTEST_SKIP();
    sign();
    expect_replay_refused(SegmentError::replay_differs);
}

TEST_F(SegmentRules, reject_a_segment_without_a_hit) {
    const auto units = hits();
    body_.digests.resize(units.front() - 1);
    ASSERT_FALSE(body_.digests.empty());
    std::erase_if(body_.openings,
                  [&](const Opening& opening) { return opening.unit > body_.units(); });
    sign();
    expect_refused(SegmentError::no_hit);
}

TEST_F(SegmentRules, reject_each_hit_that_is_not_opened) {
    for (const std::uint32_t unit : hits()) {
        body_ = built_.segment.body;
        body_.openings.erase(body_.openings.begin() +
                             static_cast<std::ptrdiff_t>(opening_of(unit)));
        expect_refused(SegmentError::missing_hit);
    }
}

TEST_F(SegmentRules, reject_each_guard_that_is_not_opened) {
    const auto drawn = guards();
    ASSERT_EQ(drawn.size(), 2U);
    for (const std::uint32_t unit : drawn) {
        body_ = built_.segment.body;
        body_.openings.erase(body_.openings.begin() +
                             static_cast<std::ptrdiff_t>(opening_of(unit)));
        expect_refused(SegmentError::missing_guard);
    }
}

TEST_F(SegmentRules, reject_another_guard_than_the_drawn) {
    const std::uint32_t other = unopened_unit();
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    for (std::uint32_t i = 0; i < body_.units(); ++i) ASSERT_TRUE(lane.step(trainer_).has_value());
    body_.openings[opening_of(guards()[0])] = {other, *lane.state_before(other, trainer_)};
    std::ranges::sort(body_.openings, {}, &Opening::unit);
    expect_refused(SegmentError::missing_guard);
}

TEST_F(SegmentRules, reject_an_invented_hit) {
    const std::uint32_t other = unopened_unit();
    Lane lane(tmpl_, {}, start_, targets_, params_.work);
    for (std::uint32_t i = 0; i < body_.units(); ++i) ASSERT_TRUE(lane.step(trainer_).has_value());
    body_.openings.push_back({other, *lane.state_before(other, trainer_)});
    std::ranges::sort(body_.openings, {}, &Opening::unit);
    expect_refused(SegmentError::unexpected_opening);
}

TEST_F(SegmentRules, reject_every_alteration_of_every_opening) {
    for (std::size_t i = 0; i < body_.openings.size(); ++i) {
        CodedState& before = body_.openings[i].before;
        const CodedState honest = before;
        before.loss ^= 1;
        expect_refused(SegmentError::opening_differs);
        before = honest;
        before.gradient.bytes[16] ^= 1;
        expect_refused(SegmentError::opening_differs);
        before = honest;
        auto parameters = *decode_delta(*start_.parameters, before.delta);
        parameters.back() ^= 1;
        before.delta = encode_delta(*start_.parameters, parameters);
        expect_refused(SegmentError::opening_differs);
        before = honest;
        before.delta.push_back(0);
        expect_refused(SegmentError::bad_delta);
        before = honest;
        before.delta.pop_back();
        expect_refused(SegmentError::bad_delta);
        before = honest;
    }
    EXPECT_TRUE(check().has_value());
}

TEST_F(SegmentRules, reject_states_exchanged_between_openings) {
    std::swap(body_.openings[0].before, body_.openings[1].before);
    expect_refused(SegmentError::opening_differs);
}

// ------------------------------------------------------------------------------------- replays

TEST_F(SegmentRules, reject_random_matrices_in_place_of_training) {
    std::mt19937_64 random(1);
    for (const std::uint32_t units : {1U, 2U, 3U, 40U}) {
        forge(units, [&](std::uint32_t) {
            Invented state{*start_.parameters, static_cast<std::int64_t>(random() >> 20), {}};
            for (auto& entry : state.parameters) {
                entry += static_cast<std::int32_t>(random() % 2001) - 1000;
            }
            state.gradient = test::hash_of(static_cast<std::uint8_t>(random()));
            return state;
        });
        expect_replay_refused(SegmentError::replay_differs);
    }
}

TEST_F(SegmentRules, reject_units_that_change_nothing) {
    forge(20, [&](std::uint32_t) { return Invented{*start_.parameters, 0, {}}; });
    expect_replay_refused(SegmentError::replay_differs);
}

TEST_F(SegmentRules, reject_a_model_digest_off_by_one_bit) {
    // A real unit whose digest commits to its true parameters but for one bit.
    for (tmpl_.lane = 0;; ++tmpl_.lane) {
        Lane lane(tmpl_, {}, start_, targets_, params_.work);
        ASSERT_TRUE(lane.step(trainer_).has_value());
        Hash256 root = model_digest(lane.parameters());
        root.bytes[31] ^= 1;
        body_ = {};
        body_.digests = {state_digest(root, lane.outcome(1).loss, lane.outcome(1).gradient)};
        if (targets_.classify(digests().back()) == TicketClass::win) break;
    }
    body_.openings = {{1, {0, {}, encode_delta(*start_.parameters, *start_.parameters)}}};
    sign();
    expect_replay_refused(SegmentError::replay_differs);
}

TEST_F(SegmentRules, reject_a_state_that_can_not_be_trained) {
    forge(2, [&](std::uint32_t) {
        Invented state{*start_.parameters, 0, {}};
        state.parameters[3] = std::numeric_limits<std::int32_t>::max();
        return state;
    });
    expect_replay_refused(SegmentError::untrainable_state);
}

TEST_F(SegmentRules, find_a_forger_with_one_replay) {
    forge(30, [&](std::uint32_t unit) {
        return Invented{*start_.parameters, std::int64_t{unit}, {}};
    });
    const auto checked = check();
    ASSERT_TRUE(checked.has_value());
    // unit K's opening is the last one and is replayed first
    EXPECT_EQ(checked->body().openings.back().unit, 30U);
    EXPECT_EQ(replay_opening(*checked, checked->opening_count() - 1, trainer_).error(),
              SegmentError::replay_differs);
}

// ----------------------------------------------------------------------------------- edge cases

TEST_F(SegmentRules, accept_the_shortest_segments) {
    for (const std::uint32_t units : {1U, 2U, 3U}) {
        params_ = test::tiny_params(2);
        targets_ = test::tiny_targets(params_);
        const BuiltSegment shortest = test::tiny_segment(params_, trainer_, units, units);
        tmpl_ = shortest.segment.tmpl;
        body_ = shortest.segment.body;
        const auto checked = check(TicketClass::win);
        ASSERT_TRUE(checked.has_value()) << describe(checked.error());
        EXPECT_TRUE(verify_segment(*checked, trainer_).has_value());
    }
}

TEST_F(SegmentRules, accept_a_segment_of_nothing_but_hits) {
    params_ = test::tiny_params(0);
    targets_ = test::tiny_targets(params_);
    Lane lane(test::tiny_template(params_), {}, start_, targets_, params_.work);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(lane.step(trainer_).has_value());
    const auto built = build_segment(lane, test::tiny_key(), trainer_);
    tmpl_ = built->segment.tmpl;
    body_ = built->segment.body;
    EXPECT_EQ(body_.openings.size(), 5U);
    const auto checked = check(TicketClass::win);
    ASSERT_TRUE(checked.has_value()) << describe(checked.error());
    EXPECT_TRUE(verify_segment(*checked, trainer_).has_value());
}

TEST_F(SegmentRules, a_segment_survives_the_wire) {
    const auto decoded = decode_exact<Segment>(encode(built_.segment));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, built_.segment);
}

}  // namespace
}  // namespace gradient::chain
