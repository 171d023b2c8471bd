#pragma once

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "chain/share_check.hpp"
#include "chain/state/entries.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/signed_transactions.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::chain {

using SharedSegment = std::shared_ptr<const Segment>;
using SharedBlock = std::shared_ptr<const Block>;

template <class Error>
SubmitError rule(Error error) {
    return RuleError(error);
}

/// A ledger, and lanes that are run for real and stopped wherever a test wants a share. Whatever is
/// refused is checked to have changed nothing, and no coin may come or go with a block.
class ShareChain : public testing::Test {
  protected:
    explicit ShareChain(std::shared_ptr<const Network> network = test::tiny_network(4))
        : network_(std::move(network)) {
        auto store = std::make_unique<MemoryStore>();
        store_ = store.get();
        ledger_ = *Ledger::open(network_, std::move(store));
        ledger_->on_tip_change([this](const TipChange& change) { changes_.push_back(change); });
    }

    const ConsensusParams& params() const { return network_->params(); }
    const StateView& state() const { return ledger_->tip()->state(); }
    std::uint64_t height() const { return ledger_->tip()->height(); }

    // ---- lanes

    BlockTemplate work(TemplateContents contents = {}, std::uint8_t miner = 7,
                       const std::shared_ptr<const ParentState>& parent = nullptr) {
        const auto on = parent ? parent : ledger_->tip();
        return *make_template(on, std::move(contents), test::tiny_key(miner).public_key(),
                              on->context().time_ms + 1'000, trainers_);
    }

    /// Runs lanes of a template from number `lane` on until one has a hit at or after unit `least`,
    /// and ends it there.
    SharedSegment share_of(const BlockTemplate& on, std::uint8_t miner, std::uint32_t lane = 0,
                           std::uint32_t least = 1) {
        BlockTemplate own = on;
        own.tmpl.miner = test::tiny_key(miner).public_key();
        model::Trainer& trainer = trainers_.trainer_of(own.parent->task());
        Lane run = own.start_lane(lane);
        while (run.last_hit() < least) CHECK(run.step(trainer));
        auto built = build_segment(run, test::tiny_key(miner), trainer);
        CHECK(built);
        return std::make_shared<const Segment>(std::move(built->segment));
    }
    SharedSegment share(std::uint8_t miner, std::uint32_t lane = 0, std::uint32_t least = 1) {
        return share_of(work(), miner, lane, least);
    }

    /// A block of a template, with whatever it is to hold beside its own segment.
    SharedBlock block_of(const BlockTemplate& on, std::uint8_t miner = 7) {
        model::Trainer& trainer = trainers_.trainer_of(on.parent->task());
        for (std::uint32_t number = 1000;; ++number) {
            Lane lane = on.start_lane(number);
            while (!lane.full()) {
                const auto ticket = lane.step(trainer);
                CHECK(ticket);
                if (*ticket != TicketClass::win) continue;
                auto built = build_segment(lane, test::tiny_key(miner), trainer);
                CHECK(built);
                return std::make_shared<const Block>(on.assemble_block(*std::move(built)));
            }
        }
    }

    /// A block whose shares are anything at all. Its own segment starts from an empty list, so that
    /// it can only be refused or list nothing.
    SharedBlock forged_block(const std::vector<SharedSegment>& listed,
                             const std::vector<SharedSegment>& late = {},
                             const std::vector<Hash256>& ids = {}) {
        BlockTemplate on = work({{}, late_transactions(late)});
        on.tmpl.settle_root = settle_root(ids);
        Block block = *block_of(on);
        for (const SharedSegment& segment : listed) block.listed.push_back(*segment);
        return std::make_shared<const Block>(std::move(block));
    }

    static std::vector<Transaction> late_transactions(const std::vector<SharedSegment>& late) {
        std::vector<Transaction> transactions;
        for (const SharedSegment& segment : late) {
            transactions.push_back({ShareTransaction{*segment}});
        }
        return transactions;
    }

    // ---- the ledger

    Result<VerifiedShare, SubmitError> verify(const SharedSegment& segment) {
        const auto candidate = ledger_->admit_share(segment);
        if (!candidate) return fail(candidate.error());
        return verify_share(*candidate, trainers_);
    }
    /// The same once the block that includes it has included another one that it started from.
    VerifiedShare verify_after(const SharedSegment& segment, const SharedSegment& before) {
        const auto candidate = ledger_->admit_share(segment);
        CHECK(candidate);
        const SettlementContext context{params(), candidate->tasks(), trainers_};
        ShareChecker checker(state(), height() + 1, context);
        const auto first = verify(before);
        CHECK(first);
        checker.add_proven(first->outcome);
        const auto placed = checker.place(segment);
        CHECK(placed);
        const auto checked = checker.check(*placed);
        CHECK(checked);
        const SharedTask task = checker.task_of(*placed);
        const auto proven = verify_segment(*checked, trainers_.trainer_of(task));
        CHECK(proven);
        return {segment, outcome_of(*proven, encoded_size(*segment)), checked->start().state};
    }
    TemplateContents listing(const std::vector<SharedSegment>& listed,
                             const std::vector<SharedSegment>& late = {}) {
        TemplateContents contents;
        for (const SharedSegment& segment : listed) {
            auto verified = verify(segment);
            CHECK(verified);
            contents.shares.push_back(*std::move(verified));
        }
        contents.transactions = late_transactions(late);
        return contents;
    }

    Result<CommitOutcome, SubmitError> submit(const SharedBlock& block) {
        return ledger_->submit_block(block, block->header.tmpl.time_ms, trainers_);
    }
    void take(const SharedBlock& block) {
        const auto outcome = submit(block);
        ASSERT_TRUE(outcome) << describe(outcome.error());
        ASSERT_EQ(*outcome, CommitOutcome::extended);
        expect_conserved();
    }
    /// Mines a block with these contents and takes it.
    SharedBlock extend(TemplateContents contents = {}, std::uint8_t miner = 7) {
        const SharedBlock block = block_of(work(std::move(contents), miner), miner);
        take(block);
        return block;
    }
    void extend_by(int count) {
        for (int i = 0; i < count; ++i) extend();
    }

    void refuses(const SharedBlock& block, const SubmitError& expected) {
        const auto before = test::contents(*store_, test::kAllTables);
        const auto tip = ledger_->tip();
        const std::size_t changes = changes_.size();
        const auto result = submit(block);
        ASSERT_FALSE(result) << "not refused: " << describe(expected);
        EXPECT_EQ(result.error(), expected)
            << describe(result.error()) << " / " << describe(expected);
        EXPECT_EQ(test::contents(*store_, test::kAllTables), before);
        EXPECT_EQ(ledger_->tip(), tip);
        EXPECT_EQ(changes_.size(), changes);
    }
    /// A share of one of the rounds before the last breaks a rule, alone and in a block.
    void refuses_late(const SharedSegment& segment, SegmentError error) {
        const auto alone = verify(segment);
        ASSERT_FALSE(alone) << describe(error);
        EXPECT_EQ(alone.error(), rule(error)) << describe(alone.error());
        refuses(forged_block({}, {segment}), rule(error));
    }
    /// The same of a share of the last round. As a copy of a block may list anything, it says
    /// nothing of the block's id.
    void refuses_listed(const SharedSegment& segment, SegmentError error) {
        const auto alone = verify(segment);
        ASSERT_FALSE(alone) << describe(error);
        EXPECT_EQ(alone.error(), rule(error)) << describe(alone.error());
        refuses(forged_block({segment}), rule(ListedError{error}));
        EXPECT_EQ(blame(rule(ListedError{error})), Consequence::malformed);
    }

    // ---- the state

    template <class T>
    T entry(const StateKey& key) const {
        return read_entry<T>(state(), key).value().value_or(T{});
    }
    static Address address(std::uint8_t key) {
        return address_of(test::tiny_key(key).public_key());
    }
    Amount balance(std::uint8_t key) const {
        return entry<Account>(account_key(address(key))).balance;
    }

    void scan(const std::function<void(const StateKey&, ByteSpan)>& visit) const {
        const StoredState stored(store_->snapshot());
        ASSERT_TRUE(stored.scan([&](const StateKey& key, ByteSpan value) {
            visit(key, value);
            return true;
        }));
    }

    /// minted = balances + maturing + escrows + deposits + case rewards + burnt.
    void expect_conserved() const {
        std::uint64_t held = entry<Totals>(totals_key()).burnt.units();
        scan([&](const StateKey& key, ByteSpan value) { held += coins_in(key, value); });
        EXPECT_EQ(held, entry<Totals>(totals_key()).minted.units()) << "height " << height();
    }

    // ---- signed transactions

    Transaction sign(std::uint8_t key, Action action, std::uint64_t after = 0) const {
        SignedTransaction made;
        made.network_id = network_->spec.network_id;
        made.sender = test::tiny_key(key).public_key();
        made.nonce = entry<Account>(account_key(address(key))).nonce + after;
        made.action = std::move(action);
        made.fee = *least_fee(made, params());
        test::sign(made, test::tiny_key(key), network_->genesis.id);
        return {made};
    }
    static Amount fee_of(const Transaction& transaction) {
        return std::get<SignedTransaction>(transaction.content).fee;
    }

    std::shared_ptr<const Network> network_;
    OwnTrainers trainers_;
    MemoryStore* store_ = nullptr;
    std::unique_ptr<Ledger> ledger_;
    std::vector<TipChange> changes_;

  private:
    static std::uint64_t coins_in(const StateKey& key, ByteSpan value) {
        switch (static_cast<EntryKind>(key.front())) {
            case EntryKind::account:
                return decode_exact<Account>(value)->balance.units();
            case EntryKind::maturing_pay: {
                std::uint64_t sum = 0;
                const auto maturing = decode_exact<MaturingPay>(value).value();
                for (const Pay& pay : maturing.pays) sum += pay.amount.units();
                return sum;
            }
            case EntryKind::task_account:
                return decode_exact<TaskAccount>(value)->escrow.units();
            case EntryKind::commitment:
                return decode_exact<FraudCommitment>(value)->deposit.units();
            case EntryKind::fraud_case:
                return decode_exact<FraudCase>(value)->reward.units();
            default:
                return 0;
        }
    }
};

}  // namespace gradient::chain
