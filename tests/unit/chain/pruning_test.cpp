// What pruning takes, what it leaves, and how a ledger goes on without it.
#include "chain/pruning.hpp"

#include "chain/audit.hpp"
#include "chain/ledger.hpp"
#include "chain/storage/record.hpp"
#include "chain/storage/stored_state.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/counting_store.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/signed_transactions.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

using test::contents;

constexpr std::uint64_t kBlocks = 42;
constexpr std::uint64_t kFloor = 23;  // tiny_spec's maturity 3, and 20

// Everything that is stored: those of chain_contents.hpp and what pruning adds.
constexpr std::string_view kEveryTable = "vtahbedmsnulwpiyx";

// One chain for all tests: a transfer in block 8, a listed share in 9, a late one in 10, and side
// branches of two blocks each that leave it above block 5 and above block 30.
struct Grown {
    std::shared_ptr<const Network> network = test::tiny_network(2);
    test::StorePtr store = std::make_shared<MemoryStore>();
    std::vector<Hash256> ids;         // of the active chain, by height
    std::vector<Hash256> early_side;  // above block 5
    std::vector<Hash256> late_side;   // above block 30

    Grown() {
        OwnTrainers trainers;
        auto ledger = test::open_ledger(network, store);
        ids.push_back(network->genesis.id);
        while (ids.size() <= kBlocks) {
            ids.push_back(*test::grow(*ledger, ids.back(), trainers, 7, contents_for(*ledger)));
            if (ids.size() == 9) early_side = branch(*ledger, ids[5], trainers);
            if (ids.size() == 34) late_side = branch(*ledger, ids[30], trainers);
        }
    }

    static std::vector<Hash256> branch(Ledger& ledger, const Hash256& fork, Trainers& trainers) {
        const Hash256 first = *test::grow(ledger, fork, trainers, 9);
        return {first, *test::grow(ledger, first, trainers, 9)};
    }

    TemplateContents contents_for(Ledger& ledger) {
        OwnTrainers trainers;
        TemplateContents contents;
        const std::uint64_t height = ids.size();
        if (height == 8) {
            SignedTransaction transfer;
            transfer.network_id = network->spec.network_id;
            transfer.sender = test::tiny_key(7).public_key();
            transfer.fee = Amount::of_units(10'000);
            transfer.action =
                Transfer{address_of(test::tiny_key(3).public_key()), Amount::of_units(77)};
            test::sign(transfer, test::tiny_key(7), network->genesis.id);
            contents.transactions.push_back({transfer});
        }
        if (height == 9) contents.shares = {test::mine_share(ledger, ids[7], trainers, 4)};
        if (height == 10) {
            const auto late = test::mine_share(ledger, ids[7], trainers, 5);
            contents.transactions.push_back({ShareTransaction{*late.segment}});
        }
        return contents;
    }
};

class Pruning : public testing::Test {
  protected:
    static const Grown& grown() {
        static const Grown kGrown;
        return kGrown;
    }

    std::unique_ptr<Ledger> open() { return test::open_ledger(network_, store_); }

    static PruneStep prune_all(Ledger& ledger, const PrunePolicy& policy) {
        PruneStep sum;
        for (;;) {
            const auto step = ledger.prune(policy);
            EXPECT_TRUE(step) << step.error().message;
            if (!step) return sum;
            sum.bodies += step->bodies;
            sum.undo += step->undo;
            sum.side_blocks += step->side_blocks;
            if (step->finished) return sum;
        }
    }

    bool whole(std::uint64_t height) const {
        return BlockReader(*store_).block(ids_[height])->has_value();
    }
    bool has_undo(std::uint64_t height) const {
        return BlockReader(*store_).diff(ids_[height])->has_value();
    }

    // A block on a stored one, whose state the unpruned chain still has.
    std::shared_ptr<const Block> mine_above(const Hash256& parent, std::uint8_t miner) {
        const auto unpruned = test::open_ledger(network_, test::copy_of(*grown().store));
        return test::mine_on(*unpruned->state_after(parent), trainers_, miner);
    }

    const Grown& grown_ = grown();
    std::shared_ptr<const Network> network_ = grown_.network;
    const std::vector<Hash256>& ids_ = grown_.ids;
    test::StorePtr store_ = test::copy_of(*grown_.store);
    OwnTrainers trainers_;
};

TEST_F(Pruning, no_policy_prunes_nothing) {
    const auto ledger = open();
    const auto step = ledger->prune({});
    ASSERT_TRUE(step);
    EXPECT_TRUE(step->finished);
    EXPECT_EQ(contents(*store_, kEveryTable), contents(*grown_.store, kEveryTable));
}

TEST_F(Pruning, bodies_below_the_kept_ones_become_stubs) {
    const auto ledger = open();
    const PruneStep sum = prune_all(*ledger, {30, 0});
    EXPECT_EQ(sum.bodies, kBlocks - 30);
    EXPECT_EQ(sum.undo, 0U);
    for (std::uint64_t height = 1; height <= kBlocks; ++height) {
        EXPECT_EQ(whole(height), height > kBlocks - 30) << height;
        EXPECT_EQ((*ledger->evidence(ids_[height])).has_value(), whole(height)) << height;
        EXPECT_TRUE(has_undo(height));
    }
    EXPECT_TRUE(whole(0));
    EXPECT_EQ(ledger->kept()->bodies, kBlocks - 29);
    EXPECT_EQ(ledger->kept()->undo, 0U);
}

TEST_F(Pruning, stubs_are_small_and_tell_what_the_block_included) {
    const auto before = open();
    std::vector<Ledger::BlockOutline> outlines;
    for (const Hash256& id : ids_) outlines.push_back(**before->outline(id));
    const auto bytes = [this](std::string_view tables) {
        std::size_t sum = 0;
        for (const auto& [key, value] : contents(*store_, tables)) sum += key.size() + value.size();
        return sum;
    };
    const std::size_t bodies = bytes("b");
    prune_all(*before, {kFloor, 0});

    for (std::size_t height = 0; height < ids_.size(); ++height) {
        const auto outline = before->outline(ids_[height]);
        ASSERT_TRUE(outline && *outline) << height;
        EXPECT_EQ((*outline)->stub, outlines[height].stub);
        EXPECT_EQ((*outline)->segments, outlines[height].segments);
    }
    const auto transfer = (*before->outline(ids_[8]))->stub.transactions;
    ASSERT_EQ(transfer.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<SignedTransaction>(transfer[0].content));
    EXPECT_EQ((*before->outline(ids_[9]))->segments.listed.size(), 1U);
    EXPECT_EQ((*before->outline(ids_[10]))->segments.late.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<Hash256>(
        (*before->outline(ids_[10]))->stub.transactions.at(0).content));
    EXPECT_LT(bytes("bu"), bodies * 7 / 10);
    EXPECT_LT(bytes("u"), 2000U);
}

TEST_F(Pruning, transactions_are_found_and_audited_in_whole_blocks_and_in_stubs) {
    const BlockReader reader(*store_);
    const auto check = [&](std::uint64_t height) {
        const auto ids = *reader.transaction_ids(ids_[height]);
        ASSERT_EQ(ids.size(), 1U);
        EXPECT_EQ(*reader.transaction_height(ids[0]), height);
        const auto put = [&](std::uint64_t stored) {
            WriteBatch batch;
            BlockWriter(batch).put_transaction(ids[0], stored);
            ASSERT_TRUE(store_->write(batch, Durability::synced));
        };
        put(height + 1);
        const auto audit = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
        ASSERT_FALSE(audit);
        EXPECT_EQ(audit.error().height, height);
        EXPECT_NE(audit.error().rule.find("height of a transaction"), std::string::npos);
        put(height);
        EXPECT_TRUE(audit_chain(network_, *store_, AuditDepth::openings, nullptr));
    };
    check(8);
    check(10);
    const auto ledger = open();
    prune_all(*ledger, {kFloor, 0});
    EXPECT_FALSE(whole(10));
    check(8);
    check(10);
}

TEST_F(Pruning, a_stub_that_its_header_does_not_commit_to_is_damage) {
    const auto ledger = open();
    prune_all(*ledger, {kFloor, kFloor});
    WriteBatch batch;
    BlockWriter(batch).put_stub(ids_[8], BlockStub());
    BlockWriter(batch).put_included(ids_[9], IncludedSegments{{test::hash_of(1)}, {}});
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    EXPECT_EQ(ledger->outline(ids_[8]).error().fault, StoreFault::corrupt);
    EXPECT_EQ(ledger->outline(ids_[9]).error().fault, StoreFault::corrupt);
}

TEST_F(Pruning, headers_and_their_range_stay) {
    const auto ledger = open();
    prune_all(*ledger, {kFloor, kFloor});
    for (const std::string_view tables : {"tamsnvl", "l"}) {
        EXPECT_EQ(contents(*store_, tables), contents(*grown_.store, tables));
    }
    for (const Hash256& id : ids_) EXPECT_TRUE(ledger->index(id)->has_value());
}

TEST_F(Pruning, no_policy_reaches_above_maturity_and_its_margin) {
    EXPECT_EQ(prune_floor(network_->params()), kFloor);
    const auto ledger = open();
    prune_all(*ledger, {1, 1});
    EXPECT_TRUE(whole(kBlocks + 1 - kFloor));
    EXPECT_TRUE(has_undo(kBlocks + 1 - kFloor));
    EXPECT_FALSE(whole(kBlocks - kFloor));
    EXPECT_FALSE(has_undo(kBlocks - kFloor));
}

TEST_F(Pruning, undo_is_never_pruned_above_the_bodies) {
    const auto ledger = open();
    prune_all(*ledger, {35, kFloor});
    EXPECT_EQ(ledger->kept()->bodies, kBlocks - 34);
    EXPECT_EQ(ledger->kept()->undo, kBlocks - 34);
    prune_all(*ledger, {kFloor, 30});
    EXPECT_EQ(ledger->kept()->bodies, kBlocks + 1 - kFloor);
    EXPECT_EQ(ledger->kept()->undo, kBlocks - 29);
}

TEST_F(Pruning, nothing_is_pruned_where_the_work_floor_lets_side_branches_fork) {
    WriteBatch batch;
    const auto low = BlockReader(*store_).require_index(ids_[3]);
    const auto step = add_prune_step(batch, *store_, kBlocks, low->cumulative_work,
                                     network_->params(), {kFloor, kFloor}, 100);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->bodies, 3U);
    EXPECT_EQ(step->undo, 3U);
    EXPECT_TRUE(step->finished);
}

TEST_F(Pruning, side_branches_that_fork_below_go_whole_and_others_stay) {
    const auto ledger = open();
    const PruneStep sum = prune_all(*ledger, {kFloor, kFloor});
    EXPECT_EQ(sum.side_blocks, 2U);
    for (const Hash256& id : grown_.early_side) {
        EXPECT_FALSE(ledger->index(id)->has_value());
        for (const char table : std::string_view("bdul")) {
            Bytes key{static_cast<std::uint8_t>(table)};
            key.insert(key.end(), id.bytes.begin(), id.bytes.end());
            EXPECT_FALSE(store_->get(key)->has_value()) << table;
        }
    }
    for (const Hash256& id : grown_.late_side) {
        EXPECT_TRUE(ledger->block(id)->has_value());
        const auto state = ledger->state_after(id);
        ASSERT_TRUE(state);
        EXPECT_EQ(*(*state)->root_after({}), (*state)->index().state_root);
    }
    ASSERT_EQ(BlockReader(*store_).side_blocks()->size(), 2U);
}

TEST_F(Pruning, a_long_side_branch_goes_whole_though_its_end_lies_above) {
    Hash256 end = grown_.early_side.back();
    {
        const auto ledger = open();
        for (int i = 0; i < 16; ++i) {  // up to height 23, above the 19 that is pruned
            const auto block = test::mine_on(*ledger->state_after(end), trainers_, 9);
            const auto candidate = ledger->admit(block, block->header.tmpl.time_ms, U256::max());
            ASSERT_TRUE(candidate) << describe(candidate.error());
            ASSERT_TRUE(ledger->commit(*verify_candidate(*candidate, trainers_)));
            end = header_id(block->header);
        }
        EXPECT_EQ(prune_all(*ledger, {kFloor, kFloor}).side_blocks, 18U);
        EXPECT_FALSE(ledger->index(end)->has_value());
    }
}

TEST_F(Pruning, the_state_after_a_pruned_ancestor_is_refused_with_one_sentence) {
    const auto ledger = open();
    prune_all(*ledger, {kFloor, kFloor});
    const std::uint64_t last = kBlocks - kFloor;  // its child's undo is the first that is kept
    const auto kept = ledger->state_after(ids_[last]);
    ASSERT_TRUE(kept);
    EXPECT_EQ(*(*kept)->root_after({}), (*kept)->index().state_root);
    const auto gone = ledger->state_after(ids_[last - 1]);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().fault, StoreFault::pruned);
    EXPECT_NE(gone.error().message.find("after height " + std::to_string(last)), std::string::npos)
        << gone.error().message;
}

TEST_F(Pruning, a_branch_that_forks_below_is_held_as_pruned) {
    const auto ledger = open();
    prune_all(*ledger, {kFloor, kFloor});
    const auto before = contents(*store_, kEveryTable);
    const std::uint64_t last = kBlocks - kFloor;
    const auto low = mine_above(ids_[last - 1], 9);
    const auto refused = ledger->admit(low, low->header.tmpl.time_ms, U256::max());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), SubmitError(LedgerError::pruned));
    EXPECT_EQ(blame(refused.error()), Consequence::not_yet);
    EXPECT_EQ(contents(*store_, kEveryTable), before);
    const auto high = mine_above(ids_[last], 9);
    EXPECT_TRUE(ledger->admit(high, high->header.tmpl.time_ms, U256::max()));
}

TEST_F(Pruning, a_block_admitted_before_its_fork_was_pruned_is_held_as_pruned) {
    const auto ledger = open();
    const auto block = mine_above(ids_[10], 9);
    const auto candidate = ledger->admit(block, block->header.tmpl.time_ms, U256::max());
    ASSERT_TRUE(candidate);
    const auto verified = verify_candidate(*candidate, trainers_);
    ASSERT_TRUE(verified);
    prune_all(*ledger, {kFloor, kFloor});
    const auto before = contents(*store_, kEveryTable);
    EXPECT_EQ(ledger->commit(*verified).error(), SubmitError(LedgerError::pruned));
    EXPECT_EQ(contents(*store_, kEveryTable), before);
}

TEST_F(Pruning, a_reorganisation_above_leads_where_it_leads_an_unpruned_chain) {
    const auto pruned = open();
    prune_all(*pruned, {kFloor, kFloor});
    const auto other = test::copy_of(*grown_.store);
    const auto unpruned = test::open_ledger(network_, other);
    Hash256 top = ids_[kBlocks - 3];
    for (int i = 0; i < 4; ++i) {
        const auto block = test::mine_on(*pruned->state_after(top), trainers_, 9);
        const auto outcome = pruned->submit_block(block, block->header.tmpl.time_ms, trainers_);
        ASSERT_TRUE(outcome) << describe(outcome.error());
        EXPECT_EQ(*outcome, i == 3 ? CommitOutcome::reorganised : CommitOutcome::side_branch);
        ASSERT_TRUE(unpruned->submit_block(block, block->header.tmpl.time_ms, trainers_));
        top = header_id(block->header);
    }
    EXPECT_EQ(pruned->tip()->id(), top);
    EXPECT_EQ(contents(*store_, test::kActiveTables), contents(*other, test::kActiveTables));
}

TEST_F(Pruning, a_change_of_branch_below_the_bodies_prunes_the_new_ones_in_turn) {
    const auto ledger = open();
    prune_all(*ledger, {kFloor, 0});
    Hash256 top = ids_[10];
    std::vector<Hash256> branch;
    for (std::uint64_t height = 11; height <= kBlocks + 1; ++height) {
        const auto block = test::mine_on(*ledger->state_after(top), trainers_, 9);
        const auto candidate = ledger->admit(block, block->header.tmpl.time_ms, U256::max());
        ASSERT_TRUE(candidate) << describe(candidate.error());
        ASSERT_TRUE(ledger->commit(*verify_candidate(*candidate, trainers_)));
        top = header_id(block->header);
        branch.push_back(top);
    }
    ASSERT_EQ(ledger->tip()->id(), top);
    EXPECT_EQ(ledger->kept()->bodies, 11U);
    EXPECT_TRUE(ledger->block(branch[0])->has_value());
    const auto audit = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
    ASSERT_TRUE(audit) << audit.error().to_string();
    EXPECT_EQ(audit->first_block, 11U);
    prune_all(*ledger, {kFloor, 0});
    EXPECT_FALSE(ledger->block(branch[0])->has_value());
    EXPECT_TRUE(ledger->outline(branch[0])->has_value());
    EXPECT_FALSE(ledger->index(ids_[11])->has_value());  // the old branch has gone whole
    EXPECT_TRUE(audit_chain(network_, *store_, AuditDepth::openings, nullptr));
}

TEST_F(Pruning, each_step_is_bounded_and_the_next_goes_on) {
    const auto ledger = open();
    const auto first = ledger->prune({kFloor, kFloor});
    ASSERT_TRUE(first);
    EXPECT_EQ(first->bodies, Ledger::kPruneStepBlocks);
    EXPECT_FALSE(first->finished);
    const auto second = ledger->prune({kFloor, kFloor});
    ASSERT_TRUE(second);
    EXPECT_EQ(second->bodies, kBlocks - kFloor - Ledger::kPruneStepBlocks);
    EXPECT_TRUE(second->finished);
}

TEST_F(Pruning, what_is_pruned_is_remembered_and_not_read_again) {
    prune_all(*open(), {kFloor, kFloor});
    const auto counting = std::make_shared<test::CountingStore>(store_, std::uint8_t{'b'});
    const auto ledger =
        *Ledger::open(network_, std::make_unique<test::CountingStore>(counting, std::uint8_t{'b'}));
    const std::size_t reads = counting->reads();
    const auto step = ledger->prune({kFloor, kFloor});
    ASSERT_TRUE(step);
    EXPECT_TRUE(step->finished);
    EXPECT_EQ(step->bodies + step->undo, 0U);
    EXPECT_EQ(counting->reads(), reads);
    // A policy that keeps more brings nothing back, and harms nothing.
    EXPECT_EQ(prune_all(*ledger, {35, 35}).bodies, 0U);
    EXPECT_EQ(ledger->kept()->bodies, kBlocks + 1 - kFloor);
}

TEST_F(Pruning, a_kill_at_any_write_loses_nothing_and_the_rest_is_pruned_later) {
    prune_all(*open(), {kFloor, kFloor});
    const auto complete = contents(*store_, kEveryTable);
    for (std::size_t failing = 0;; ++failing) {
        store_ = test::copy_of(*grown_.store);
        auto faulty = std::make_unique<FaultyStore>(*store_);
        faulty->fail_after(failing);
        const auto ledger = *Ledger::open(network_, std::move(faulty));
        Result<PruneStep, StoreError> step;
        do {
            step = ledger->prune({kFloor, kFloor});
        } while (step && !step->finished);
        if (!step) {
            EXPECT_EQ(step.error().fault, StoreFault::full);
            EXPECT_FALSE(ledger->prune({kFloor, kFloor}));
            EXPECT_EQ(ledger->admit(std::make_shared<const Block>(), 0).error(),
                      SubmitError(LedgerError::halted));
        }
        // Whatever was written, the chain is a whole one and can be audited.
        const auto audit = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
        ASSERT_TRUE(audit) << audit.error().to_string();
        prune_all(*open(), {kFloor, kFloor});
        ASSERT_EQ(contents(*store_, kEveryTable), complete) << "write " << failing;
        if (step) {
            EXPECT_EQ(failing, 2U);
            break;
        }
    }
}

// ------------------------------------------------------------------------------------------------
// audits

class PrunedAudits : public Pruning {
  protected:
    void SetUp() override { prune_all(*open(), {kFloor, kFloor}); }

    void write(const WriteBatch& batch) { ASSERT_TRUE(store_->write(batch, Durability::synced)); }

    void fails(std::string_view words) const {
        const auto report = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
        ASSERT_FALSE(report);
        EXPECT_NE(report.error().rule.find(words), std::string::npos) << report.error().rule;
    }
};

TEST_F(PrunedAudits, pass_and_say_from_where_on_blocks_were_replayed) {
    std::vector<std::uint64_t> heights;
    const auto report =
        audit_chain(network_, *store_, AuditDepth::openings, [&](const AuditProgress& progress) {
            heights.push_back(progress.height);
            return true;
        });
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_TRUE(report->complete);
    EXPECT_EQ(report->first_header, 0U);
    EXPECT_EQ(report->first_block, kBlocks + 1 - kFloor);
    EXPECT_EQ(report->tip, ids_.back());
    EXPECT_EQ(heights.size(), kBlocks + 1);
}

TEST_F(PrunedAudits, find_an_altered_header_record) {
    BlockIndex index = **BlockReader(*store_).index(ids_[6]);
    index.cumulative_work = saturating_add(index.cumulative_work, U256(1));
    WriteBatch batch;
    BlockWriter(batch).put_index(ids_[6], index);
    write(batch);
    fails("index");
}

TEST_F(PrunedAudits, find_an_altered_state_root_of_a_header_record) {
    BlockIndex index = **BlockReader(*store_).index(ids_[6]);
    index.state_root.bytes[0] ^= 1;
    WriteBatch batch;
    BlockWriter(batch).put_index(ids_[6], index);
    write(batch);
    fails("state root");
}

TEST_F(PrunedAudits, find_an_altered_history_node) {
    WriteBatch batch;
    MmrNode node = **BlockReader(*store_).history_node({0, 6});
    node.hash.bytes[0] ^= 1;
    BlockWriter(batch).put_history_node({0, 6}, node);
    write(batch);
    fails("history node");
}

TEST_F(PrunedAudits, find_an_altered_stub) {
    BlockStub stub = **BlockReader(*store_).stub(ids_[8]);
    std::get<SignedTransaction>(stub.transactions[0].content).nonce += 1;
    WriteBatch batch;
    BlockWriter(batch).put_stub(ids_[8], stub);
    write(batch);
    fails("stub");
}

TEST_F(PrunedAudits, find_an_altered_list_of_segments) {
    WriteBatch batch;
    BlockWriter(batch).put_included(ids_[9], {{test::hash_of(5)}, {}});
    write(batch);
    fails("stub");
}

TEST_F(PrunedAudits, find_a_missing_stub) {
    Bytes key{'u'};
    key.insert(key.end(), ids_[7].bytes.begin(), ids_[7].bytes.end());
    WriteBatch batch;
    batch.erase(key);
    write(batch);
    fails("missing");
}

TEST_F(PrunedAudits, find_an_altered_undo_diff) {
    StateDiff diff = **BlockReader(*store_).diff(ids_[kBlocks - 2]);
    diff.writes.pop_back();
    WriteBatch batch;
    BlockWriter(batch).put_diff(ids_[kBlocks - 2], diff);
    write(batch);
    const auto report = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
    EXPECT_FALSE(report);
}

TEST_F(PrunedAudits, find_coins_from_nowhere) {
    WriteBatch batch;
    const Account rich{Amount::of_coins(1'000), 0};
    put_state_diff(batch, {{{account_key(address_of(test::tiny_key(99).public_key())),
                             std::make_shared<const Bytes>(encode(rich))}}});
    write(batch);
    fails("lead back");
}

TEST_F(Pruning, whole_audits_find_an_altered_list_of_segments) {
    WriteBatch batch;
    BlockWriter(batch).put_included(ids_[9], {{test::hash_of(5)}, {}});
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    const auto report = audit_chain(network_, *store_, AuditDepth::openings, nullptr);
    ASSERT_FALSE(report);
    EXPECT_NE(report.error().rule.find("segment list"), std::string::npos);
}

}  // namespace
}  // namespace gradient::chain
