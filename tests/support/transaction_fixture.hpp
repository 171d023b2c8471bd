#pragma once

#include "chain/consensus/params.hpp"
#include "chain/crypto/address.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "tests/support/memory_state.hpp"
#include "tests/support/signed_transactions.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace gradient::test {

/// A small ledger: Alice has a thousand coins, Bob none. Tests say what is sent and what comes of
/// it; that a refusal leaves no trace is asserted after each.
class TransactionFixture : public testing::Test {
  public:
    static constexpr std::uint32_t kNetwork = 77;

    TransactionFixture() {
        params_.work.hits_per_win = 4;
        genesis_.bytes.fill(0x47);
        parent_.bytes.fill(0x50);
        chain::State start(base_);
        EXPECT_TRUE(chain::credit(start, alice(), chain::Amount::of_coins(1000)));
        base_.apply(*start.diff());
        restart();
    }

    [[nodiscard]] chain::Address alice() const { return chain::address_of(alice_.public_key()); }
    [[nodiscard]] chain::Address bob() const { return chain::address_of(bob_.public_key()); }

    /// A new block on the base: what was sent before is gone.
    void restart() {
        state_ = std::make_unique<chain::State>(base_);
        tally_ = {};
    }
    /// A new block on top of what was sent before.
    void next_block(std::uint64_t height) {
        base_.apply(*state_->diff());
        height_ = height;
        restart();
    }

    [[nodiscard]] chain::TransactionContext context() const {
        return {params_, genesis_, kNetwork, height_, parent_, nullptr, nullptr};
    }

    /// A transaction that pays the least fee and names the account's nonce, not yet signed.
    [[nodiscard]] chain::SignedTransaction draft(const chain::SecretKey& sender,
                                                 chain::Action action) const {
        chain::SignedTransaction transaction;
        transaction.network_id = kNetwork;
        transaction.sender = sender.public_key();
        transaction.nonce = account(chain::address_of(sender.public_key())).nonce;
        transaction.action = std::move(action);
        transaction.fee = *chain::least_fee(transaction, params_);
        return transaction;
    }
    [[nodiscard]] chain::SignedTransaction signed_by(const chain::SecretKey& key,
                                                     chain::SignedTransaction transaction) const {
        sign(transaction, key, genesis_);
        return transaction;
    }
    [[nodiscard]] chain::SignedTransaction from_alice(chain::Action action) const {
        return signed_by(alice_, draft(alice_, std::move(action)));
    }
    [[nodiscard]] chain::SignedTransaction from_bob(chain::Action action) const {
        return signed_by(bob_, draft(bob_, std::move(action)));
    }

    /// Sends it through all three stages: nothing, or why it was refused.
    std::optional<chain::TransactionError> send(const chain::SignedTransaction& transaction) {
        const auto checked = chain::check_transaction(
            std::make_shared<const chain::SignedTransaction>(transaction), context());
        if (!checked) return checked.error();
        const auto admitted = chain::admit_transaction(*state_, *checked, context(), tally_);
        if (!admitted) return std::get<chain::TransactionError>(admitted.error());
        EXPECT_TRUE(chain::apply_transaction(*state_, *admitted, context(), tally_));
        return std::nullopt;
    }
    void expect_applied(const chain::SignedTransaction& transaction) {
        const auto refused = send(transaction);
        EXPECT_FALSE(refused) << chain::describe(*refused);
    }
    void expect_refused(const chain::SignedTransaction& transaction,
                        chain::TransactionError error) {
        const auto entries = base_.entries();
        const auto diff = state_->diff();
        const chain::BlockTally tally = tally_;
        const auto refused = send(transaction);
        ASSERT_TRUE(refused) << "not refused: " << chain::describe(error);
        EXPECT_EQ(*refused, error) << chain::describe(*refused) << " / " << chain::describe(error);
        EXPECT_EQ(*state_->diff(), *diff);
        EXPECT_EQ(base_.entries(), entries);
        EXPECT_EQ(tally_.fees, tally.fees);
        EXPECT_EQ(tally_.creations, tally.creations);
    }

    [[nodiscard]] chain::Account account(const chain::Address& owner) const {
        return *chain::read_account(*state_, owner);
    }
    [[nodiscard]] chain::TaskAccount task_account(std::uint32_t task) const {
        return *chain::require_entry<chain::TaskAccount>(*state_, chain::task_account_key(task));
    }
    [[nodiscard]] chain::TaskList task_list() const { return *chain::read_task_list(*state_); }

    /// A text that is on the chain, and a task that trains on it.
    void publish(chain::ByteSpan data) {
        for (std::uint64_t i = 0; i < chain::chunk_count(data.size()); ++i) {
            const chain::ByteSpan chunk = chain::chunk_of(data, i);
            state_->set(chain::data_chunk_key(chain::chunk_id(chunk)),
                        std::make_shared<const chain::Bytes>(chunk.begin(), chunk.end()));
        }
    }
    [[nodiscard]] static chain::CreateTask create_task(chain::ByteSpan data) {
        chain::CreateTask create;
        create.shape = cheapest_text_shape();
        create.data_bytes = data.size();
        create.chunks = chunk_ids(data);
        create.unit_budget = 1000;
        create.pay_per_hit = chain::Amount::of_coins(1);
        create.escrow = chain::Amount::of_coins(10);
        return create;
    }

  protected:
    chain::SecretKey alice_ = numbered_key(1);
    chain::SecretKey bob_ = numbered_key(2);
    chain::ConsensusParams params_;
    chain::Hash256 genesis_;
    chain::Hash256 parent_;
    std::uint64_t height_ = 9;
    chain::MemoryState base_;
    std::unique_ptr<chain::State> state_;
    chain::BlockTally tally_;
};

}  // namespace gradient::test
