#pragma once

#include "chain/consensus/segment_rules.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace gradient::chain {

/// An honest segment that wins, and the tools of somebody who wants another one accepted.
class SegmentFixture : public testing::Test {
  protected:
    SegmentFixture()
        : params_(test::tiny_params()),
          trainer_(test::tiny_trainer()),
          built_(test::tiny_segment(params_, trainer_, 12)),
          tmpl_(built_.segment.tmpl),
          body_(built_.segment.body),
          start_(test::tiny_parameters()),
          targets_(test::tiny_targets(params_)) {}

    SegmentContext context(TicketClass required = TicketClass::hit) const {
        return {start_, targets_, required, nullptr};
    }

    Result<CheckedSegment, SegmentError> check(TicketClass required = TicketClass::hit) const {
        return check_segment(tmpl_, listed_, std::make_shared<const SegmentBody>(body_),
                             context(required), params_);
    }

    // The same for a copy whose header names the honest last digest.
    Result<CheckedSegment, SegmentError> check_named() const {
        SegmentContext named = context(TicketClass::win);
        named.last_digest = &built_.header.last_digest;
        return check_segment(tmpl_, listed_, std::make_shared<const SegmentBody>(body_), named,
                             params_);
    }

    void expect_refused(SegmentError error, TicketClass required = TicketClass::hit) const {
        const std::vector<std::int32_t> before = *start_.parameters;
        const auto checked = check(required);
        ASSERT_FALSE(checked.has_value()) << describe(error);
        EXPECT_EQ(checked.error(), error) << describe(checked.error());
        EXPECT_EQ(*start_.parameters, before);
    }

    // Passes every cheap rule and is found out by a replay.
    void expect_replay_refused(SegmentError error) {
        const auto checked = check();
        ASSERT_TRUE(checked.has_value()) << describe(checked.error());
        const auto proven = verify_segment(*checked, trainer_);
        ASSERT_FALSE(proven.has_value()) << describe(error);
        EXPECT_EQ(proven.error(), error) << describe(proven.error());
        EXPECT_EQ(blame(proven.error()), Consequence::invalid);
    }

    std::vector<Hash256> digests() const {
        return lane_digests(template_hash(tmpl_), start_.state, body_.digests);
    }

    std::vector<std::uint32_t> hits() const {
        std::vector<std::uint32_t> units;
        const auto all = digests();
        for (std::uint32_t unit = 1; unit < all.size(); ++unit) {
            if (targets_.classify(all[unit]) != TicketClass::none) units.push_back(unit);
        }
        return units;
    }

    std::vector<std::uint32_t> guards() const {
        const auto units = hits();
        const std::uint32_t last = units.back();
        return draw_guards(digests()[last], last, units, params_.work.guards);
    }

    std::size_t opening_of(std::uint32_t unit) const {
        for (std::size_t i = 0; i < body_.openings.size(); ++i) {
            if (body_.openings[i].unit == unit) return i;
        }
        CHECK(false);
        return 0;
    }

    // Some unit that is neither hit nor guard.
    std::uint32_t unopened_unit() const {
        std::uint32_t unit = 1;
        const auto opens = [&](const Opening& opening) { return opening.unit == unit; };
        while (std::ranges::any_of(body_.openings, opens)) ++unit;
        CHECK(unit <= body_.units());
        return unit;
    }

    // Signs what the body now says.
    void sign(std::uint8_t key = 7) {
        body_.signature = test::tiny_key(key).sign(
            segment_message(template_hash(tmpl_), body_.units(), digests().back()));
    }

    // What a forger knows of an invented unit.
    struct Invented {
        std::vector<std::int32_t> parameters;
        std::int64_t loss = 0;
        Hash256 gradient;
        Hash256 digest() const { return state_digest(model_digest(parameters), loss, gradient); }
        CodedState coded(const LaneStart& start) const {
            return {loss, gradient, encode_delta(*start.parameters, parameters)};
        }
    };

    // Replaces the body by invented states, the last one drawn until it wins; opens and signs all
    // as the rules ask. states[k] is the state after unit k.
    template <class Draw>
    void forge(std::uint32_t units, Draw draw) {
        std::vector<Invented> states{{*start_.parameters, 0, {}}};
        body_ = {};
        while (body_.units() < units) {
            states.push_back(draw(body_.units() + 1));
            body_.digests.push_back(states.back().digest());
        }
        while (targets_.classify(digests().back()) != TicketClass::win) {
            ++states.back().loss;
            body_.digests.back() = states.back().digest();
        }
        std::vector<std::uint32_t> opened = hits();
        const auto drawn = guards();
        opened.insert(opened.end(), drawn.begin(), drawn.end());
        std::ranges::sort(opened);
        for (const std::uint32_t unit : opened) {
            body_.openings.push_back({unit, states[unit - 1].coded(start_)});
        }
        sign();
    }

    ConsensusParams params_;
    model::Trainer trainer_;
    BuiltSegment built_;
    Template tmpl_;
    std::vector<Hash256> listed_;
    SegmentBody body_;
    LaneStart start_;
    Targets targets_;
};

}  // namespace gradient::chain
