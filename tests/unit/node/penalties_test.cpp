#include "node/p2p/penalties.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <vector>

namespace gradient::node {
namespace {

using chain::BlockError;
using chain::CodecError;
using chain::Consequence;
using chain::HeaderError;
using chain::LedgerError;
using chain::ListedError;
using chain::PoolError;
using chain::PoolRefusal;
using chain::RuleError;
using chain::SegmentError;
using chain::ShareRefusal;
using chain::StoreError;
using chain::SubmitError;
using chain::TransactionError;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

NodeId node(std::uint8_t number) {
    NodeId id;
    id.bytes[0] = number;
    return id;
}

// Every enumerator up to the last one.
template <class Enum, class Visit>
void each(Enum last, Visit visit) {
    for (int i = 0; i <= static_cast<int>(last); ++i) visit(static_cast<Enum>(i));
}

Penalty of_rule(const RuleError& error) {
    return penalty_for(SubmitError(error));
}

Penalty of_transaction(TransactionError error) {
    return penalty_for(PoolError(error));
}

void expect_sound(const Penalty& penalty) {
    EXPECT_GE(penalty.cost, 0) << penalty.reason;
    EXPECT_LE(penalty.cost, kMaxScore) << penalty.reason;
    EXPECT_EQ(penalty.cost == 0, penalty.sanction == Sanction::none) << penalty.reason;
    EXPECT_GT(penalty.reason.size(), 10U);
}

void expect_ban(const Penalty& penalty) {
    EXPECT_EQ(penalty.cost, kMaxScore) << penalty.reason;
    EXPECT_EQ(penalty.sanction, Sanction::ban) << penalty.reason;
}

// What the group of a rule says of whoever sends a block or header that breaks it.
void expect_by_blame(Consequence blame, const Penalty& penalty) {
    expect_sound(penalty);
    if (blame == Consequence::not_yet || blame == Consequence::ours) {
        EXPECT_EQ(penalty.cost, 0) << penalty.reason;
    } else {
        expect_ban(penalty);
    }
}

TEST(Penalties, headers_are_judged_by_blame_but_later_versions_only_part) {
    each(HeaderError::evidence_missing, [](HeaderError error) {
        if (error == HeaderError::unknown_version) {
            EXPECT_EQ(of_rule(error).sanction, Sanction::disconnect);
            EXPECT_EQ(of_rule(error).cost, kMaxScore);
        } else {
            expect_by_blame(chain::blame(error), of_rule(error));
        }
    });
}

TEST(Penalties, segments_are_judged_by_blame_but_what_another_tip_allows_is_free) {
    const std::set<SegmentError> elsewhere = {
        SegmentError::unknown_round, SegmentError::wrong_share_template,
        SegmentError::lane_included, SegmentError::list_not_on_branch,
        SegmentError::too_many_shares};
    each(SegmentError::replay_missing, [&](SegmentError error) {
        if (elsewhere.contains(error)) {
            EXPECT_EQ(of_rule(error).cost, 0) << of_rule(error).reason;
        } else {
            expect_by_blame(chain::blame(error), of_rule(error));
        }
    });
}

TEST(Penalties, what_is_wrong_with_a_block_s_list_is_its_senders_fault) {
    each(SegmentError::replay_missing, [](SegmentError error) {
        expect_by_blame(chain::blame(ListedError{error}), of_rule(ListedError{error}));
    });
}

TEST(Penalties, blocks_are_judged_by_blame) {
    each(BlockError::late_not_late,
         [](BlockError error) { expect_by_blame(chain::blame(error), of_rule(error)); });
}

TEST(Penalties, a_block_with_a_transaction_that_breaks_any_rule_is_a_ban) {
    each(TransactionError::replay_agrees,
         [](TransactionError error) { expect_ban(of_rule(error)); });
}

TEST(Penalties, a_lone_transaction_costs_only_what_is_wrong_on_every_tip) {
    const std::set<TransactionError> costly = {TransactionError::data_unfit,
                                               TransactionError::replay_agrees};
    each(TransactionError::replay_agrees, [&](TransactionError error) {
        const Penalty penalty = of_transaction(error);
        expect_sound(penalty);
        if (chain::blame(error) == Consequence::malformed) {
            expect_ban(penalty);
        } else if (costly.contains(error)) {
            EXPECT_GT(penalty.cost, 0) << penalty.reason;
            EXPECT_LT(penalty.cost, kMaxScore) << penalty.reason;
        } else {
            EXPECT_EQ(penalty.cost, 0) << penalty.reason;
        }
    });
}

TEST(Penalties, limits_of_our_pools_and_faults_of_our_store_are_free) {
    each(PoolRefusal::pool_full,
         [](PoolRefusal refusal) { EXPECT_EQ(penalty_for(PoolError(refusal)).cost, 0); });
    each(ShareRefusal::pool_full,
         [](ShareRefusal refusal) { EXPECT_EQ(penalty_for(refusal).cost, 0); });
    const StoreError broken{chain::StoreFault::full, "The disk is full."};
    EXPECT_EQ(penalty_for(SubmitError(broken)).cost, 0);
    EXPECT_EQ(penalty_for(PoolError(broken)).cost, 0);
    EXPECT_EQ(penalty_for(PoolError(broken)).reason, broken.message);
}

TEST(Penalties, the_ledgers_own_refusals_cost_only_condemned_blocks) {
    each(LedgerError::halted, [](LedgerError error) {
        const Penalty penalty = penalty_for(SubmitError(error));
        expect_sound(penalty);
        EXPECT_EQ(penalty.cost, error == LedgerError::condemned ? kMaxScore : 0) << penalty.reason;
    });
}

TEST(Penalties, every_breach_of_the_protocol_costs_something) {
    each(ProtocolOffence::stalled, [](ProtocolOffence offence) {
        const Penalty penalty = penalty_for(offence);
        expect_sound(penalty);
        EXPECT_GT(penalty.cost, 0) << penalty.reason;
    });
    each(CodecError::bad_value, [](CodecError error) { expect_ban(penalty_for(error)); });
}

TEST(Penalties, no_two_breaches_have_the_same_sentence) {
    std::set<std::string> sentences;
    each(ProtocolOffence::stalled,
         [&](ProtocolOffence offence) { sentences.insert(describe(Offence(offence))); });
    EXPECT_EQ(sentences.size(), static_cast<std::size_t>(ProtocolOffence::stalled) + 1);
}

class PenaltyLedgerTest : public testing::Test {
  protected:
    const PenaltyLedger::Time start_{hours(1)};
    PenaltyLedger ledger_;
};

TEST_F(PenaltyLedgerTest, grave_costs_add_up_to_a_ban) {
    const Penalty third{34, Sanction::ban, "grave"};
    EXPECT_EQ(ledger_.charge(node(1), third, start_), Sanction::none);
    EXPECT_EQ(ledger_.charge(node(1), third, start_), Sanction::none);
    EXPECT_EQ(ledger_.charge(node(1), third, start_), Sanction::ban);
    EXPECT_EQ(ledger_.score(node(2), start_), 0);
}

TEST_F(PenaltyLedgerTest, light_costs_never_lead_to_a_ban) {
    const Penalty light{60, Sanction::disconnect, "light"};
    const Penalty grave{60, Sanction::ban, "grave"};
    EXPECT_EQ(ledger_.charge(node(1), light, start_), Sanction::none);
    EXPECT_EQ(ledger_.charge(node(1), light, start_ + kHiccup), Sanction::disconnect);
    EXPECT_EQ(ledger_.charge(node(1), grave, start_ + kHiccup), Sanction::disconnect);
    EXPECT_EQ(ledger_.charge(node(1), grave, start_ + kHiccup), Sanction::ban);
}

TEST_F(PenaltyLedgerTest, one_hiccup_counts_once_however_much_comes_of_it) {
    const Penalty stall = penalty_for(ProtocolOffence::stalled);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(ledger_.charge(node(1), stall, start_), Sanction::none);
    }
    EXPECT_NEAR(ledger_.score(node(1), start_), stall.cost, 1e-9);
    // What ends a connection by itself is not excused by it.
    EXPECT_EQ(ledger_.charge(node(1), penalty_for(ProtocolOffence::frame_too_slow), start_),
              Sanction::disconnect);
}

TEST_F(PenaltyLedgerTest, a_score_halves_in_its_half_life) {
    ledger_.charge(node(1), {80, Sanction::ban, ""}, start_);
    EXPECT_NEAR(ledger_.score(node(1), start_ + kScoreHalfLife), 40, 1e-9);
    EXPECT_NEAR(ledger_.score(node(1), start_ + 3 * kScoreHalfLife), 10, 1e-9);
}

TEST_F(PenaltyLedgerTest, rare_faults_never_add_up) {
    PenaltyLedger::Time now = start_;
    for (int fault = 0; fault < 5000; ++fault, now += minutes(2)) {
        ASSERT_EQ(ledger_.charge(node(1), penalty_for(ProtocolOffence::unsolicited), now),
                  Sanction::none);
    }
    // A machine that falls behind for ten seconds of every ten minutes stays.
    for (int round = 0; round < 500; ++round, now += minutes(10)) {
        for (int second = 0; second < 10; ++second) {
            ASSERT_EQ(ledger_.charge(node(2), penalty_for(ProtocolOffence::stalled),
                                     now + seconds(second)),
                      Sanction::none);
        }
    }
}

TEST_F(PenaltyLedgerTest, a_flood_of_small_faults_does) {
    PenaltyLedger::Time now = start_;
    int count = 0;
    while (ledger_.charge(node(1), penalty_for(ProtocolOffence::unsolicited), now) ==
           Sanction::none) {
        now += std::chrono::milliseconds(10);
        ASSERT_LT(++count, 1200);
    }
}

// What comes for nothing is charged by what it takes, in whatever time it comes.
TEST_F(PenaltyLedgerTest, a_flood_is_charged_by_its_bytes_and_one_late_answer_is_forgiven) {
    const Penalty penalty = penalty_for(ProtocolOffence::unsolicited);
    const auto charges_until_the_end = [&](std::uint8_t number, std::size_t bytes) {
        int charges = 1;
        while (charges < 100'000 &&
               ledger_.charge(node(number), penalty, start_, bytes) == Sanction::none) {
            ++charges;
        }
        return charges;
    };
    EXPECT_EQ(ledger_.charge(node(1), penalty, start_, chain::kMaxBlockBytes), Sanction::none);
    EXPECT_LE(charges_until_the_end(2, chain::kMaxBlockBytes), 4);
    const int small = charges_until_the_end(3, 300);
    EXPECT_GT(small, 10'000);
    EXPECT_LT(small, 100'000);
    // The answers of a line that was away for a while, to everything that may be asked at a time.
    for (int i = 0; i < 128; ++i) {
        ASSERT_EQ(ledger_.charge(node(4), penalty, start_, 1000), Sanction::none);
    }
    EXPECT_LT(ledger_.score(node(4), start_), penalty.cost + 1);
}

TEST_F(PenaltyLedgerTest, keeps_a_node_away_until_its_score_is_forgiven) {
    ledger_.charge(node(1), {100, Sanction::disconnect, ""}, start_);
    EXPECT_TRUE(ledger_.keeps_away(node(1), start_ + minutes(3)));
    EXPECT_FALSE(ledger_.keeps_away(node(1), start_ + minutes(4)));
    ledger_.forgive(node(1));
    EXPECT_EQ(ledger_.score(node(1), start_), 0);
}

TEST_F(PenaltyLedgerTest, costs_of_nothing_leave_no_trace_and_memory_is_bounded) {
    ledger_.charge(node(1), {}, start_);
    EXPECT_EQ(ledger_.size(), 0U);
    ledger_.charge(node(1), {90, Sanction::ban, ""}, start_);
    for (std::uint32_t i = 0; i < 2 * kMaxScores; ++i) {
        NodeId id = node(2);
        id.bytes[1] = static_cast<std::uint8_t>(i & 0xffU);
        id.bytes[2] = static_cast<std::uint8_t>(i >> 8U);
        ledger_.charge(id, {10, Sanction::disconnect, ""}, start_);
        ASSERT_LE(ledger_.size(), kMaxScores);
    }
    EXPECT_NEAR(ledger_.score(node(1), start_), 90, 1e-9);  // the highest is not pushed out
}

}  // namespace
}  // namespace gradient::node
