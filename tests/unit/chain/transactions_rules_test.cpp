#include "chain/transactions/transaction_rules.hpp"
#include "chain/types/data.hpp"
#include "tests/support/transaction_fixture.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace gradient::chain {
namespace {

using Error = TransactionError;
using AccountRules = test::TransactionFixture;
using TransferRules = test::TransactionFixture;
using PublishRules = test::TransactionFixture;

Transfer coins_to(const Address& to, Amount amount = Amount::of_coins(3)) {
    return {to, amount};
}

Amount sum(Amount a, Amount b) {
    return *checked_add(a, b);
}

Amount difference(Amount a, Amount b) {
    return *checked_sub(a, b);
}

// -------------------------------------------------------------------------------- all kinds: check

TEST_F(AccountRules, refuses_wrong_network) {
    SignedTransaction transaction = draft(alice_, coins_to(bob()));
    transaction.network_id = kNetwork + 1;
    expect_refused(signed_by(alice_, transaction), Error::wrong_network);
}

TEST_F(AccountRules, refuses_a_signature_for_another_genesis_block) {
    SignedTransaction transaction = draft(alice_, coins_to(bob()));
    Hash256 other = genesis_;
    other.bytes[31] ^= 1;
    test::sign(transaction, alice_, other);
    expect_refused(transaction, Error::bad_signature);
}

TEST_F(AccountRules, refuses_another_key_s_signature) {
    expect_refused(signed_by(bob_, draft(alice_, coins_to(bob()))), Error::bad_signature);
}

TEST_F(AccountRules, refuses_any_flipped_bit_of_a_signature) {
    const SignedTransaction good = from_alice(coins_to(bob()));
    for (std::size_t i = 0; i < 64; i += 3) {
        SignedTransaction bad = good;
        bad.signature.bytes.at(i) ^= static_cast<std::uint8_t>(1U << (i % 8));
        expect_refused(bad, Error::bad_signature);
    }
    expect_applied(good);
}

TEST_F(AccountRules, a_signature_covers_every_field) {
    const SignedTransaction good = from_alice(coins_to(bob()));
    const auto expect_covered = [&](auto change) {
        SignedTransaction bad = good;
        change(bad);
        expect_refused(bad, Error::bad_signature);
    };
    expect_covered([&](auto& t) { t.sender = bob_.public_key(); });
    expect_covered([&](auto& t) { t.nonce += 1; });
    expect_covered([&](auto& t) { t.fee = sum(t.fee, Amount::of_units(1)); });
    expect_covered([&](auto& t) { std::get<Transfer>(t.action).to = alice(); });
    expect_covered([&](auto& t) { std::get<Transfer>(t.action).amount = Amount::of_coins(4); });
    expect_covered([&](auto& t) { t.action = FundTask{0, Amount::of_coins(3)}; });
}

TEST_F(AccountRules, refuses_a_fee_below_the_least) {
    SignedTransaction transaction = draft(alice_, coins_to(bob()));
    transaction.fee = difference(transaction.fee, Amount::of_units(1));
    expect_refused(signed_by(alice_, transaction), Error::fee_too_low);
}

TEST_F(AccountRules, least_fee_counts_every_byte) {
    const SignedTransaction transaction = from_alice(coins_to(bob()));
    const std::size_t bytes = encode(Transaction{transaction}).size();
    EXPECT_EQ(bytes, 159U);
    EXPECT_EQ(*least_fee(transaction, params_), *checked_mul(params_.byte_fee, bytes));
}

TEST_F(AccountRules, least_fee_counts_replays) {
    const auto replays_paid = [&](Action action) {
        const SignedTransaction transaction = draft(alice_, std::move(action));
        const auto bytes = checked_mul(params_.byte_fee, encoded_size(Transaction{transaction}));
        return difference(transaction.fee, *bytes).units() / params_.replay_fee.units();
    };
    EXPECT_EQ(replays_paid(create_task(test::random_letters(140'000, 1))), 3U);
    EXPECT_EQ(replays_paid(RevealFraud{1, {}, FalseUnitProof{}}), 1U);
    EXPECT_EQ(replays_paid(RevealFraud{1, {}, DoubleSegmentProof{}}), 0U);
    EXPECT_EQ(replays_paid(FundTask{1, Amount::of_coins(1)}), 0U);
}

TEST_F(AccountRules, refuses_amount_and_fee_above_the_largest_amount) {
    SignedTransaction transaction = draft(alice_, coins_to(bob(), kMaxAmount));
    expect_refused(signed_by(alice_, transaction), Error::amount_overflow);
    std::get<Transfer>(transaction.action).amount = difference(kMaxAmount, transaction.fee);
    expect_refused(signed_by(alice_, transaction), Error::insufficient_balance);
}

TEST_F(AccountRules, a_larger_amount_does_not_even_decode) {
    Bytes bytes = encode(from_alice(coins_to(bob(), kMaxAmount)));
    bytes.at(4 + 32 + 8 + 8 + 1 + 33) += 1;
    EXPECT_EQ(decode_exact<SignedTransaction>(bytes).error(), CodecError::bad_value);
}

TEST_F(AccountRules, a_checked_transaction_knows_id_sender_size_and_cost) {
    const auto transaction = std::make_shared<const SignedTransaction>(from_alice(coins_to(bob())));
    const auto checked = check_transaction(transaction, context());
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->id(), transaction_id(*transaction));
    EXPECT_EQ(checked->sender(), alice());
    EXPECT_EQ(checked->size_bytes(), encode(Transaction{*transaction}).size());
    EXPECT_EQ(checked->cost(), sum(transaction->fee, Amount::of_coins(3)));
    EXPECT_EQ(checked->least_fee(), transaction->fee);
}

TEST_F(AccountRules, only_a_false_unit_s_proof_needs_a_task) {
    FalseUnitProof proof;
    proof.tmpl.task = 5;
    EXPECT_EQ(required_task(draft(alice_, RevealFraud{1, {}, proof})), 5U);
    EXPECT_FALSE(required_task(draft(alice_, RevealFraud{1, {}, DoubleSegmentProof{}})));
    EXPECT_FALSE(required_task(draft(alice_, CancelTask{5})));
}

// -------------------------------------------------------------------------------- all kinds: admit

TEST_F(AccountRules, refuses_a_used_nonce) {
    const SignedTransaction first = from_alice(coins_to(bob()));
    expect_applied(first);
    expect_refused(first, Error::nonce_used);
    next_block(10);
    expect_refused(first, Error::nonce_used);
}

TEST_F(AccountRules, refuses_a_gap_in_the_nonces) {
    SignedTransaction transaction = draft(alice_, coins_to(bob()));
    transaction.nonce = 1;
    expect_refused(signed_by(alice_, transaction), Error::nonce_gap);
    transaction.nonce = std::numeric_limits<std::uint64_t>::max();
    expect_refused(signed_by(alice_, transaction), Error::nonce_gap);
}

TEST_F(AccountRules, of_two_transactions_with_one_nonce_the_second_is_refused) {
    const SignedTransaction first = from_alice(coins_to(bob(), Amount::of_coins(900)));
    const SignedTransaction second = from_alice(coins_to(alice(), Amount::of_coins(900)));
    expect_applied(first);
    expect_refused(second, Error::nonce_used);
}

TEST_F(AccountRules, refuses_what_the_balance_does_not_cover) {
    SignedTransaction transaction = draft(alice_, coins_to(bob()));
    auto& amount = std::get<Transfer>(transaction.action).amount;
    amount = difference(sum(Amount::of_coins(1000), Amount::of_units(1)), transaction.fee);
    expect_refused(signed_by(alice_, transaction), Error::insufficient_balance);
    amount = difference(amount, Amount::of_units(1));
    expect_applied(signed_by(alice_, transaction));
    EXPECT_EQ(account(alice()), (Account{Amount(), 1}));
}

TEST_F(AccountRules, refuses_a_sender_without_an_account) {
    expect_refused(from_bob(coins_to(alice())), Error::insufficient_balance);
}

// -------------------------------------------------------------------------------- all kinds: apply

TEST_F(AccountRules, applying_takes_cost_counts_the_transaction_and_collects_the_fee) {
    const SignedTransaction transaction = from_alice(coins_to(bob()));
    expect_applied(transaction);
    const Amount left = difference(Amount::of_coins(997), transaction.fee);
    EXPECT_EQ(account(alice()), (Account{left, 1}));
    EXPECT_EQ(tally_.fees, transaction.fee);
    EXPECT_EQ(state_->diff()->writes.size(), 2U);
}

// Fails to read one entry.
class DamagedView final : public StateView {
  public:
    DamagedView(const StateView& behind, StateKey broken)
        : behind_(behind), broken_(std::move(broken)) {}
    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override {
        if (key == broken_) return fail(bad_entry(key, "injected"));
        return behind_.get(key);
    }

  private:
    const StateView& behind_;
    StateKey broken_;
};

TEST_F(AccountRules, a_state_that_cannot_be_read_is_no_rule_and_leaves_no_trace) {
    const auto transaction = std::make_shared<const SignedTransaction>(from_alice(coins_to(bob())));
    const auto checked = check_transaction(transaction, context());
    ASSERT_TRUE(checked);
    const auto admitted = admit_transaction(base_, *checked, context(), tally_);
    ASSERT_TRUE(admitted);

    const DamagedView no_sender(base_, account_key(alice()));
    const auto refused = admit_transaction(no_sender, *checked, context(), tally_);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(std::holds_alternative<StoreError>(refused.error()));

    // The sender has been debited when the receiver turns out to be unreadable.
    const DamagedView no_receiver(base_, account_key(bob()));
    State state(no_receiver);
    BlockTally tally;
    const auto applied = apply_transaction(state, *admitted, context(), tally);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().fault, StoreFault::corrupt);
    EXPECT_EQ(*state.diff(), StateDiff{});
    EXPECT_TRUE(tally.fees.is_zero());
}

TEST_F(AccountRules, a_balance_above_all_coins_is_damage) {
    State state(base_);
    EXPECT_TRUE(credit(state, bob(), kMaxAmount));
    const auto credited = credit(state, bob(), Amount::of_units(1));
    ASSERT_FALSE(credited);
    EXPECT_EQ(credited.error().fault, StoreFault::corrupt);
    EXPECT_EQ(read_account(state, bob())->balance, kMaxAmount);
}

TEST_F(AccountRules, an_account_of_nothing_has_no_entry) {
    State state(base_);
    EXPECT_TRUE(credit(state, bob(), Amount()));
    EXPECT_EQ(*state.diff(), StateDiff{});
    EXPECT_TRUE(credit(state, bob(), Amount::of_coins(1)));
    EXPECT_NE(*state.get(account_key(bob())), nullptr);
    write_account(state, bob(), Account{});
    EXPECT_EQ(*state.get(account_key(bob())), nullptr);
    write_account(state, bob(), Account{Amount(), 1});
    EXPECT_NE(*state.get(account_key(bob())), nullptr);
}

// --------------------------------------------------------------------------------------- transfer

TEST_F(TransferRules, refuses_zero_amount) {
    expect_refused(from_alice(coins_to(bob(), Amount())), Error::zero_amount);
}

TEST_F(TransferRules, moves_coins_to_a_new_account) {
    expect_applied(from_alice(coins_to(bob())));
    EXPECT_EQ(account(bob()), (Account{Amount::of_coins(3), 0}));
}

TEST_F(TransferRules, a_transfer_to_oneself_costs_the_fee_alone) {
    const SignedTransaction transaction = from_alice(coins_to(alice()));
    expect_applied(transaction);
    const Amount left = difference(Amount::of_coins(1000), transaction.fee);
    EXPECT_EQ(account(alice()), (Account{left, 1}));
}

TEST_F(TransferRules, what_was_received_in_a_block_can_be_spent_in_it) {
    expect_applied(from_alice(coins_to(bob())));
    expect_applied(from_bob(coins_to(alice(), Amount::of_coins(1))));
    EXPECT_EQ(account(bob()).nonce, 1U);
}

// ---------------------------------------------------------------------------------------- publish

TEST_F(PublishRules, refuses_no_chunk_and_too_large_a_chunk) {
    expect_refused(from_alice(PublishData{}), Error::bad_chunk);
    expect_refused(from_alice(PublishData{Bytes(kDataChunkBytes + 1)}), Error::bad_chunk);
    expect_applied(from_alice(PublishData{Bytes(kDataChunkBytes)}));
    expect_applied(from_alice(PublishData{Bytes(1)}));
}

TEST_F(PublishRules, keeps_the_bytes_under_their_id) {
    const Bytes chunk = test::random_letters(100, 1);
    expect_applied(from_alice(PublishData{chunk}));
    const StateValue kept = *state_->get(data_chunk_key(chunk_id(chunk)));
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(*kept, chunk);
}

TEST_F(PublishRules, refuses_a_chunk_that_is_known) {
    expect_applied(from_alice(PublishData{test::random_letters(100, 1)}));
    expect_refused(from_alice(PublishData{test::random_letters(100, 1)}), Error::chunk_known);
    next_block(10);
    expect_refused(from_alice(PublishData{test::random_letters(100, 1)}), Error::chunk_known);
}

}  // namespace
}  // namespace gradient::chain
