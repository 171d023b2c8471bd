#include "chain/storage/key_value.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "chain/storage/memory_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gradient::chain {
namespace {

Bytes bytes(std::string_view text) {
    const ByteSpan span = as_bytes(text);
    return {span.begin(), span.end()};
}

WriteBatch batch_of(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
    WriteBatch batch;
    for (const auto& [key, value] : pairs) batch.put(bytes(key), bytes(value));
    return batch;
}

std::vector<std::string> keys_under(const KeyValueView& view, std::string_view prefix) {
    std::vector<std::string> keys;
    const auto scanned = view.scan(as_bytes(prefix), [&](ByteSpan key, ByteSpan) {
        keys.emplace_back(as_text(key));
        return true;
    });
    EXPECT_TRUE(scanned.has_value());
    return keys;
}

enum class Twin { memory, leveldb };

class KeyValueStores : public testing::TestWithParam<Twin> {
  protected:
    void SetUp() override {
        if (GetParam() == Twin::memory) {
            store_ = std::make_unique<MemoryStore>();
        } else {
            auto opened =
                LevelDbStore::open(directory_.path().string(), OpenMode::create_if_missing);
            ASSERT_TRUE(opened.has_value()) << opened.error().message;
            store_ = *std::move(opened);
        }
    }

    TemporaryDirectory directory_;
    std::unique_ptr<KeyValueStore> store_;
};

TEST_P(KeyValueStores, not_found_is_a_value) {
    const auto found = store_->get(as_bytes("nothing"));
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->has_value());
}

TEST_P(KeyValueStores, batch_puts_and_erases) {
    ASSERT_TRUE(store_->write(batch_of({{"a", "1"}, {"b", "2"}}), Durability::synced));
    WriteBatch second;
    second.erase(bytes("a"));
    second.put(bytes("b"), bytes("3"));
    second.put(bytes("c"), {});
    ASSERT_TRUE(store_->write(second, Durability::buffered));
    EXPECT_EQ(*store_->get(as_bytes("a")), std::nullopt);
    EXPECT_EQ(*store_->get(as_bytes("b")), bytes("3"));
    EXPECT_EQ(*store_->get(as_bytes("c")), Bytes());
}

TEST_P(KeyValueStores, last_change_to_a_key_counts) {
    WriteBatch batch;
    batch.put(bytes("a"), bytes("1"));
    batch.erase(bytes("a"));
    batch.erase(bytes("b"));
    batch.put(bytes("b"), bytes("2"));
    ASSERT_TRUE(store_->write(batch, Durability::synced));
    EXPECT_EQ(*store_->get(as_bytes("a")), std::nullopt);
    EXPECT_EQ(*store_->get(as_bytes("b")), bytes("2"));
}

TEST_P(KeyValueStores, scan_visits_a_prefix_in_key_order) {
    ASSERT_TRUE(store_->write(
        batch_of({{"b", ""}, {"a\xff", ""}, {"a", ""}, {"ab", ""}, {"aa", ""}, {"c", ""}}),
        Durability::synced));
    EXPECT_EQ(keys_under(*store_, "a"), (std::vector<std::string>{"a", "aa", "ab", "a\xff"}));
    EXPECT_EQ(keys_under(*store_, "x"), std::vector<std::string>{});
    EXPECT_EQ(keys_under(*store_, "").size(), 6U);
}

TEST_P(KeyValueStores, scan_ends_when_told) {
    ASSERT_TRUE(store_->write(batch_of({{"a", ""}, {"b", ""}}), Durability::synced));
    int visits = 0;
    ASSERT_TRUE(store_->scan({}, [&](ByteSpan, ByteSpan) {
        ++visits;
        return false;
    }));
    EXPECT_EQ(visits, 1);
}

TEST_P(KeyValueStores, snapshot_keeps_what_was) {
    ASSERT_TRUE(store_->write(batch_of({{"a", "1"}}), Durability::synced));
    const auto before = store_->snapshot();
    WriteBatch change = batch_of({{"a", "2"}, {"b", "2"}});
    ASSERT_TRUE(store_->write(change, Durability::synced));
    ASSERT_TRUE(store_->write(change, Durability::synced));
    EXPECT_EQ(*before->get(as_bytes("a")), bytes("1"));
    EXPECT_EQ(*before->get(as_bytes("b")), std::nullopt);
    EXPECT_EQ(keys_under(*before, ""), std::vector<std::string>{"a"});
    EXPECT_EQ(*store_->get(as_bytes("a")), bytes("2"));
}

INSTANTIATE_TEST_SUITE_P(Twins, KeyValueStores, testing::Values(Twin::memory, Twin::leveldb),
                         [](const auto& twin) {
                             return twin.param == Twin::memory ? "memory" : "leveldb";
                         });

class LevelDbFaults : public testing::Test {
  protected:
    std::string path() const { return (directory_.path() / "db").string(); }

    std::unique_ptr<LevelDbStore> open() {
        auto opened = LevelDbStore::open(path(), OpenMode::create_if_missing);
        EXPECT_TRUE(opened.has_value());
        return opened ? *std::move(opened) : nullptr;
    }

    StoreError open_error(OpenMode mode = OpenMode::must_exist) {
        const auto opened = LevelDbStore::open(path(), mode);
        EXPECT_FALSE(opened.has_value());
        return opened ? StoreError{} : opened.error();
    }

    std::filesystem::path file_with(std::string_view suffix) const {
        for (const auto& entry : std::filesystem::directory_iterator(path())) {
            if (entry.path().extension() == suffix) return entry.path();
        }
        return {};
    }

    TemporaryDirectory directory_;
};

TEST_F(LevelDbFaults, reopens_with_what_was_written) {
    ASSERT_TRUE(open()->write(batch_of({{"a", "1"}}), Durability::synced));
    EXPECT_EQ(*open()->get(as_bytes("a")), bytes("1"));
}

TEST_F(LevelDbFaults, missing_directory_is_unreadable) {
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::unreadable) << error.message;
    EXPECT_NE(error.message.find(path()), std::string::npos) << error.message;
}

TEST_F(LevelDbFaults, unwritable_directory_is_unreadable) {
    if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
    std::filesystem::create_directory(path());
    std::filesystem::permissions(path(), std::filesystem::perms::owner_read);
    const StoreError error = open_error(OpenMode::create_if_missing);
    std::filesystem::permissions(path(), std::filesystem::perms::owner_all);
    EXPECT_EQ(error.fault, StoreFault::unreadable) << error.message;
}

TEST_F(LevelDbFaults, file_in_place_of_directory_is_refused) {
    std::ofstream(path()) << "no directory";
    EXPECT_EQ(open_error(OpenMode::create_if_missing).fault, StoreFault::unreadable);
}

TEST_F(LevelDbFaults, second_opening_is_in_use) {
    const auto first = open();
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::in_use) << error.message;
    EXPECT_NE(error.message.find("another process"), std::string::npos) << error.message;
}

TEST_F(LevelDbFaults, log_cut_short_loses_only_its_last_batch) {
    {
        const auto store = open();
        ASSERT_TRUE(store->write(batch_of({{"a", "1"}}), Durability::synced));
        ASSERT_TRUE(store->write(batch_of({{"b", "1"}, {"c", "1"}}), Durability::synced));
    }
    const auto log = file_with(".log");
    std::filesystem::resize_file(log, std::filesystem::file_size(log) - 1);
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_EQ(*store->get(as_bytes("a")), bytes("1"));
    EXPECT_EQ(*store->get(as_bytes("b")), std::nullopt);
    EXPECT_EQ(*store->get(as_bytes("c")), std::nullopt);
}

TEST_F(LevelDbFaults, flipped_byte_in_the_log_is_corrupt) {
    {
        const auto store = open();
        for (int i = 0; i < 20; ++i) {
            WriteBatch batch;
            batch.put(bytes(std::to_string(i)), Bytes(5000, 0x5a));
            ASSERT_TRUE(store->write(batch, Durability::synced));
        }
    }
    const auto log = file_with(".log");
    std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(12'000);
    file.put('\x33');
    file.close();
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::corrupt) << error.message;
}

TEST_F(LevelDbFaults, missing_table_is_corrupt) {
    {
        const auto store = open();
        ASSERT_TRUE(store->write(batch_of({{"a", "1"}}), Durability::synced));
    }
    ASSERT_TRUE(open());  // recovery turns the log into a table
    ASSERT_TRUE(std::filesystem::remove(file_with(".ldb")));
    const StoreError error = open_error();
    EXPECT_EQ(error.fault, StoreFault::corrupt) << error.message;
}

// Without CURRENT, LevelDB would start an empty database over the old one's files.
TEST_F(LevelDbFaults, missing_current_is_corrupt_and_nothing_is_overwritten) {
    ASSERT_TRUE(open()->write(batch_of({{"a", "1"}}), Durability::synced));
    const auto current = std::filesystem::path(path()) / "CURRENT";
    const auto aside = directory_.path() / "aside";
    for (const OpenMode mode : {OpenMode::create_if_missing, OpenMode::must_exist}) {
        std::filesystem::rename(current, aside);
        const StoreError error = open_error(mode);
        EXPECT_EQ(error.fault, StoreFault::corrupt) << error.message;
        EXPECT_NE(error.message.find("CURRENT"), std::string::npos) << error.message;
        EXPECT_NE(error.message.find("restore"), std::string::npos) << error.message;
        EXPECT_FALSE(std::filesystem::exists(current));
        std::filesystem::rename(aside, current);
    }
    EXPECT_EQ(*open()->get(as_bytes("a")), bytes("1"));
}

// /dev/full refuses every write the way a full disk does, so the log that LevelDB turns to when
// the first one has grown stands for it.
TEST_F(LevelDbFaults, full_disk_is_said_and_loses_nothing_acknowledged) {
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
    std::vector<std::filesystem::path> links;
    int acknowledged = 0;
    {
        const auto store = open();
        for (int number = 4; number < 20; ++number) {
            const std::string digits = std::to_string(number);
            links.push_back(std::filesystem::path(path()) /
                            (std::string(6 - digits.size(), '0') + digits + ".log"));
            std::filesystem::create_symlink("/dev/full", links.back());
        }
        StoreError error;
        for (int i = 0; i < 40 && error.message.empty(); ++i) {
            WriteBatch batch;
            batch.put(bytes(std::to_string(i)), Bytes(1U << 20U, static_cast<std::uint8_t>(i)));
            const auto written = store->write(batch, Durability::synced);
            if (written) ++acknowledged;
            if (!written) error = written.error();
        }
        EXPECT_EQ(error.fault, StoreFault::full) << error.message;
        EXPECT_NE(error.message.find("no space left"), std::string::npos) << error.message;
        EXPECT_FALSE(store->write(batch_of({{"later", ""}}), Durability::synced));
    }
    for (const auto& link : links) std::filesystem::remove(link);
    const auto store = open();
    ASSERT_TRUE(store);
    EXPECT_GT(acknowledged, 0);
    for (int i = 0; i < acknowledged; ++i) {
        EXPECT_TRUE(store->get(as_bytes(std::to_string(i)))->has_value()) << i;
    }
    EXPECT_EQ(*store->get(as_bytes("later")), std::nullopt);
}

}  // namespace
}  // namespace gradient::chain
