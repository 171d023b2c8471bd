// What a block costs before its body is looked at: which parents are loaded, which branches are
// taken at all, and what is remembered of those refused.
#include "chain/ledger.hpp"
#include "chain/storage/memory_store.hpp"
#include "tests/support/counting_store.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace gradient::chain {
namespace {

class Admission : public testing::Test {
  protected:
    void SetUp() override {
        auto store = std::make_unique<test::CountingStore>(std::make_shared<MemoryStore>(), 'd');
        store_ = store.get();
        ledger_ = *Ledger::open(network_, std::move(store));
    }

    std::shared_ptr<const Block> mine_on(const Hash256& parent, std::uint8_t miner = 7) {
        return test::mine_on(*ledger_->state_after(parent), trainer_, miner);
    }

    Result<CommitOutcome, SubmitError> submit(const std::shared_ptr<const Block>& block) {
        return ledger_->submit_block(block, block->header.tmpl.time_ms, trainer_);
    }

    // Extends the active chain.
    void extend(int count) {
        for (int i = 0; i < count; ++i) {
            ASSERT_EQ(submit(mine_on(ledger_->tip()->id())), CommitOutcome::extended);
        }
    }

    std::shared_ptr<const Network> network_ = test::tiny_network(1);
    OwnTrainers trainer_;
    test::CountingStore* store_ = nullptr;
    std::unique_ptr<Ledger> ledger_;
};

TEST_F(Admission, reads_no_diff_for_a_junk_child_of_a_deep_ancestor) {
    const auto honest = mine_on(network_->genesis.id, 9);
    extend(6);
    Block junk = *honest;
    junk.header.tmpl.history_root.bytes[0] ^= 1;
    const std::size_t before = store_->reads();
    const auto refused = ledger_->admit(std::make_shared<const Block>(junk), UINT64_MAX / 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), SubmitError(RuleError(HeaderError::wrong_history_root)));
    EXPECT_EQ(store_->reads(), before);
    // An honest one needs the state after its parent.
    EXPECT_TRUE(ledger_->admit(honest, UINT64_MAX / 2));
    EXPECT_EQ(store_->reads(), before + 6);
}

TEST_F(Admission, waits_with_a_branch_that_has_too_little_work) {
    const auto late = mine_on(network_->genesis.id, 9);
    // At one difficulty, a child of genesis is above the floor until the tip is 21 blocks up.
    extend(static_cast<int>(Ledger::kSideBranchBlocks));
    ASSERT_TRUE(ledger_->admit(late, UINT64_MAX / 2));
    extend(1);
    const std::size_t before = store_->reads();
    const auto refused = ledger_->admit(late, UINT64_MAX / 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), SubmitError(LedgerError::too_little_work));
    EXPECT_EQ(blame(refused.error()), Consequence::not_yet);
    EXPECT_EQ(store_->reads(), before);
    // Headers that show the branch's work let it in.
    EXPECT_TRUE(ledger_->admit(late, UINT64_MAX / 2, ledger_->tip()->index().cumulative_work));
}

TEST_F(Admission, forgets_the_oldest_condemned_block_first) {
    const auto honest = mine_on(network_->genesis.id);
    const auto numbered = [](std::size_t number) {
        Hash256 id = test::hash_of(0x77);
        id.bytes[0] = static_cast<std::uint8_t>(number);
        id.bytes[1] = static_cast<std::uint8_t>(number >> 8U);
        return id;
    };
    const auto error_of_child = [&](std::size_t parent) {
        Block block = *honest;
        block.header.tmpl.parent = numbered(parent);
        return ledger_->admit(std::make_shared<const Block>(block), UINT64_MAX / 2).error();
    };
    const SubmitError broken = RuleError(SegmentError::replay_differs);
    const std::size_t last = Ledger::kMaxCondemned;
    for (std::size_t i = 0; i <= last; ++i) ledger_->condemn(numbered(i), broken);
    EXPECT_EQ(error_of_child(0), SubmitError(RuleError(HeaderError::unknown_parent)));
    EXPECT_EQ(error_of_child(4), SubmitError(LedgerError::condemned));
    EXPECT_EQ(error_of_child(last), SubmitError(LedgerError::condemned));
    // Each child took the place of the oldest: the parents 1 and 2.
    EXPECT_EQ(error_of_child(1), SubmitError(RuleError(HeaderError::unknown_parent)));
    EXPECT_EQ(error_of_child(2), SubmitError(RuleError(HeaderError::unknown_parent)));
    EXPECT_EQ(error_of_child(3), SubmitError(LedgerError::condemned));
}

TEST_F(Admission, remembers_nothing_that_a_header_alone_shows) {
    const auto honest = mine_on(network_->genesis.id);
    Block junk = *honest;
    junk.header.tmpl.history_root.bytes[0] ^= 1;
    const SubmitError wrong = RuleError(HeaderError::wrong_history_root);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(submit(std::make_shared<const Block>(junk)).error(), wrong);
    }
}

}  // namespace
}  // namespace gradient::chain
