#pragma once

#include "chain/storage/key_value.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace gradient::chain {

/// What to do about a directory that holds no database yet.
enum class OpenMode : std::uint8_t {
    create_if_missing,
    must_exist,
};

/// Pairs in a LevelDB directory. The only file of the project that knows LevelDB.
class LevelDbStore final : public KeyValueStore {
  public:
    /// Opens the database in `directory`; its parent must exist. Fails with one sentence if the
    /// directory is missing, unreadable, in use, damaged or on a full disk.
    [[nodiscard]] static Result<std::unique_ptr<LevelDbStore>, StoreError> open(
        const std::string& directory, OpenMode mode);

    ~LevelDbStore() override;

    [[nodiscard]] Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const override;
    [[nodiscard]] Result<void, StoreError> scan(ByteSpan prefix,
                                                const KeyValueVisitor& visit) const override;
    [[nodiscard]] Result<void, StoreError> write(const WriteBatch& batch,
                                                 Durability durability) override;
    [[nodiscard]] std::shared_ptr<const KeyValueView> snapshot() const override;

  private:
    struct Database;
    class Snapshot;
    explicit LevelDbStore(std::shared_ptr<Database> database) noexcept;

    // Shared with the snapshots, so that one released late finds its database alive.
    std::shared_ptr<Database> database_;
};

}  // namespace gradient::chain
