#pragma once

#include "chain/storage/key_value.hpp"

#include <memory>
#include <utility>

namespace gradient::test {

/// A store that others go on using when its owner has closed it.
class SharedStore final : public chain::KeyValueStore {
  public:
    explicit SharedStore(std::shared_ptr<chain::KeyValueStore> behind) noexcept
        : behind_(std::move(behind)) {}

    [[nodiscard]] chain::Result<std::optional<chain::Bytes>, chain::StoreError> get(
        chain::ByteSpan key) const override {
        return behind_->get(key);
    }
    [[nodiscard]] chain::Result<void, chain::StoreError> scan(
        chain::ByteSpan prefix, const chain::KeyValueVisitor& visit) const override {
        return behind_->scan(prefix, visit);
    }
    [[nodiscard]] chain::Result<void, chain::StoreError> write(
        const chain::WriteBatch& batch, chain::Durability durability) override {
        return behind_->write(batch, durability);
    }
    [[nodiscard]] std::shared_ptr<const chain::KeyValueView> snapshot() const override {
        return behind_->snapshot();
    }

  private:
    std::shared_ptr<chain::KeyValueStore> behind_;
};

}  // namespace gradient::test
