#include "chain/consensus/segment_rules.hpp"
#include "chain/fraud/auditor.hpp"
#include "tests/support/fraud_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace gradient::chain {
namespace {

using test::LyingSegment;

constexpr std::uint8_t kAuditor = 1;

class FraudAuditor : public FraudFixture {
  protected:
    // As every node does before it takes a segment.
    void expect_passes_the_rules_for_segments(const LyingSegment& made) {
        const auto body = std::make_shared<const SegmentBody>(made.segment.body);
        const SegmentContext rules{test::tiny_parameters(), test::tiny_targets(params_),
                                   TicketClass::win, nullptr};
        const auto checked =
            check_segment(made.segment.tmpl, made.segment.listed, body, rules, params_);
        ASSERT_TRUE(checked) << describe(checked.error());
        const auto proven = verify_segment(*checked, trainer());
        ASSERT_TRUE(proven) << describe(proven.error());
        EXPECT_EQ(proven->id(), made.id());
    }

    SegmentAudit audit_of(const LyingSegment& made) {
        return {made.segment.tmpl, std::make_shared<const SegmentBody>(made.segment.body),
                test::tiny_parameters()};
    }
};

TEST_F(FraudAuditor, finds_a_liar_that_the_openings_miss_and_its_proof_is_accepted) {
    fund(kAuditor, 10 * kCoin);
    for (const std::uint32_t j : {1U, 2U, 3U, 4U, 9U, 17U}) {
        const LyingSegment made =
            test::false_segment(params_, trainer(), 0, static_cast<std::uint8_t>(50 + j), j);
        expect_passes_the_rules_for_segments(made);
        include(made, static_cast<std::uint8_t>(50 + j), 1000);

        SegmentAudit audit = audit_of(made);
        while (!audit.done()) ASSERT_TRUE(audit.step(trainer()));
        ASSERT_TRUE(audit.proof()) << j;
        EXPECT_EQ(audit.units_passed(), j - 1);
        EXPECT_EQ(*audit.proof(), made.proof(j));

        const std::uint64_t at = height_;
        ASSERT_EQ(commit(kAuditor, *audit.proof()), std::nullopt);
        advance_to(at + kRevealDelay);
        EXPECT_EQ(reveal(kAuditor, *audit.proof(), at), std::nullopt) << j;
    }
    advance_to(height_ + kRevealWindow + 1);
    EXPECT_EQ(balance(kAuditor), 10 * kCoin + 6 * 500);
}

TEST_F(FraudAuditor, the_first_of_several_lies_is_the_one_to_prove) {
    const test::Lie lie = [](std::uint32_t k, test::ClaimedState& state) {
        if (k == 3 || k == 6) state.parameters[0] -= 1 << 16;
    };
    const LyingSegment made = test::lying_segment(params_, trainer(), 0, kLiar, lie, {3, 6});
    SegmentAudit audit = audit_of(made);
    while (!audit.done()) ASSERT_TRUE(audit.step(trainer()));
    ASSERT_TRUE(audit.proof());
    EXPECT_EQ(audit.proof()->unit, 3U);
}

TEST_F(FraudAuditor, finds_a_false_loss_and_a_false_gradient) {
    const test::Lie loss = [](std::uint32_t k, test::ClaimedState& state) {
        if (k == 4) state.loss -= 1;
    };
    const test::Lie gradient = [](std::uint32_t k, test::ClaimedState& state) {
        if (k == 4) state.gradient.bytes[31] ^= 1U;
    };
    for (const test::Lie& lie : {loss, gradient}) {
        const LyingSegment made = test::lying_segment(params_, trainer(), 0, kLiar, lie, {4});
        SegmentAudit audit = audit_of(made);
        while (!audit.done()) ASSERT_TRUE(audit.step(trainer()));
        ASSERT_TRUE(audit.proof());
        EXPECT_EQ(audit.proof()->unit, 4U);
    }
}

TEST_F(FraudAuditor, an_honest_segment_passes_in_as_many_steps_as_it_has_units) {
    const LyingSegment made = test::honest_segment(params_, trainer(), 0, kLiar);
    expect_passes_the_rules_for_segments(made);
    SegmentAudit audit = audit_of(made);
    EXPECT_EQ(audit.units(), made.units());
    for (std::uint32_t k = 0; k < made.units(); ++k) {
        EXPECT_FALSE(audit.done());
        EXPECT_EQ(audit.units_passed(), k);
        ASSERT_TRUE(audit.step(trainer()));
    }
    EXPECT_TRUE(audit.done());
    EXPECT_EQ(audit.proof(), std::nullopt);
    ASSERT_TRUE(audit.step(trainer())) << "nothing is left to do";
    EXPECT_EQ(audit.units_passed(), made.units());
}

TEST_F(FraudAuditor, a_start_that_the_solver_core_refuses_is_no_fraud) {
    const LyingSegment made = test::honest_segment(params_, trainer(), 0, kLiar);
    const auto start = std::make_shared<const std::vector<std::int32_t>>(16);
    SegmentAudit audit(made.segment.tmpl, std::make_shared<const SegmentBody>(made.segment.body),
                       start);
    const auto stepped = audit.step(trainer());
    ASSERT_FALSE(stepped);
    EXPECT_EQ(stepped.error(), model::TaskError::wrong_parameters);
    EXPECT_FALSE(audit.done());
    EXPECT_EQ(audit.proof(), std::nullopt);
}

}  // namespace
}  // namespace gradient::chain
