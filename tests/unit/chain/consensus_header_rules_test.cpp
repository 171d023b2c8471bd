#include "chain/consensus/difficulty.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gradient::chain {
namespace {

// A network, a header that won on it, and how to change one thing at a time.
class HeaderRules : public testing::Test {
  protected:
    HeaderRules()
        : params_(test::tiny_params()),
          parent_(test::tiny_parent(params_)),
          trainer_(test::tiny_trainer()),
          built_(test::tiny_segment(params_, trainer_, 3)),
          start_(test::tiny_parameters()) {}

    std::uint64_t now() const { return built_.header.tmpl.time_ms; }

    // Lets the changed template's lane claim a winning digest, as a forger would, so that only the
    // rule in question can refuse it.
    Header changed(const std::function<void(Template&)>& change) const {
        Header header = built_.header;
        change(header.tmpl);
        return header;
    }

    void expect_refused(const Header& header, HeaderError error) {
        const ConsensusParams params = params_;
        const auto checked = validate_header(header, parent_, params_, now());
        ASSERT_FALSE(checked.has_value()) << describe(error);
        EXPECT_EQ(checked.error(), error) << describe(checked.error());
        EXPECT_EQ(params, params_);
    }

    CheckedHeader checked(const Header& header) const {
        const auto result = validate_header(header, parent_, params_, now());
        CHECK(result);
        return *result;
    }

    void expect_unproved(const Header& header, const std::optional<WorkEvidence>& evidence,
                         HeaderError error) {
        const std::vector<std::int32_t> before = *start_.parameters;
        const auto proven = verify_evidence(checked(header), evidence, start_, trainer_);
        ASSERT_FALSE(proven.has_value()) << describe(error);
        EXPECT_EQ(proven.error(), error) << describe(proven.error());
        EXPECT_EQ(*start_.parameters, before);
    }

    ConsensusParams params_;
    ParentContext parent_;
    model::Trainer trainer_;
    BuiltSegment built_;
    LaneStart start_;
};

TEST_F(HeaderRules, accept_an_honest_header_and_its_evidence) {
    const auto header = validate_header(built_.header, parent_, params_, now());
    ASSERT_TRUE(header.has_value()) << describe(header.error());
    EXPECT_EQ(header->id(), header_id(built_.header));
    EXPECT_EQ(header->template_hash(), template_hash(built_.header.tmpl));
    EXPECT_EQ(header->targets(), test::tiny_targets(params_));
    EXPECT_EQ(header->work(), block_work(built_.header.tmpl.bits));
    const auto proven = verify_evidence(*header, built_.evidence, start_, trainer_);
    ASSERT_TRUE(proven.has_value()) << describe(proven.error());
    EXPECT_EQ(proven->id(), header->id());
    EXPECT_NE(proven->parameters(), *start_.parameters);
}

TEST_F(HeaderRules, reject_unknown_version) {
    expect_refused(changed([](Template& t) { t.version = 2; }), HeaderError::unknown_version);
}

TEST_F(HeaderRules, reject_genesis_height) {
    expect_refused(changed([](Template& t) { t.height = 0; }), HeaderError::genesis_height);
}

TEST_F(HeaderRules, reject_no_units_and_too_many) {
    Header header = built_.header;
    header.units = 0;
    expect_refused(header, HeaderError::no_units);
    header.units = params_.work.max_units + 1;
    expect_refused(header, HeaderError::too_many_units);
}

TEST_F(HeaderRules, reject_targets_that_are_none) {
    expect_refused(changed([](Template& t) { t.bits = 0; }), HeaderError::bad_target);
    expect_refused(changed([](Template& t) { t.bits |= 0x800000; }), HeaderError::bad_target);
    params_.max_bits = to_compact(*from_compact(params_.anchor.bits) >> 1);
    expect_refused(built_.header, HeaderError::bad_target);
}

TEST_F(HeaderRules, reject_wrong_parent) {
    expect_refused(changed([](Template& t) { t.parent.bytes[0] ^= 1; }), HeaderError::wrong_parent);
}

TEST_F(HeaderRules, reject_wrong_height) {
    expect_refused(changed([](Template& t) { ++t.height; }), HeaderError::wrong_height);
}

TEST_F(HeaderRules, reject_time_not_after_parent) {
    const std::uint64_t time = parent_.time_ms;
    expect_refused(changed([&](Template& t) { t.time_ms = time; }),
                   HeaderError::time_not_after_parent);
    expect_refused(changed([](Template& t) { t.time_ms = 0; }), HeaderError::time_not_after_parent);
}

TEST_F(HeaderRules, reject_bits_off_schedule) {
    expect_refused(changed([](Template& t) { ++t.bits; }), HeaderError::wrong_bits);
    expect_refused(changed([](Template& t) { t.bits = 0x1f00ffff; }), HeaderError::wrong_bits);
    // the parent's time alone decides: a later parent asks for an easier target
    parent_.time_ms += 1'000;
    expect_refused(built_.header, HeaderError::wrong_bits);
}

TEST_F(HeaderRules, reject_wrong_history_root) {
    expect_refused(changed([](Template& t) { t.history_root.bytes[31] ^= 128; }),
                   HeaderError::wrong_history_root);
}

TEST_F(HeaderRules, reject_wrong_task) {
    expect_refused(changed([](Template& t) { t.task = 1; }), HeaderError::wrong_task);
}

TEST_F(HeaderRules, reject_ticket_above_target) {
    Header header = built_.header;
    while (test::tiny_targets(params_).classify(header.last_digest) == TicketClass::win) {
        ++header.last_digest.bytes[0];
    }
    expect_refused(header, HeaderError::ticket_above_target);
    EXPECT_EQ(check_claim(header, parent_.unit_work, params_).error(),
              HeaderError::ticket_above_target);
    // a task whose units cost less wins less often
    EXPECT_TRUE(check_claim(built_.header, parent_.unit_work, params_).has_value());
    EXPECT_FALSE(check_claim(built_.header, 1, params_).has_value());
}

TEST_F(HeaderRules, hold_a_time_too_far_ahead) {
    const std::uint64_t limit = built_.header.tmpl.time_ms - params_.max_future_ms;
    EXPECT_TRUE(validate_header(built_.header, parent_, params_, limit).has_value());
    const auto early = validate_header(built_.header, parent_, params_, limit - 1);
    ASSERT_FALSE(early.has_value());
    EXPECT_EQ(early.error(), HeaderError::time_too_far);
    EXPECT_EQ(blame(early.error()), Consequence::not_yet);
}

// ------------------------------------------------------------------------------------- evidence

TEST_F(HeaderRules, a_header_without_evidence_weighs_nothing) {
    expect_unproved(built_.header, std::nullopt, HeaderError::evidence_missing);
}

TEST_F(HeaderRules, reject_every_alteration_of_evidence) {
    const Header& header = built_.header;
    ASSERT_GE(header.units, 3U);
    WorkEvidence evidence = built_.evidence;
    evidence.previous_digest.bytes[5] ^= 4;
    expect_unproved(header, evidence, HeaderError::evidence_differs);
    evidence = built_.evidence;
    ++evidence.before.loss;
    expect_unproved(header, evidence, HeaderError::evidence_differs);
    evidence = built_.evidence;
    evidence.before.gradient.bytes[31] ^= 1;
    expect_unproved(header, evidence, HeaderError::evidence_differs);
    evidence = built_.evidence;
    auto parameters = *decode_delta(*start_.parameters, evidence.before.delta);
    parameters[100] ^= 1;
    evidence.before.delta = encode_delta(*start_.parameters, parameters);
    expect_unproved(header, evidence, HeaderError::evidence_differs);
}

TEST_F(HeaderRules, reject_evidence_in_another_coding) {
    WorkEvidence evidence = built_.evidence;
    evidence.before.delta.push_back(0);
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_coding);
    evidence.before.delta.clear();
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_coding);
    evidence = built_.evidence;
    ++evidence.before.delta[0];  // another parameter than the prescribed
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_coding);
}

TEST_F(HeaderRules, reject_evidence_moved_to_another_template) {
    // One real win, claimed by headers of the same miner's other lanes, other times, other keys.
    for (const auto& change : std::vector<std::function<void(Template&)>>{
             [](Template& t) { ++t.lane; }, [](Template& t) { ++t.time_ms; },
             [](Template& t) { t.miner = test::tiny_key(8).public_key(); },
             [](Template& t) { t.state_root.bytes[0] ^= 1; }}) {
        expect_unproved(changed(change), built_.evidence, HeaderError::evidence_differs);
    }
}

TEST_F(HeaderRules, reject_evidence_for_another_number_of_units) {
    Header header = built_.header;
    ++header.units;
    expect_unproved(header, built_.evidence, HeaderError::evidence_differs);
}

TEST_F(HeaderRules, reject_invented_digests) {
    // A forger tries digests until one wins, which takes no training, and attaches what it has.
    Header header = built_.header;
    do {
        ++header.last_digest.bytes[0];
    } while (test::tiny_targets(params_).classify(header.last_digest) != TicketClass::win);
    expect_unproved(header, built_.evidence, HeaderError::evidence_differs);
}

TEST_F(HeaderRules, reject_evidence_from_another_state) {
    start_ = LaneStart(test::tiny_parameters(2));
    const auto proven = verify_evidence(checked(built_.header), built_.evidence, start_, trainer_);
    ASSERT_FALSE(proven.has_value());
}

TEST_F(HeaderRules, one_unit_starts_where_the_lane_starts) {
    params_ = test::tiny_params(2);
    built_ = test::tiny_segment(params_, trainer_, 1, 1);
    EXPECT_TRUE(
        verify_evidence(checked(built_.header), built_.evidence, start_, trainer_).has_value());
    WorkEvidence evidence = built_.evidence;
    evidence.previous_digest.bytes[0] = 1;
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_start);
    evidence = built_.evidence;
    evidence.before.loss = 1;
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_start);
    evidence = built_.evidence;
    evidence.before.gradient.bytes[0] = 1;
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_start);
    evidence = built_.evidence;
    auto parameters = *start_.parameters;
    ++parameters[0];
    evidence.before.delta = encode_delta(*start_.parameters, parameters);
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_start);
}

TEST_F(HeaderRules, two_units_continue_the_lane_s_start) {
    params_ = test::tiny_params(3);
    built_ = test::tiny_segment(params_, trainer_, 2, 2);
    EXPECT_TRUE(
        verify_evidence(checked(built_.header), built_.evidence, start_, trainer_).has_value());
    WorkEvidence evidence = built_.evidence;
    evidence.previous_digest.bytes[0] ^= 1;
    expect_unproved(built_.header, evidence, HeaderError::bad_evidence_start);
    evidence = built_.evidence;
    ++evidence.before.loss;
    expect_unproved(built_.header, evidence, HeaderError::evidence_differs);
}

TEST_F(HeaderRules, evidence_survives_the_wire) {
    const auto decoded = decode_exact<WorkEvidence>(encode(built_.evidence));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_TRUE(verify_evidence(checked(built_.header), *decoded, start_, trainer_).has_value());
}

}  // namespace
}  // namespace gradient::chain
