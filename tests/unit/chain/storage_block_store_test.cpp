#include "chain/storage/block_store.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/storage/record.hpp"
#include "chain/storage/stored_state.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace gradient::chain {
namespace {

Block some_block() {
    Block block;
    block.header.tmpl.height = 5;
    block.header.units = 2;
    block.header.last_digest.bytes[0] = 9;
    block.winner.digests.resize(2);
    return block;
}

BlockIndex some_index() {
    BlockIndex index;
    index.header = some_block().header;
    index.cumulative_work = U256(77);
    index.state_root.bytes[3] = 3;
    EXPECT_TRUE(index.history.append({header_id(index.header), 0, 1, U256(0), U256(77)}));
    index.hits = 1;
    index.replayed_units = 2;
    return index;
}

StateDiff some_diff() {
    return {{{{1}, std::make_shared<const Bytes>(Bytes{2})}, {{3}, nullptr}}};
}

class BlockRecords : public testing::Test {
  protected:
    void SetUp() override {
        WriteBatch batch;
        BlockWriter writer(batch);
        writer.put_info({.genesis = id_});
        writer.put_tip(id_);
        writer.put_active(5, id_);
        writer.put_index(id_, some_index());
        writer.put_block(id_, some_block());
        writer.put_evidence(id_, {1, 2, 3});
        writer.put_diff(id_, some_diff());
        writer.put_transaction(id_, 5);
        writer.put_history_node({0, 5}, some_index().history.peaks().front());
        put_state_diff(batch, some_diff());
        put_tree_changes(batch, {{TreePosition{}, TreeNode{true, {}, {}}}});
        ASSERT_TRUE(store_->write(batch, Durability::synced));
    }

    // Everything that can be read, or the first error.
    Result<void, StoreError> read_all() const {
        TRY(reader_.info());
        TRY(reader_.tip());
        TRY(reader_.active_at(5));
        TRY(reader_.index(id_));
        TRY(reader_.block(id_));
        TRY(reader_.evidence(id_));
        TRY(reader_.diff(id_));
        TRY(reader_.history_node({0, 5}));
        TRY(reader_.transaction_height(id_));
        const StoredState state(store_);
        TRY(state.get({1}));
        TRY(state.node(TreePosition{}));
        return {};
    }

    std::vector<WriteBatch::Operation> records() const {
        std::vector<WriteBatch::Operation> all;
        EXPECT_TRUE(store_->scan({}, [&](ByteSpan key, ByteSpan value) {
            all.push_back({Bytes(key.begin(), key.end()), Bytes(value.begin(), value.end())});
            return true;
        }));
        return all;
    }

    void put(const Bytes& key, const Bytes& value) {
        WriteBatch batch;
        batch.put(key, value);
        ASSERT_TRUE(store_->write(batch, Durability::synced));
    }

    const Hash256 id_ = header_id(some_block().header);
    std::shared_ptr<MemoryStore> store_ = std::make_shared<MemoryStore>();
    BlockReader reader_{*store_};
};

TEST_F(BlockRecords, come_back_as_written) {
    EXPECT_EQ(**reader_.info(), (StoreInfo{kSchemaVersion, id_}));
    EXPECT_EQ(**reader_.tip(), id_);
    EXPECT_EQ(**reader_.active_at(5), id_);
    EXPECT_EQ(**reader_.index(id_), some_index());
    EXPECT_EQ(**reader_.block(id_), some_block());
    EXPECT_EQ(**reader_.evidence(id_), (Bytes{1, 2, 3}));
    EXPECT_EQ(**reader_.diff(id_), some_diff());
    EXPECT_EQ(**reader_.history_node({0, 5}), some_index().history.peaks().front());
    EXPECT_EQ(**reader_.transaction_height(id_), 5U);
    EXPECT_TRUE(read_all());
}

TEST_F(BlockRecords, missing_ones_are_values_or_damage_as_asked) {
    EXPECT_EQ(*reader_.index(Hash256{}), std::nullopt);
    EXPECT_EQ(*reader_.block(Hash256{}), std::nullopt);
    EXPECT_EQ(*reader_.active_at(6), std::nullopt);
    EXPECT_EQ(*reader_.transaction_height(Hash256{}), std::nullopt);
    EXPECT_EQ(reader_.require_index(Hash256{}).error().fault, StoreFault::corrupt);
    EXPECT_EQ(reader_.require_block(Hash256{}).error().fault, StoreFault::corrupt);
    EXPECT_EQ(reader_.require_diff(Hash256{}).error().fault, StoreFault::corrupt);
    EXPECT_EQ(reader_.require_active_at(6).error().fault, StoreFault::corrupt);
}

TEST_F(BlockRecords, every_flipped_byte_is_seen) {
    for (const auto& [key, value] : records()) {
        for (std::size_t i = 0; i < value->size(); ++i) {
            Bytes flipped = *value;
            flipped[i] ^= 0x40;
            put(key, flipped);
            const auto read = read_all();
            ASSERT_FALSE(read) << to_hex(key) << " byte " << i;
            ASSERT_EQ(read.error().fault, StoreFault::corrupt);
        }
        put(key, *value);
    }
    EXPECT_TRUE(read_all());
}

TEST_F(BlockRecords, every_truncation_and_extension_is_seen) {
    for (const auto& [key, value] : records()) {
        for (std::size_t size = 0; size < value->size(); ++size) {
            put(key, Bytes(value->begin(), value->begin() + static_cast<long>(size)));
            ASSERT_FALSE(read_all()) << to_hex(key) << " size " << size;
        }
        Bytes longer = *value;
        longer.push_back(0);
        put(key, longer);
        ASSERT_FALSE(read_all()) << to_hex(key);
        put(key, *value);
    }
}

TEST_F(BlockRecords, record_under_another_key_is_seen) {
    Bytes key{'b'};
    key.insert(key.end(), 32, 0);
    Bytes own_key{'b'};
    own_key.insert(own_key.end(), id_.bytes.begin(), id_.bytes.end());
    put(key, **store_->get(own_key));
    EXPECT_EQ(reader_.block(Hash256{}).error().fault, StoreFault::corrupt);
    // Even with a checksum for its new place it has the wrong id.
    WriteBatch batch;
    BlockWriter(batch).put_block(Hash256{}, some_block());
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    EXPECT_EQ(reader_.block(Hash256{}).error().fault, StoreFault::corrupt);
}

TEST_F(BlockRecords, message_names_the_record_and_the_remedy) {
    Bytes key{'b'};
    key.insert(key.end(), id_.bytes.begin(), id_.bytes.end());
    put(key, {1, 2, 3});
    const std::string message = reader_.block(id_).error().message;
    EXPECT_NE(message.find("block " + id_.to_hex()), std::string::npos) << message;
    EXPECT_NE(message.find("restore"), std::string::npos) << message;
}

}  // namespace
}  // namespace gradient::chain
