#include "chain/ledger.hpp"

#include "chain/state/settlement.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/work/digests.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace gradient::chain {
namespace {

using test::contents;
using test::kAllTables;
using test::mine_on;

template <class Error>
SubmitError rule(Error error) {
    return RuleError(error);
}

// A ledger with a few blocks. Every refusal is checked to have changed nothing.
class Ledgers : public testing::Test {
  protected:
    void SetUp() override {
        auto store = std::make_unique<MemoryStore>();
        store_ = store.get();
        ledger_ = *Ledger::open(network_, std::move(store));
        ledger_->on_tip_change([this](const TipChange& change) { changes_.push_back(change); });
    }

    std::shared_ptr<const Block> mine(std::uint8_t miner = 7) {
        return mine_on(ledger_->tip(), trainer_, miner);
    }

    Result<CommitOutcome, SubmitError> submit(const std::shared_ptr<const Block>& block) {
        return ledger_->submit_block(block, block->header.tmpl.time_ms, trainer_);
    }

    void extend(int count, std::uint8_t miner = 7) {
        for (int i = 0; i < count; ++i) ASSERT_EQ(submit(mine(miner)), CommitOutcome::extended);
    }

    // Submits a block and expects this error and no other effect.
    void refuses(const std::shared_ptr<const Block>& block, const SubmitError& expected) {
        const auto before = contents(*store_, kAllTables);
        const auto tip = ledger_->tip();
        const std::size_t changes = changes_.size();
        const auto result = submit(block);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error(), expected) << describe(result.error());
        EXPECT_EQ(contents(*store_, kAllTables), before);
        EXPECT_EQ(ledger_->tip(), tip);
        EXPECT_EQ(changes_.size(), changes);
    }

    // A block on the tip that differs from an honest one by what `change` does to its template; it
    // is mined for real.
    std::shared_ptr<const Block> mine_changed(const std::function<void(Template&)>& change) {
        BlockTemplate work = *make_template(ledger_->tip(), {}, test::tiny_key().public_key(),
                                            ledger_->tip()->context().time_ms + 1'000, trainer_);
        model::Trainer& trainer = trainer_.trainer_of(network_->task);
        change(work.tmpl);
        for (std::uint32_t number = 0;; ++number) {
            Lane lane = work.start_lane(number);
            test::run_to_win(lane, trainer);
            if (lane.units() < 2) continue;
            return std::make_shared<const Block>(
                work.assemble_block(*build_segment(lane, test::tiny_key(), trainer)));
        }
    }

    std::shared_ptr<const Network> network_ = test::tiny_network();
    OwnTrainers trainer_;
    MemoryStore* store_ = nullptr;
    std::unique_ptr<Ledger> ledger_;
    std::vector<TipChange> changes_;
};

TEST_F(Ledgers, start_at_genesis) {
    EXPECT_EQ(ledger_->tip()->id(), network_->genesis.id);
    EXPECT_EQ(ledger_->tip()->height(), 0U);
    EXPECT_EQ(ledger_->tip()->index().state_root, network_->genesis.state_root);
    EXPECT_EQ(*ledger_->id_at(0), network_->genesis.id);
    EXPECT_EQ(*ledger_->id_at(1), std::nullopt);
}

TEST_F(Ledgers, take_blocks_and_say_so) {
    const auto first = mine();
    ASSERT_EQ(submit(first), CommitOutcome::extended);
    ASSERT_EQ(changes_.size(), 1U);
    EXPECT_EQ(changes_[0].old_tip, network_->genesis.id);
    EXPECT_EQ(changes_[0].tip->id(), header_id(first->header));
    EXPECT_TRUE(changes_[0].undone.empty());
    EXPECT_EQ(changes_[0].redone, std::vector<Hash256>{header_id(first->header)});
    EXPECT_EQ(**ledger_->block(header_id(first->header)), *first);
    extend(2);
    EXPECT_EQ(ledger_->tip()->height(), 3U);
    EXPECT_EQ((*ledger_->index(ledger_->tip()->id()))->height(), 3U);
}

TEST_F(Ledgers, theta_0_is_the_winners_result) {
    // With one segment a round, the model goes on exactly where the winner's lane ended.
    const BlockTemplate work =
        *make_template(ledger_->tip(), {}, test::tiny_key().public_key(), 1, trainer_);
    model::Trainer& trainer = trainer_.trainer_of(network_->task);
    Lane lane = work.start_lane(0);
    test::run_to_win(lane, trainer);
    const std::vector<std::int32_t> final(lane.parameters().begin(), lane.parameters().end());
    const auto block = std::make_shared<const Block>(
        work.assemble_block(*build_segment(lane, test::tiny_key(), trainer)));
    ASSERT_EQ(submit(block), CommitOutcome::extended);
    EXPECT_EQ(*ledger_->tip()->start().parameters, final);

    const StateView& state = ledger_->tip()->state();
    const auto round = *require_entry<PendingRound>(state, pending_round_key());
    EXPECT_EQ(round.round, 1U);
    EXPECT_EQ(round.task, kGenesisTask);
    EXPECT_EQ(require_entry<Contribution>(state, contribution_key(round.winner))->units,
              block->header.units);
    // The model itself follows one block later.
    EXPECT_EQ(*require_parameters(state, model_key(kGenesisTask)),
              *work.parent->start().parameters);
    extend(1);
    const StateView& next = ledger_->tip()->state();
    EXPECT_EQ(*require_parameters(next, model_key(kGenesisTask)), final);
    const auto progress = *require_entry<TaskProgress>(next, progress_key(kGenesisTask));
    EXPECT_EQ(progress.model_digest, model_digest(final));
    EXPECT_EQ(progress.settled_rounds, 1U);
    EXPECT_EQ(progress.units_claimed, block->header.units);
    EXPECT_EQ(progress.last_height, 2U);
}

TEST_F(Ledgers, pay_matures_and_adds_up) {
    const Address miner = address_of(test::tiny_key(7).public_key());
    const auto balance = [&] {
        const auto account = *read_entry<Account>(ledger_->tip()->state(), account_key(miner));
        return account.value_or(Account{}).balance;
    };
    Amount minted;
    std::vector<Amount> pays;
    for (std::uint64_t height = 1; height <= 8; ++height) {
        extend(1);
        const StateView& state = ledger_->tip()->state();
        const auto maturing = *require_entry<MaturingPay>(
            state, maturing_pay_key(height + network_->params().maturity_blocks));
        // What its segment has earned, and what it has as the block's miner.
        ASSERT_EQ(maturing.pays.size(), 2U);
        EXPECT_EQ(maturing.pays[0].payee, miner);
        EXPECT_EQ(maturing.pays[1], (Pay{miner, network_->params().block_reward, {}}));
        pays.push_back(*checked_add(maturing.pays[0].amount, maturing.pays[1].amount));
        minted = *checked_add(minted, pays.back());
        EXPECT_EQ(require_entry<Totals>(state, totals_key())->minted, minted);

        Amount mature;
        for (std::uint64_t earned = 1; earned + network_->params().maturity_blocks <= height;
             ++earned) {
            mature = *checked_add(mature, pays[earned - 1]);
        }
        EXPECT_EQ(balance(), mature) << "height " << height;
    }
}

TEST_F(Ledgers, prove_an_account_to_a_holder_of_headers) {
    extend(5);
    const StateKey key = account_key(address_of(test::tiny_key(7).public_key()));
    const StateProof proof = *ledger_->tip()->prove(key);
    const StateValue value = *ledger_->tip()->state().get(key);
    ASSERT_TRUE(value);
    // The next header commits to the state after this block.
    const auto next = mine();
    EXPECT_TRUE(verify_inclusion(next->header.tmpl.state_root, key, *value, proof));
    const StateKey other = account_key(address_of(test::tiny_key(8).public_key()));
    EXPECT_TRUE(
        verify_exclusion(next->header.tmpl.state_root, other, *ledger_->tip()->prove(other)));
}

TEST_F(Ledgers, refuse_a_known_block) {
    const auto block = mine();
    ASSERT_TRUE(submit(block));
    refuses(block, LedgerError::duplicate);
}

TEST_F(Ledgers, refuse_an_orphan_without_blame) {
    const auto parent = mine();
    ASSERT_TRUE(submit(parent));
    const auto orphan = mine();
    SetUp();
    refuses(orphan, rule(HeaderError::unknown_parent));
    EXPECT_EQ(blame(rule(HeaderError::unknown_parent)), Consequence::not_yet);
    ASSERT_TRUE(submit(parent));
    EXPECT_TRUE(submit(orphan));
}

TEST_F(Ledgers, refuse_a_state_root_off_by_one_bit) {
    extend(1);
    const auto block = mine_changed([](Template& tmpl) { tmpl.state_root.bytes[9] ^= 1; });
    refuses(block, rule(BlockError::wrong_state_root));
    // The id is condemned, and so is what stands on it.
    refuses(block, LedgerError::condemned);
    Block child = *block;
    child.header.tmpl.parent = header_id(block->header);
    child.header.tmpl.height += 1;
    refuses(std::make_shared<const Block>(child), LedgerError::condemned);
}

TEST_F(Ledgers, refuse_wrong_headers) {
    extend(1);
    refuses(mine_changed([](Template& tmpl) { tmpl.history_root.bytes[0] ^= 1; }),
            rule(HeaderError::wrong_history_root));
    refuses(mine_changed([](Template& tmpl) { tmpl.time_ms -= 1'000; }),
            rule(HeaderError::time_not_after_parent));
    refuses(mine_changed([](Template& tmpl) { tmpl.height += 1; }),
            rule(HeaderError::wrong_height));
}

TEST_F(Ledgers, hold_a_header_from_the_future_without_condemning_it) {
    const auto block = mine();
    const std::uint64_t early = block->header.tmpl.time_ms - network_->params().max_future_ms - 1;
    const auto result = ledger_->submit_block(block, early, trainer_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), rule(HeaderError::time_too_far));
    EXPECT_TRUE(submit(block));
}

TEST_F(Ledgers, refuse_altered_witnesses_and_take_the_true_copy_afterwards) {
    const auto block = mine_changed([](Template&) {});
    Block altered = *block;
    altered.winner.signature.bytes[0] ^= 1;
    refuses(std::make_shared<const Block>(altered), rule(SegmentError::bad_signature));
    altered = *block;
    altered.winner.digests[0].bytes[0] ^= 1;
    refuses(std::make_shared<const Block>(altered), rule(SegmentError::wrong_last_digest));
    altered = *block;
    altered.winner.openings.back().before.loss += 1;
    refuses(std::make_shared<const Block>(altered), rule(SegmentError::opening_differs));
    altered = *block;
    altered.winner.openings.pop_back();
    refuses(std::make_shared<const Block>(altered), rule(SegmentError::missing_hit));
    altered = *block;
    altered.transactions.emplace_back();
    refuses(std::make_shared<const Block>(altered), rule(BlockError::wrong_transaction_root));
    EXPECT_EQ(submit(block), CommitOutcome::extended);
}

TEST_F(Ledgers, keep_the_first_of_two_equal_branches_and_leave_it_for_more_work) {
    extend(1);
    const auto fork = ledger_->tip();
    const auto a1 = mine_on(fork, trainer_, 1);
    const auto b1 = mine_on(fork, trainer_, 2);
    ASSERT_EQ(submit(a1), CommitOutcome::extended);
    ASSERT_EQ(submit(b1), CommitOutcome::side_branch);
    EXPECT_EQ(ledger_->tip()->id(), header_id(a1->header));

    const auto b1_state = *ledger_->state_after(header_id(b1->header));
    const auto b2 = mine_on(b1_state, trainer_, 2);
    ASSERT_EQ(submit(b2), CommitOutcome::reorganised);
    EXPECT_EQ(ledger_->tip()->id(), header_id(b2->header));
    EXPECT_EQ(changes_.back().undone, std::vector<Hash256>{header_id(a1->header)});
    EXPECT_EQ(changes_.back().redone,
              (std::vector<Hash256>{header_id(b1->header), header_id(b2->header)}));

    // And back again, over two blocks.
    auto parent = *ledger_->state_after(header_id(a1->header));
    for (int i = 0; i < 2; ++i) {
        const auto block = mine_on(parent, trainer_, 1);
        ASSERT_TRUE(submit(block));
        parent = *ledger_->state_after(header_id(block->header));
    }
    EXPECT_EQ(ledger_->tip()->id(), parent->id());
    EXPECT_EQ(ledger_->tip()->height(), 4U);
}

TEST_F(Ledgers, templates_keep_their_state_while_the_ledger_moves_on) {
    const auto old = ledger_->tip();
    const Hash256 root = old->index().state_root;
    const auto late = mine_on(old, trainer_, 3);
    extend(3);
    EXPECT_EQ(*old->root_after({}), root);
    EXPECT_EQ(submit(late), CommitOutcome::side_branch);
}

TEST_F(Ledgers, two_candidates_in_flight_commit_in_any_order) {
    const auto parent = ledger_->tip();
    const auto first = mine_on(parent, trainer_, 1);
    const auto second = mine_on(parent, trainer_, 2);
    const auto one = *ledger_->admit(first, first->header.tmpl.time_ms);
    const auto two = *ledger_->admit(second, second->header.tmpl.time_ms);
    const auto verified_one = *verify_candidate(one, trainer_);
    const auto verified_two = *verify_candidate(two, trainer_);
    EXPECT_EQ(ledger_->commit(verified_two), CommitOutcome::extended);
    EXPECT_EQ(ledger_->commit(verified_one), CommitOutcome::side_branch);
    EXPECT_EQ(ledger_->commit(verified_one).error(), SubmitError(LedgerError::duplicate));
}

TEST_F(Ledgers, survive_on_disk) {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "db").string();
    Hash256 tip;
    {
        auto store = LevelDbStore::open(path, OpenMode::create_if_missing);
        ledger_ = *Ledger::open(network_, *std::move(store));
        extend(5);
        tip = ledger_->tip()->id();
        ledger_.reset();
    }
    auto store = LevelDbStore::open(path, OpenMode::must_exist);
    ledger_ = *Ledger::open(network_, *std::move(store));
    EXPECT_EQ(ledger_->tip()->id(), tip);
    extend(2);
    EXPECT_EQ(ledger_->tip()->height(), 7U);
}

}  // namespace
}  // namespace gradient::chain
