// What happens to a ledger when its store is another's, damaged, or fails.
#include "chain/ledger.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/storage/record.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/faulty_store.hpp"
#include "tests/support/shared_store.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace gradient::chain {
namespace {

using test::contents;
using test::kAllTables;

class LedgerStores : public testing::Test {
  protected:
    Result<std::unique_ptr<Ledger>, StoreError> open() {
        return Ledger::open(network_, std::make_unique<test::SharedStore>(store_));
    }

    // Opens the ledger and adds mined blocks.
    void extend(int count) {
        auto ledger = *open();
        OwnTrainers trainer;
        for (int i = 0; i < count; ++i) {
            const auto block = test::mine_on(ledger->tip(), trainer);
            ASSERT_TRUE(ledger->submit_block(block, block->header.tmpl.time_ms, trainer));
        }
    }

    StoreError open_error() {
        const auto before = contents(*store_, kAllTables);
        const auto opened = open();
        EXPECT_FALSE(opened);
        EXPECT_EQ(contents(*store_, kAllTables), before);
        return opened ? StoreError{} : opened.error();
    }

    void put(const Bytes& key, const Bytes& value) {
        WriteBatch batch;
        batch.put(key, value);
        ASSERT_TRUE(store_->write(batch, Durability::synced));
    }

    std::shared_ptr<const Network> network_ = test::tiny_network();
    std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
};

TEST_F(LedgerStores, another_networks_directory_is_refused) {
    extend(1);
    ChainSpec other = test::tiny_spec();
    other.text[100] ^= 1;
    network_ = *make_network(other);
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::foreign);
    EXPECT_NE(error.message.find("chain spec"), std::string::npos) << error.message;
}

TEST_F(LedgerStores, another_layout_version_is_refused) {
    extend(1);
    WriteBatch batch;
    BlockWriter(batch).put_info({kSchemaVersion + 1, network_->genesis.id});
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::foreign);
    const std::string version = "version " + std::to_string(kSchemaVersion + 1);
    EXPECT_NE(error.message.find(version), std::string::npos) << error.message;
}

TEST_F(LedgerStores, no_chain_is_started_in_a_store_that_holds_anything) {
    extend(1);
    WriteBatch batch;
    batch.erase({'v'});
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::corrupt);
    EXPECT_NE(error.message.find("store info"), std::string::npos) << error.message;
}

TEST_F(LedgerStores, missing_tip_is_corrupt) {
    extend(1);
    WriteBatch batch;
    batch.erase({'t'});
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    EXPECT_EQ(open_error().fault, StoreFault::corrupt);
}

TEST_F(LedgerStores, altered_state_tree_is_corrupt) {
    extend(2);
    const Bytes root_key{'n', 0, 0};
    const Bytes record = **store_->get(root_key);
    TreeNode top = *decode_exact<TreeNode>(*open_record(root_key, record, "root"));
    top.second.bytes[4] ^= 1;
    put(root_key, seal_record(root_key, encode(top)));
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::corrupt);
    EXPECT_NE(error.message.find("root"), std::string::npos) << error.message;
}

// Every write in the life of a chain, a reorganisation included, fails once. What is then in the
// store is exactly what the acknowledged writes left, and the chain goes on from there.
TEST_F(LedgerStores, failure_of_any_write_loses_nothing_and_leaves_nothing_half_written) {
    OwnTrainers trainer;
    std::vector<VerifiedBlock> blocks;
    std::vector<std::map<Bytes, Bytes>> after;  // contents after so many writes
    {
        auto ledger = *open();
        after.emplace_back();
        after.push_back(contents(*store_, kAllTables));
        const auto add = [&](const Hash256& parent, std::uint8_t miner) {
            const auto block = test::mine_on(*ledger->state_after(parent), trainer, miner);
            const auto candidate = *ledger->admit(block, block->header.tmpl.time_ms);
            blocks.push_back(*verify_candidate(candidate, trainer));
            EXPECT_TRUE(ledger->commit(blocks.back()));
            after.push_back(contents(*store_, kAllTables));
            return blocks.back().id();
        };
        const Hash256 fork = add(network_->genesis.id, 1);
        const Hash256 a = add(fork, 1);
        add(a, 1);
        Hash256 b = fork;
        for (int i = 0; i < 4; ++i) b = add(b, 2);  // the third one takes the tip
        EXPECT_EQ(ledger->tip()->id(), b);
    }

    for (std::size_t failing = 0; failing <= blocks.size(); ++failing) {
        store_ = std::make_shared<MemoryStore>();
        auto faulty = std::make_unique<FaultyStore>(*store_);
        faulty->fail_after(failing);
        auto opened = Ledger::open(network_, std::move(faulty));
        std::size_t written = 0;
        if (opened) {
            written = 1;
            for (const VerifiedBlock& block : blocks) {
                const auto tip = (*opened)->tip();
                const auto committed = (*opened)->commit(block);
                if (committed) {
                    ++written;
                    continue;
                }
                EXPECT_EQ((*opened)->tip(), tip);
                // From now on it says so at once.
                EXPECT_EQ((*opened)->commit(block).error(), SubmitError(LedgerError::halted));
                EXPECT_EQ((*opened)
                              ->admit(std::make_shared<const Block>(block.block()), UINT64_MAX / 2)
                              .error(),
                          SubmitError(LedgerError::halted));
                break;
            }
        }
        ASSERT_EQ(written, failing);
        ASSERT_EQ(contents(*store_, kAllTables), after[written]) << "write " << failing;
        opened = open();
        ASSERT_TRUE(opened) << opened.error().message;
        for (std::size_t i = written == 0 ? 0 : written - 1; i < blocks.size(); ++i) {
            ASSERT_TRUE((*opened)->commit(blocks[i]));
        }
        ASSERT_EQ(contents(*store_, kAllTables), after.back());
    }
}

}  // namespace
}  // namespace gradient::chain
