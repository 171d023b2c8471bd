#include "chain/audit.hpp"
#include "chain/ledger.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "tests/support/shared_store.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace gradient::chain {
namespace {

constexpr std::uint64_t kBlocks = 6;

class Audits : public testing::TestWithParam<AuditDepth> {
  protected:
    void SetUp() override {
        auto ledger = *Ledger::open(network_, std::make_unique<test::SharedStore>(store_));
        OwnTrainers trainer;
        for (std::uint64_t i = 0; i < kBlocks; ++i) {
            const auto block = test::mine_on(ledger->tip(), trainer);
            ids_.push_back(header_id(block->header));
            units_ += block->header.units;
            opened_ += block->winner.openings.size();
            ASSERT_TRUE(ledger->submit_block(block, block->header.tmpl.time_ms, trainer));
        }
        tip_ = ledger->tip();
    }

    Result<AuditReport, AuditFailure> audit() const {
        return audit_chain(network_, *store_, GetParam(), nullptr);
    }

    void write(const WriteBatch& batch) { ASSERT_TRUE(store_->write(batch, Durability::synced)); }

    // Expects the audit to fail at this height.
    void fails_at(std::uint64_t height, std::string_view words) const {
        const auto result = audit();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().height, height) << result.error().to_string();
        EXPECT_NE(result.error().rule.find(words), std::string::npos) << result.error().rule;
    }

    std::shared_ptr<const Network> network_ = test::tiny_network();
    std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
    std::vector<Hash256> ids_;  // of the blocks from height 1 on
    std::uint64_t units_ = 0;
    std::uint64_t opened_ = 0;
    std::shared_ptr<const ParentState> tip_;
};

TEST_P(Audits, pass_an_honest_chain) {
    const auto report = audit();
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_TRUE(report->complete);
    EXPECT_EQ(report->tip, ids_.back());
    EXPECT_EQ(report->state_root, tip_->index().state_root);
    EXPECT_EQ(report->model,
              model_digest(*require_parameters(tip_->state(), model_key(kGenesisTask))));
    EXPECT_EQ(report->progress.height, kBlocks);
    EXPECT_EQ(report->progress.units_claimed, units_);
    EXPECT_EQ(report->progress.units_replayed,
              GetParam() == AuditDepth::all_units ? opened_ + units_ : opened_);
}

TEST_P(Audits, say_how_far_they_are_and_stop_when_told) {
    std::vector<std::uint64_t> heights;
    const auto report = audit_chain(network_, *store_, GetParam(), [&](const AuditProgress& p) {
        heights.push_back(p.height);
        EXPECT_EQ(p.tip_height, kBlocks);
        return p.height < 2;
    });
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->complete);
    EXPECT_EQ(heights, (std::vector<std::uint64_t>{0, 1, 2}));
}

TEST_P(Audits, find_an_altered_opening) {
    Block block = **BlockReader(*store_).block(ids_[2]);
    block.winner.openings.back().before.loss ^= 1;
    WriteBatch batch;
    BlockWriter(batch).put_block(ids_[2], block);
    write(batch);
    fails_at(3, "opening");
}

TEST_P(Audits, find_an_altered_index) {
    BlockIndex index = **BlockReader(*store_).index(ids_[2]);
    index.hits += 1;
    WriteBatch batch;
    BlockWriter(batch).put_index(ids_[2], index);
    write(batch);
    fails_at(3, "index");
}

TEST_P(Audits, find_altered_and_missing_evidence) {
    Bytes evidence = **BlockReader(*store_).evidence(ids_[2]);
    evidence[0] ^= 1;
    WriteBatch batch;
    BlockWriter(batch).put_evidence(ids_[2], evidence);
    write(batch);
    fails_at(3, "evidence");
    WriteBatch missing;
    BlockWriter(missing).erase_evidence(ids_[2]);
    write(missing);
    fails_at(3, "evidence");
}

TEST_P(Audits, find_an_altered_undo) {
    StateDiff diff = **BlockReader(*store_).diff(ids_[4]);
    diff.writes.pop_back();
    WriteBatch batch;
    BlockWriter(batch).put_diff(ids_[4], diff);
    write(batch);
    fails_at(5, "undo");
}

TEST_P(Audits, find_a_model_off_by_one_bit) {
    StoredState state(store_);
    Bytes model = **state.get(model_key(kGenesisTask));
    model[1000] ^= 1;
    WriteBatch batch;
    put_state_diff(batch, {{{model_key(kGenesisTask), std::make_shared<const Bytes>(model)}}});
    write(batch);
    fails_at(kBlocks, "state");
}

TEST_P(Audits, find_coins_from_nowhere) {
    WriteBatch batch;
    const Account rich{Amount::of_coins(1'000), 0};
    put_state_diff(batch, {{{account_key(address_of(test::tiny_key(9).public_key())),
                             std::make_shared<const Bytes>(encode(rich))}}});
    write(batch);
    fails_at(kBlocks, "state");
}

TEST_P(Audits, find_a_missing_node_of_the_state_tree) {
    std::vector<Bytes> below;  // nodes below the top, of which the root says nothing
    ASSERT_TRUE(store_->scan(Bytes{'n'}, [&](ByteSpan key, ByteSpan) {
        if (key[1] != 0 || key[2] != 0) below.emplace_back(key.begin(), key.end());
        return true;
    }));
    ASSERT_FALSE(below.empty());
    WriteBatch batch;
    batch.erase(below.front());
    write(batch);
    fails_at(kBlocks, "state tree");
}

TEST_P(Audits, find_a_node_too_many_in_the_state_tree) {
    const EmptyTree nothing;
    StateTree tree(nothing);
    ASSERT_TRUE(tree.apply({{{{9}, std::make_shared<const Bytes>(1, std::uint8_t{1})}}}));
    const TreeNode leaf = *tree.changes().at({});
    WriteBatch batch;
    put_tree_changes(batch, {{{200, {}}, leaf}});
    write(batch);
    fails_at(kBlocks, "state tree");
}

TEST_P(Audits, find_a_missing_block) {
    WriteBatch batch;
    Bytes key{'b'};
    key.insert(key.end(), ids_[0].bytes.begin(), ids_[0].bytes.end());
    batch.erase(key);
    write(batch);
    fails_at(1, "missing");
}

TEST_P(Audits, refuse_another_networks_directory) {
    ChainSpec other = test::tiny_spec();
    other.network_id += 1;
    network_ = *make_network(other);
    fails_at(0, "another network");
}

INSTANTIATE_TEST_SUITE_P(Depths, Audits,
                         testing::Values(AuditDepth::openings, AuditDepth::all_units),
                         [](const auto& depth) -> std::string {
                             switch (depth.param) {
                                 case AuditDepth::openings:
                                     return "openings";
                                 case AuditDepth::all_units:
                                     return "all_units";
                             }
                             return "unknown";
                         });

}  // namespace
}  // namespace gradient::chain
