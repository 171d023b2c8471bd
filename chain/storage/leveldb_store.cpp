#include "chain/storage/leveldb_store.hpp"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/options.h>
#include <leveldb/status.h>
#include <leveldb/write_batch.h>

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace gradient::chain {

namespace {

constexpr std::size_t kWriteBufferBytes = 16U << 20U;
constexpr std::size_t kCacheBytes = 32U << 20U;
constexpr int kBloomBitsPerKey = 10;

leveldb::Slice to_slice(ByteSpan bytes) noexcept {
    if (bytes.empty()) return {};  // LevelDB compares through the pointer even then
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ByteSpan to_span(const leveldb::Slice& slice) noexcept {
    return as_bytes(std::string_view(slice.data(), slice.size()));
}

StoreFault fault_of(const leveldb::Status& status) {
    const std::string text = status.ToString();
    const auto says = [&text](std::string_view words) {
        return text.find(words) != std::string::npos;
    };
    if (says("No space left") || says("Disk quota exceeded")) return StoreFault::full;
    if (says("LOCK: Resource temporarily unavailable") || says("already held by process")) {
        return StoreFault::in_use;
    }
    if (says("Permission denied") || says("No such file or directory") || says("Not a directory") ||
        says("Read-only file system") || says("does not exist")) {
        return StoreFault::unreadable;
    }
    // A table or log that lost its file or part of it is damage, whatever LevelDB calls it.
    if (status.IsCorruption() || says("missing files") || says("CURRENT file")) {
        return StoreFault::corrupt;
    }
    return StoreFault::failed;
}

std::string_view remedy_of(StoreFault fault) noexcept {
    switch (fault) {
        case StoreFault::corrupt:
            return "restore the directory from a copy, or delete it and let the chain be fetched "
                   "again";
        case StoreFault::unreadable:
            return "check that the directory exists and that you may read and write it";
        case StoreFault::in_use:
            return "stop the other process, or choose another directory";
        case StoreFault::full:
            return "free some space and start again; nothing acknowledged is lost";
        case StoreFault::foreign:
        case StoreFault::pruned:
        case StoreFault::failed:
            break;
    }
    return "check the disk and start again";
}

StoreError error_of(const std::string& directory, const leveldb::Status& status) {
    const StoreFault fault = fault_of(status);
    std::string cause = status.ToString();
    if (fault == StoreFault::in_use) cause = "another process is using it";
    if (fault == StoreFault::full) cause = "no space left on the disk";
    return {fault, "database " + directory + ": " + cause + "; " + std::string(remedy_of(fault))};
}

// A directory with a database's files but no CURRENT, the file that says which of them count, looks
// to LevelDB like an empty one: it would begin anew and delete the rest. Nothing if all is well.
Result<void, StoreError> check_current(const std::string& directory) {
    std::error_code failure;
    const std::filesystem::path path(directory);
    if (std::filesystem::exists(path / "CURRENT", failure)) return {};
    std::filesystem::directory_iterator file(path, failure);
    for (; !failure && file != std::filesystem::directory_iterator(); file.increment(failure)) {
        const std::string name = file->path().filename().string();
        const std::string kind = file->path().extension().string();
        if (name.rfind("MANIFEST-", 0) != 0 && kind != ".ldb" && kind != ".log") continue;
        return fail(
            StoreError{StoreFault::corrupt, "database " + directory + ": it holds " + name +
                                                " but its file CURRENT is missing; " +
                                                std::string(remedy_of(StoreFault::corrupt))});
    }
    return {};  // an empty directory, or one that LevelDB can say more about
}

}  // namespace

struct LevelDbStore::Database {
    std::string directory;
    std::unique_ptr<const leveldb::FilterPolicy> filter;
    std::unique_ptr<leveldb::Cache> cache;
    std::unique_ptr<leveldb::DB> db;  // last, so that it is closed first

    Result<std::optional<Bytes>, StoreError> get(ByteSpan key, const leveldb::Snapshot* at) const {
        leveldb::ReadOptions options;
        options.verify_checksums = true;
        options.snapshot = at;
        std::string value;
        const leveldb::Status status = db->Get(options, to_slice(key), &value);
        if (status.IsNotFound()) return std::nullopt;
        if (!status.ok()) return fail(error_of(directory, status));
        const ByteSpan bytes = as_bytes(value);
        return Bytes(bytes.begin(), bytes.end());
    }

    Result<void, StoreError> scan(ByteSpan prefix, const KeyValueVisitor& visit,
                                  const leveldb::Snapshot* at) const {
        leveldb::ReadOptions options;
        options.verify_checksums = true;
        options.fill_cache = false;
        options.snapshot = at;
        const std::unique_ptr<leveldb::Iterator> it(db->NewIterator(options));
        for (it->Seek(to_slice(prefix)); it->Valid(); it->Next()) {
            if (!it->key().starts_with(to_slice(prefix))) break;
            if (!visit(to_span(it->key()), to_span(it->value()))) break;
        }
        if (!it->status().ok()) return fail(error_of(directory, it->status()));
        return {};
    }
};

class LevelDbStore::Snapshot final : public KeyValueView {
  public:
    explicit Snapshot(std::shared_ptr<const Database> database)
        : database_(std::move(database)), at_(database_->db->GetSnapshot()) {}
    ~Snapshot() override { database_->db->ReleaseSnapshot(at_); }

    Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const override {
        return database_->get(key, at_);
    }

    Result<void, StoreError> scan(ByteSpan prefix, const KeyValueVisitor& visit) const override {
        return database_->scan(prefix, visit, at_);
    }

  private:
    std::shared_ptr<const Database> database_;
    const leveldb::Snapshot* at_;
};

Result<std::unique_ptr<LevelDbStore>, StoreError> LevelDbStore::open(const std::string& directory,
                                                                     OpenMode mode) {
    TRY(check_current(directory));
    auto database = std::make_shared<Database>();
    database->directory = directory;
    database->filter.reset(leveldb::NewBloomFilterPolicy(kBloomBitsPerKey));
    database->cache.reset(leveldb::NewLRUCache(kCacheBytes));

    leveldb::Options options;
    options.create_if_missing = mode == OpenMode::create_if_missing;
    // Damage in the middle of the log must be an error: skipping it would lose what was
    // acknowledged. A record cut short at the end was never acknowledged and is dropped.
    options.paranoid_checks = true;
    options.write_buffer_size = kWriteBufferBytes;
    options.block_cache = database->cache.get();
    options.filter_policy = database->filter.get();

    leveldb::DB* db = nullptr;
    const leveldb::Status status = leveldb::DB::Open(options, directory, &db);
    database->db.reset(db);
    if (!status.ok()) return fail(error_of(directory, status));
    return std::unique_ptr<LevelDbStore>(new LevelDbStore(std::move(database)));
}

LevelDbStore::LevelDbStore(std::shared_ptr<Database> database) noexcept
    : database_(std::move(database)) {}

LevelDbStore::~LevelDbStore() = default;

Result<std::optional<Bytes>, StoreError> LevelDbStore::get(ByteSpan key) const {
    return database_->get(key, nullptr);
}

Result<void, StoreError> LevelDbStore::scan(ByteSpan prefix, const KeyValueVisitor& visit) const {
    return database_->scan(prefix, visit, nullptr);
}

Result<void, StoreError> LevelDbStore::write(const WriteBatch& batch, Durability durability) {
    leveldb::WriteBatch updates;
    for (const WriteBatch::Operation& operation : batch.operations()) {
        if (operation.value) {
            updates.Put(to_slice(operation.key), to_slice(*operation.value));
        } else {
            updates.Delete(to_slice(operation.key));
        }
    }
    leveldb::WriteOptions options;
    options.sync = durability == Durability::synced;
    const leveldb::Status status = database_->db->Write(options, &updates);
    if (!status.ok()) return fail(error_of(database_->directory, status));
    return {};
}

std::shared_ptr<const KeyValueView> LevelDbStore::snapshot() const {
    return std::make_shared<Snapshot>(database_);
}

}  // namespace gradient::chain
