#pragma once

#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/fraud_rules.hpp"
#include "tests/support/lying_segment.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <variant>

namespace gradient::chain {

/// A state with segments and accounts, and blocks that hold fraud transactions alone. Whatever is
/// refused must leave the state as it was, and no coin may come or go.
class FraudFixture : public testing::Test {
  protected:
    static constexpr std::uint8_t kLiar = 7;

    FraudFixture() : params_(test::tiny_params()), task_(test::tiny_task()) {
        params_.maturity_blocks = 30;
        tasks_.add(task_);
        state_.put(totals_key(), Totals{});
    }

    model::Trainer& trainer() { return trainers_.trainer_of(task_); }

    TransactionContext context() {
        return {params_, test::hash_of(0xaa), 1, height_, test::hash_of(0xbb), &tasks_, &trainers_};
    }

    static Address account(std::uint8_t key) {
        return address_of(test::tiny_key(key).public_key());
    }
    static Amount coins(std::uint64_t units) { return Amount::from_units(units).value(); }

    template <class T>
    T entry(const StateKey& key) const {
        return read_entry<T>(state_, key).value().value_or(T{});
    }
    std::uint64_t balance(std::uint8_t key) const {
        return entry<Account>(account_key(account(key))).balance.units();
    }
    Totals totals() const { return entry<Totals>(totals_key()); }
    std::optional<FraudCase> open_case(const Hash256& subject) const {
        return *read_entry<FraudCase>(state_, fraud_case_key(subject));
    }

    void mint(std::uint64_t units) {
        Totals sums = totals();
        sums.minted = *checked_add(sums.minted, coins(units));
        state_.put(totals_key(), sums);
    }
    void fund(std::uint8_t key, std::uint64_t units) {
        mint(units);
        ASSERT_TRUE(credit(state_, account(key), coins(units)));
    }

    /// Enters pay as the block at this height does after its transactions.
    void pay(std::uint8_t key, std::uint64_t units, const Hash256& segment = {}) {
        mint(units);
        const StateKey at = maturing_pay_key(height_ + params_.maturity_blocks);
        auto maturing = entry<MaturingPay>(at);
        maturing.pays.push_back({account(key), coins(units), segment});
        state_.put(at, maturing);
    }
    void include(const test::LyingSegment& made, std::uint8_t key, std::uint64_t units) {
        pay(key, units, made.id());
        state_.put(segment_key(made.id()),
                   IncludedSegment{made.segment.tmpl.miner, template_hash(made.segment.tmpl),
                                   height_, made.segment.tmpl.task, made.units(), height_});
    }

    /// The start of the next block: what matures is released, what ends is closed.
    void next_block() {
        ++height_;
        const StateKey key = maturing_pay_key(height_);
        for (const Pay& pay : entry<MaturingPay>(key).pays) {
            ASSERT_TRUE(credit(state_, pay.payee, pay.amount));
            if (!pay.segment.is_zero()) state_.erase(segment_key(pay.segment));
        }
        state_.erase(key);
        ASSERT_TRUE(close_fraud_agenda(state_, height_, params_));
        expect_conserved();
    }
    void advance_to(std::uint64_t height) {
        while (height_ < height) next_block();
    }

    /// All stages of one action, as the transaction of one account; the error if it is refused.
    template <class Action>
    std::optional<TransactionError> run(std::uint8_t key, const Action& action) {
        const StateDiff before = state_.diff().value();
        const auto refused = run_stages(key, action);
        if (refused) {
            EXPECT_EQ(state_.diff().value(), before) << describe(*refused);
        }
        expect_conserved();
        return refused;
    }

    /// Commits to a proof; the salt is one byte, repeated.
    std::optional<TransactionError> commit(std::uint8_t key, const FraudProof& proof,
                                           std::uint8_t salt = 1) {
        const Hash256 subject = subject_of(proof, tasks_).value();
        return run(key, CommitFraud{fraud_commitment(subject, account(key), test::hash_of(salt))});
    }
    std::optional<TransactionError> reveal(std::uint8_t key, const FraudProof& proof,
                                           std::uint64_t commit_height, std::uint8_t salt = 1) {
        return run(key, RevealFraud{commit_height, test::hash_of(salt), proof});
    }

    /// minted = balances + maturing + deposits + case rewards + burnt.
    void expect_conserved() const {
        std::uint64_t held = totals().burnt.units();
        for (const StateWrite& write : state_.diff().value().writes) {
            if (write.value) held += coins_in(write);
        }
        EXPECT_EQ(held, totals().minted.units()) << "height " << height_;
    }

    ConsensusParams params_;
    SharedTask task_;
    TaskSet tasks_;
    OwnTrainers trainers_;
    EmptyState base_;
    State state_{base_};
    std::uint64_t height_ = 100;

  private:
    template <class Action>
    std::optional<TransactionError> run_stages(std::uint8_t key, const Action& action) {
        const auto checked = check_fraud(action, context());
        if (!checked) return checked.error();
        const auto admitted = admit_fraud(state_, account(key), action, context());
        if (!admitted) return std::get<TransactionError>(admitted.error());
        if constexpr (std::is_same_v<Action, CommitFraud>) debit(key, params_.fraud_deposit);
        const auto applied = apply_fraud(state_, account(key), action, context());
        EXPECT_TRUE(applied) << applied.error().message;
        return std::nullopt;
    }

    // What the dispatcher does with a transaction's cost.
    void debit(std::uint8_t key, Amount amount) {
        auto owner = entry<Account>(account_key(account(key)));
        const auto rest = checked_sub(owner.balance, amount);
        ASSERT_TRUE(rest);
        owner.balance = *rest;
        state_.put(account_key(account(key)), owner);
    }

    static std::uint64_t coins_in(const StateWrite& write) {
        switch (static_cast<EntryKind>(write.key.front())) {
            case EntryKind::account:
                return decode_exact<Account>(*write.value)->balance.units();
            case EntryKind::maturing_pay: {
                std::uint64_t sum = 0;
                const auto maturing = decode_exact<MaturingPay>(*write.value).value();
                for (const Pay& pay : maturing.pays) sum += pay.amount.units();
                return sum;
            }
            case EntryKind::commitment:
                return decode_exact<FraudCommitment>(*write.value)->deposit.units();
            case EntryKind::fraud_case:
                return decode_exact<FraudCase>(*write.value)->reward.units();
            default:
                return 0;
        }
    }
};

}  // namespace gradient::chain
