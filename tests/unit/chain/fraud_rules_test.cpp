#include "chain/base/hash.hpp"
#include "tests/support/fraud_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>

namespace gradient::chain {
namespace {

using test::double_proof;
using test::false_segment;
using test::hash_of;
using test::honest_segment;
using test::LyingSegment;
using Error = TransactionError;

constexpr std::uint8_t kAuditor = 1;
constexpr std::uint8_t kSecond = 2;
constexpr std::uint64_t kPay = 1'001;
constexpr std::uint64_t kPurse = 10 * kCoin;

class FraudRules : public FraudFixture {
  protected:
    FraudRules() : made_(false_segment(params_, trainer(), 0, kLiar, 5)) {
        fund(kAuditor, kPurse);
        fund(kSecond, kPurse);
        include(made_, kLiar, kPay);
        pay(kLiar, 100);    // as includer
        pay(kSecond, 300);  // somebody else's
        next_block();       // 101
    }

    FraudProof proof() const { return made_.proof(5); }

    // Commits at this height and waits until it can be revealed.
    std::uint64_t committed(std::uint8_t key, const FraudProof& what, std::uint8_t salt = 1) {
        EXPECT_EQ(commit(key, what, salt), std::nullopt);
        const std::uint64_t height = height_;
        advance_to(height + kRevealDelay);
        return height;
    }

    LyingSegment made_;
};

// ------------------------------------------------------------------------------------------- form

TEST_F(FraudRules, commitment_is_a_tagged_hash_of_subject_sender_and_salt) {
    const Address sender{AddressVersion::ed25519, hash_of(2)};
    EXPECT_EQ(
        fraud_commitment(hash_of(1), sender, hash_of(3)),
        tagged_hash("gradient/fraud-commitment", hash_of(1), ByteSpan(encode(sender)), hash_of(3)));
    EXPECT_EQ(fraud_commitment(hash_of(1), sender, hash_of(3)).to_hex(),
              "c69a056a17f9e886245ce864caf767556694d78e297396822373b37491fae3b9");
}

TEST_F(FraudRules, subject_is_the_segments_id_or_the_templates_hash) {
    for (const std::uint32_t j : {1U, 2U, 3U, 5U, made_.units()}) {
        EXPECT_EQ(subject_of(made_.proof(j), tasks_), made_.id()) << j;
    }
    EXPECT_EQ(subject_of(double_proof(made_, kLiar), tasks_), template_hash(made_.segment.tmpl));
}

TEST_F(FraudRules, refuses_a_reveal_out_of_its_window) {
    const std::uint64_t at = height_ + 20;
    ASSERT_EQ(commit(kAuditor, proof()), std::nullopt);
    height_ = at;
    for (const std::uint64_t commit_height : {at - 11, at - 1, at, at + 1, std::uint64_t{0},
                                              std::numeric_limits<std::uint64_t>::max()}) {
        EXPECT_EQ(reveal(kAuditor, proof(), commit_height), Error::bad_commit_height);
    }
    for (const std::uint64_t commit_height : {at - 10, at - 2}) {
        EXPECT_EQ(reveal(kAuditor, proof(), commit_height), Error::commitment_missing);
    }
}

TEST_F(FraudRules, admission_looks_at_the_window_again) {
    const std::uint64_t at = committed(kAuditor, proof());
    const RevealFraud action{at, hash_of(1), proof()};
    height_ = at + kRevealWindow + 1;  // as in a pool, on the state of the block before
    const auto admitted = admit_fraud(state_, account(kAuditor), action, context());
    ASSERT_FALSE(admitted);
    EXPECT_EQ(std::get<Error>(admitted.error()), Error::bad_commit_height);
}

TEST_F(FraudRules, refuses_unit_zero_no_digests_and_too_many_units) {
    FalseUnitProof bad = made_.proof(5);
    bad.unit = 0;
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    bad = made_.proof(5);
    bad.digests.clear();
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    bad = made_.proof(5);
    params_.work.max_units = made_.units() - 1;
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    params_.work.max_units = made_.units();
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::commitment_missing);
    bad.unit = std::numeric_limits<std::uint32_t>::max();
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
}

TEST_F(FraudRules, refuses_a_start_with_something_before_it_or_a_loss_or_a_gradient) {
    FalseUnitProof bad = made_.proof(1);
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::commitment_missing);
    bad.previous_digest = hash_of(1);
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    bad = made_.proof(1);
    bad.before.loss = 1;
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    bad = made_.proof(1);
    bad.before.gradient = hash_of(1);
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
}

TEST_F(FraudRules, refuses_a_state_that_is_no_coding_of_a_model) {
    FalseUnitProof bad = made_.proof(5);
    bad.before.delta.push_back(0);
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    bad.before.delta.resize(bad.before.delta.size() - 2);
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
}

TEST_F(FraudRules, refuses_a_task_that_is_not_there) {
    FalseUnitProof bad = made_.proof(5);
    bad.tmpl.task = 9;
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::unknown_task);
}

TEST_F(FraudRules, refuses_two_ends_that_are_one_or_that_the_miner_has_not_signed) {
    const DoubleSegmentProof good = double_proof(made_, kLiar);
    EXPECT_EQ(reveal(kAuditor, good, height_ - 2), Error::commitment_missing);
    DoubleSegmentProof bad = good;
    bad.ends[1] = bad.ends[0];
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    for (const std::size_t end : {0U, 1U}) {
        bad = good;
        bad.ends[end].signature.bytes[0] ^= 1U;
        EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
        bad = good;
        bad.ends[end].units += 1;
        EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
        bad = good;
        bad.ends[end] = double_proof(made_, kSecond).ends[end];
        EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
    }
    bad = good;
    bad.tmpl.miner = test::tiny_key(kSecond).public_key();
    EXPECT_EQ(reveal(kAuditor, bad, height_ - 2), Error::bad_proof);
}

// ------------------------------------------------------------------------------------- commitments

TEST_F(FraudRules, a_commitment_locks_the_deposit_and_is_live_for_ten_blocks) {
    const std::uint64_t at = height_;
    ASSERT_EQ(commit(kAuditor, proof()), std::nullopt);
    EXPECT_EQ(balance(kAuditor), kPurse - kCoin);
    EXPECT_EQ(commit(kAuditor, proof()), Error::commitment_known);
    advance_to(at + kRevealWindow);
    EXPECT_EQ(commit(kAuditor, proof()), Error::commitment_known);
    EXPECT_EQ(totals().burnt, Amount());
    next_block();
    EXPECT_EQ(totals().burnt.units(), kCoin);
    EXPECT_EQ(balance(kAuditor), kPurse - kCoin);
    EXPECT_EQ(commit(kAuditor, proof()), std::nullopt);
}

TEST_F(FraudRules, the_entry_of_a_commitment_binds_its_sender_and_keeps_its_place) {
    const CommitFraud action{hash_of(9)};
    ASSERT_EQ(run(kAuditor, action), std::nullopt);
    ASSERT_EQ(run(kSecond, action), std::nullopt) << "the same 32 bytes, from somebody else";
    const Hash256 bound =
        tagged_hash("gradient/fraud-entry", ByteSpan(encode(account(kSecond))), hash_of(9));
    EXPECT_EQ(entry<FraudCommitment>(commitment_key(height_, bound)),
              (FraudCommitment{account(kSecond), params_.fraud_deposit, 1}));
}

TEST_F(FraudRules, a_block_takes_so_many_commitments_and_no_more) {
    fund(3, 2000 * kCoin);
    StateDiff before;
    for (std::size_t i = 0; i < FraudAgenda::kMaxCommitments; ++i) {
        Hash256 commitment = hash_of(4);
        commitment.bytes[0] = static_cast<std::uint8_t>(i);
        commitment.bytes[1] = static_cast<std::uint8_t>(i >> 8U);
        const CommitFraud action{commitment};
        ASSERT_TRUE(admit_fraud(state_, account(3), action, context()));
        ASSERT_TRUE(apply_fraud(state_, account(3), action, context()));
        mint(kCoin);  // no account has paid for it
    }
    EXPECT_EQ(commit(kAuditor, proof()), Error::too_many_commitments);
    next_block();
    EXPECT_EQ(commit(kAuditor, proof()), std::nullopt);
    advance_to(height_ + kRevealWindow + 1);
    EXPECT_EQ(totals().burnt.units(), (FraudAgenda::kMaxCommitments + 1) * kCoin);
}

TEST_F(FraudRules, a_proof_needs_the_commitment_of_its_sender_height_salt_and_subject) {
    const std::uint64_t at = committed(kAuditor, proof());
    EXPECT_EQ(reveal(kSecond, proof(), at), Error::commitment_missing);
    EXPECT_EQ(reveal(kAuditor, proof(), at - 1), Error::commitment_missing);
    EXPECT_EQ(reveal(kAuditor, proof(), at, 2), Error::commitment_missing);
    // Whatever is changed leads to another segment.
    const auto changed = [&](auto change) {
        FalseUnitProof other = made_.proof(5);
        change(other);
        return reveal(kAuditor, other, at);
    };
    const auto missing = Error::commitment_missing;
    EXPECT_EQ(changed([](auto& p) { p.digests[0] = hash_of(1); }), missing);
    EXPECT_EQ(changed([](auto& p) { p.digests.back() = hash_of(1); }), missing);
    EXPECT_EQ(changed([](auto& p) { p.digests.pop_back(); }), missing);
    EXPECT_EQ(changed([](auto& p) { p.previous_digest = hash_of(1); }), missing);
    EXPECT_EQ(changed([](auto& p) { p.unit = 6; }), missing);
    EXPECT_EQ(changed([](auto& p) { p.before.loss += 1; }), missing);
    EXPECT_EQ(changed([](auto& p) { p.before.gradient = hash_of(1); }), missing);
    EXPECT_EQ(changed([&](auto& p) { p.before.delta = made_.proof(7).before.delta; }), missing);
    EXPECT_EQ(changed([](auto& p) { p.tmpl.lane += 1; }), missing);
    EXPECT_EQ(changed([](auto& p) { p.tmpl.miner = test::tiny_key(9).public_key(); }), missing);
    EXPECT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    EXPECT_EQ(reveal(kAuditor, proof(), at), missing) << "a second time";
}

// --------------------------------------------------------------------------------------- segments

TEST_F(FraudRules, refuses_a_segment_that_is_not_included) {
    const LyingSegment other = false_segment(params_, trainer(), 1000, kLiar, 5);
    const std::uint64_t at = committed(kAuditor, other.proof(5));
    EXPECT_EQ(reveal(kAuditor, other.proof(5), at), Error::segment_not_immature);
    include(other, kLiar, kPay);
    EXPECT_EQ(reveal(kAuditor, other.proof(5), at), std::nullopt);
}

TEST_F(FraudRules, refuses_what_does_not_fit_the_included_segment) {
    const std::uint64_t at = committed(kAuditor, proof());
    const auto included = entry<IncludedSegment>(segment_key(made_.id()));
    const auto with = [&](auto change) {
        IncludedSegment other = included;
        change(other);
        state_.put(segment_key(made_.id()), other);
        return reveal(kAuditor, proof(), at);
    };
    EXPECT_EQ(with([](auto& s) { s.miner = test::tiny_key(9).public_key(); }),
              Error::segment_not_immature);
    EXPECT_EQ(with([](auto& s) { s.template_hash = hash_of(1); }), Error::segment_not_immature);
    EXPECT_EQ(with([](auto& s) { s.units += 1; }), Error::segment_not_immature);
    EXPECT_EQ(with([](auto&) {}), std::nullopt);
}

TEST_F(FraudRules, refuses_a_segment_whose_pay_has_matured) {
    const std::uint64_t matures = 100 + params_.maturity_blocks;
    advance_to(matures - 3);
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(height_, matures - 1);
    const State::Checkpoint before = state_.checkpoint();
    EXPECT_EQ(reveal(kAuditor, proof(), at), std::nullopt) << "the last moment";
    state_.rollback(before);
    // On the state of the block before, the entries are still there.
    height_ = matures;
    const RevealFraud action{at, hash_of(1), proof()};
    const auto admitted = admit_fraud(state_, account(kAuditor), action, context());
    ASSERT_FALSE(admitted);
    EXPECT_EQ(std::get<Error>(admitted.error()), Error::segment_not_immature);
    height_ = matures - 1;
    next_block();
    EXPECT_EQ(reveal(kAuditor, proof(), at), Error::segment_not_immature);
    EXPECT_EQ(balance(kLiar), kPay + 100);
}

TEST_F(FraudRules, refuses_a_proof_against_a_unit_that_its_replay_gives) {
    const std::uint64_t at = committed(kAuditor, proof());
    for (std::uint32_t j = 1; j <= made_.units(); ++j) {
        if (j != 5) {
            EXPECT_EQ(reveal(kAuditor, made_.proof(j), at), Error::replay_agrees) << j;
        }
    }
    EXPECT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
}

TEST_F(FraudRules, nothing_can_be_proved_against_an_honest_segment) {
    const LyingSegment honest = honest_segment(params_, trainer(), 0, 9);
    include(honest, 9, kPay);
    const std::uint64_t at = committed(kAuditor, honest.proof(1));
    for (std::uint32_t j = 1; j <= honest.units(); ++j) {
        EXPECT_EQ(reveal(kAuditor, honest.proof(j), at), Error::replay_agrees) << j;
    }
}

TEST_F(FraudRules, first_second_and_later_units_can_be_proved_false) {
    for (const std::uint32_t j : {1U, 2U, 3U, 8U}) {
        const LyingSegment made = false_segment(params_, trainer(), 2000, kLiar, j);
        include(made, kLiar, kPay);
        const std::uint64_t at = committed(kAuditor, made.proof(j));
        EXPECT_EQ(reveal(kAuditor, made.proof(j), at), std::nullopt) << j;
    }
}

TEST_F(FraudRules, a_unit_from_a_state_that_the_solver_core_refuses_is_false) {
    // A weight beyond its range at unit 4, and unit 5 invented from it.
    const test::Lie lie = [](std::uint32_t k, test::ClaimedState& state) {
        if (k == 4) state.parameters[3] = std::numeric_limits<std::int32_t>::max();
        if (k == 5) state.parameters[3] = 0;
    };
    const LyingSegment made = test::lying_segment(params_, trainer(), 3000, kLiar, lie, {4, 5});
    include(made, kLiar, kPay);
    const std::uint64_t at = committed(kAuditor, made.proof(5));
    EXPECT_EQ(reveal(kAuditor, made.proof(5), at), std::nullopt);
}

// ---------------------------------------------------------------------------------------- penalty

TEST_F(FraudRules, all_immature_pay_of_the_key_is_taken_and_half_of_it_waits_for_the_earliest) {
    const LyingSegment honest = honest_segment(params_, trainer(), 5000, kLiar);
    include(honest, kLiar, 40);
    pay(9, 70);
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    const std::uint64_t taken = kPay + 100 + 40;  // odd
    EXPECT_EQ(balance(kAuditor), kPurse) << "the deposit is back";
    EXPECT_EQ(totals().burnt.units(), taken - taken / 2);
    const std::uint64_t closes = height_ + kRevealWindow + 1;
    EXPECT_EQ(open_case(made_.id()),
              (FraudCase{account(kLiar), account(kAuditor), at, 0, coins(taken / 2), closes}));
    // What names a segment stays empty, so that the segment's entry ends when it would have.
    EXPECT_EQ(entry<MaturingPay>(maturing_pay_key(130)).pays,
              (std::vector<Pay>{{account(kLiar), Amount(), made_.id()},
                                {account(kSecond), coins(300), {}}}));
    EXPECT_EQ(
        entry<MaturingPay>(maturing_pay_key(131)).pays,
        (std::vector<Pay>{{account(kLiar), Amount(), honest.id()}, {account(9), coins(70), {}}}));
    advance_to(closes - 1);
    EXPECT_EQ(balance(kAuditor), kPurse);
    next_block();
    EXPECT_EQ(balance(kAuditor), kPurse + taken / 2);
    EXPECT_EQ(open_case(made_.id()), std::nullopt);
    advance_to(140);
    EXPECT_EQ(balance(kLiar), 0U);
    EXPECT_EQ(balance(9), 70U);
    EXPECT_EQ(balance(kSecond), kPurse + 300);
    EXPECT_EQ(state_.get(segment_key(made_.id())).value(), nullptr);
    EXPECT_EQ(state_.get(segment_key(honest.id())).value(), nullptr);
}

TEST_F(FraudRules, a_list_with_nothing_left_goes) {
    const LyingSegment made = false_segment(params_, trainer(), 7000, 11, 5);
    include(made, 11, 0);
    next_block();
    pay(11, 50);
    ASSERT_FALSE(entry<MaturingPay>(maturing_pay_key(height_ + 30)).pays.empty());
    const std::uint64_t listed = height_ + 30;
    const std::uint64_t at = committed(kAuditor, made.proof(5));
    ASSERT_EQ(reveal(kAuditor, made.proof(5), at), std::nullopt);
    EXPECT_EQ(state_.get(maturing_pay_key(listed)).value(), nullptr);
}

TEST_F(FraudRules, pay_from_the_next_block_to_the_last_one_that_there_can_be_is_taken) {
    advance_to(112);
    const std::uint64_t at = committed(kAuditor, proof());
    advance_to(115);
    pay(kLiar, 8);  // matures at the last height that has a list
    for (const std::uint64_t matures : {115U, 116U}) {
        mint(8);
        state_.put(maturing_pay_key(matures), MaturingPay{{{account(kLiar), coins(8), {}}}});
    }
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    EXPECT_TRUE(entry<MaturingPay>(maturing_pay_key(116)).pays.empty());
    EXPECT_TRUE(entry<MaturingPay>(maturing_pay_key(145)).pays.empty());
    EXPECT_EQ(entry<MaturingPay>(maturing_pay_key(115)).pays.size(), 1U)
        << "matures in this block: released before its transactions";
}

// ----------------------------------------------------------------------------------------- reward

TEST_F(FraudRules, the_earlier_commitment_wins_whoever_reveals_first) {
    ASSERT_EQ(commit(kSecond, proof()), std::nullopt);
    const std::uint64_t early = height_;
    next_block();
    const std::uint64_t late = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), late), std::nullopt);
    EXPECT_EQ(open_case(made_.id())->owner, account(kAuditor));
    advance_to(early + kRevealWindow);
    ASSERT_EQ(reveal(kSecond, proof(), early), std::nullopt);
    EXPECT_EQ(open_case(made_.id())->owner, account(kSecond));
    EXPECT_EQ(open_case(made_.id())->commit_height, early);
    const std::uint64_t reward = open_case(made_.id())->reward.units();
    advance_to(open_case(made_.id())->closing_height);
    EXPECT_EQ(balance(kSecond), kPurse + reward);
    EXPECT_EQ(balance(kAuditor), kPurse);
}

TEST_F(FraudRules, within_a_block_the_earlier_commitment_wins) {
    ASSERT_EQ(commit(kSecond, proof()), std::nullopt);
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    ASSERT_EQ(reveal(kSecond, proof(), at), std::nullopt);
    EXPECT_EQ(open_case(made_.id())->owner, account(kSecond));
}

TEST_F(FraudRules, a_later_commitment_gets_its_deposit_back_and_no_more) {
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    // Whoever sees the proof commits in its block at the earliest.
    const std::uint64_t copied = committed(kSecond, proof());
    ASSERT_EQ(reveal(kSecond, proof(), copied), std::nullopt);
    EXPECT_EQ(open_case(made_.id())->owner, account(kAuditor));
    EXPECT_EQ(balance(kSecond), kPurse);
}

TEST_F(FraudRules, a_second_proof_of_an_open_case_is_not_replayed) {
    ASSERT_EQ(commit(kSecond, proof()), std::nullopt);
    const std::uint64_t at = committed(kAuditor, proof());
    EXPECT_EQ(reveal(kSecond, made_.proof(6), at), Error::replay_agrees);
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    EXPECT_EQ(reveal(kSecond, made_.proof(6), at), std::nullopt);
}

TEST_F(FraudRules, a_closed_case_is_not_opened_again) {
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    pay(kLiar, 500);  // earned since
    advance_to(height_ + kRevealWindow + 1);
    const std::uint64_t again = committed(kAuditor, proof(), 2);
    EXPECT_EQ(reveal(kAuditor, proof(), again, 2), Error::segment_not_immature);
}

TEST_F(FraudRules, every_live_commitment_can_be_revealed_before_the_case_closes) {
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(commit(kSecond, proof()), std::nullopt);
    const std::uint64_t opened = height_;
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    advance_to(opened + kRevealWindow);
    ASSERT_EQ(reveal(kSecond, proof(), opened), std::nullopt);
    EXPECT_EQ(balance(kSecond), kPurse);
}

TEST_F(FraudRules, another_false_segment_of_the_key_opens_a_case_of_its_own) {
    const LyingSegment other = false_segment(params_, trainer(), 9000, kLiar, 6);
    include(other, kLiar, 60);
    ASSERT_EQ(commit(kSecond, other.proof(6)), std::nullopt);
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    pay(kLiar, 11);  // earned since
    ASSERT_EQ(reveal(kSecond, other.proof(6), at), std::nullopt);
    EXPECT_EQ(open_case(other.id())->reward.units(), 5U);
    EXPECT_EQ(balance(kSecond), kPurse);
}

TEST_F(FraudRules, who_accuses_itself_loses_half) {
    fund(kLiar, kPurse);
    const std::uint64_t at = committed(kLiar, proof());
    ASSERT_EQ(reveal(kLiar, proof(), at), std::nullopt);
    advance_to(height_ + kRevealWindow + 1);
    EXPECT_EQ(balance(kLiar), kPurse + (kPay + 100) / 2);
    advance_to(140);
    EXPECT_EQ(balance(kLiar), kPurse + (kPay + 100) / 2);
}

// --------------------------------------------------------------------------------- double segments

TEST_F(FraudRules, two_signed_ends_of_one_lane_are_a_fraud_if_one_is_included) {
    const LyingSegment honest = honest_segment(params_, trainer(), 0, 9);
    const FraudProof twice = double_proof(honest, 9);
    pay(9, 70);  // immature pay alone is not enough: the proof would never lose its force
    const std::uint64_t at = committed(kAuditor, twice);
    EXPECT_EQ(reveal(kAuditor, twice, at), Error::segment_not_immature);
    include(honest, 9, kPay);
    DoubleSegmentProof other = std::get<DoubleSegmentProof>(twice);
    other.ends[1] = double_proof(honest, 9).ends[0];
    EXPECT_EQ(reveal(kAuditor, other, at), Error::bad_proof);
    ASSERT_EQ(reveal(kAuditor, twice, at), std::nullopt);
    EXPECT_EQ(open_case(template_hash(honest.segment.tmpl))->reward.units(), (kPay + 70) / 2);
    EXPECT_EQ(entry<IncludedSegment>(segment_key(honest.id())).proven,
              IncludedSegment::kDoubleSegment);
    advance_to(height_ + kRevealWindow + 1);
    const std::uint64_t again = committed(kAuditor, twice, 2);
    EXPECT_EQ(reveal(kAuditor, twice, again, 2), Error::segment_not_immature);
}

TEST_F(FraudRules, the_included_end_may_be_either) {
    const LyingSegment honest = honest_segment(params_, trainer(), 0, 9);
    include(honest, 9, kPay);
    DoubleSegmentProof twice = double_proof(honest, 9);
    std::swap(twice.ends[0], twice.ends[1]);
    const std::uint64_t at = committed(kAuditor, twice);
    EXPECT_EQ(reveal(kAuditor, twice, at), std::nullopt);
}

TEST_F(FraudRules, a_segment_may_be_proved_false_in_both_ways) {
    const FraudProof twice = double_proof(made_, kLiar);
    ASSERT_EQ(commit(kSecond, twice), std::nullopt);
    const std::uint64_t at = committed(kAuditor, proof());
    ASSERT_EQ(reveal(kAuditor, proof(), at), std::nullopt);
    ASSERT_EQ(reveal(kSecond, twice, at), std::nullopt);
    EXPECT_EQ(entry<IncludedSegment>(segment_key(made_.id())).proven,
              IncludedSegment::kFalseUnit | IncludedSegment::kDoubleSegment);
    EXPECT_EQ(balance(kSecond), kPurse);
}

}  // namespace
}  // namespace gradient::chain
