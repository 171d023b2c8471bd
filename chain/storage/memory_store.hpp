#pragma once

#include "chain/storage/key_value.hpp"

#include <map>

namespace gradient::chain {

/// The in-memory twin of the store on disk: the same interface and the same order, nothing durable.
class MemoryStore final : public KeyValueStore {
  public:
    MemoryStore();

    [[nodiscard]] Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const override;
    [[nodiscard]] Result<void, StoreError> scan(ByteSpan prefix,
                                                const KeyValueVisitor& visit) const override;
    [[nodiscard]] Result<void, StoreError> write(const WriteBatch& batch,
                                                 Durability durability) override;
    [[nodiscard]] std::shared_ptr<const KeyValueView> snapshot() const override;

  private:
    using Pairs = std::map<Bytes, std::shared_ptr<const Bytes>>;
    class Snapshot;

    std::shared_ptr<Pairs> pairs_;
    // A snapshot shares pairs_, so the next write starts a copy.
    mutable bool shared_ = false;
};

}  // namespace gradient::chain
