#pragma once

#include "chain/storage/key_value.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace gradient::test {

/// A view that counts how often records of one table are read through it.
class CountingView final : public chain::KeyValueView {
  public:
    CountingView(std::shared_ptr<const chain::KeyValueView> behind, std::uint8_t table,
                 std::shared_ptr<std::size_t> reads) noexcept
        : behind_(std::move(behind)), table_(table), reads_(std::move(reads)) {}

    [[nodiscard]] chain::Result<std::optional<chain::Bytes>, chain::StoreError> get(
        chain::ByteSpan key) const override {
        if (!key.empty() && key[0] == table_) ++*reads_;
        return behind_->get(key);
    }
    [[nodiscard]] chain::Result<void, chain::StoreError> scan(
        chain::ByteSpan prefix, const chain::KeyValueVisitor& visit) const override {
        return behind_->scan(prefix, visit);
    }

  private:
    std::shared_ptr<const chain::KeyValueView> behind_;
    std::uint8_t table_;
    std::shared_ptr<std::size_t> reads_;
};

/// A store whose reads of one table are counted, those through its snapshots included.
class CountingStore final : public chain::KeyValueStore {
  public:
    CountingStore(std::shared_ptr<chain::KeyValueStore> behind, std::uint8_t table)
        : behind_(std::move(behind)), table_(table), now_(behind_, table, reads_) {}

    [[nodiscard]] std::size_t reads() const noexcept { return *reads_; }

    [[nodiscard]] chain::Result<std::optional<chain::Bytes>, chain::StoreError> get(
        chain::ByteSpan key) const override {
        return now_.get(key);
    }
    [[nodiscard]] chain::Result<void, chain::StoreError> scan(
        chain::ByteSpan prefix, const chain::KeyValueVisitor& visit) const override {
        return now_.scan(prefix, visit);
    }
    [[nodiscard]] chain::Result<void, chain::StoreError> write(
        const chain::WriteBatch& batch, chain::Durability durability) override {
        return behind_->write(batch, durability);
    }
    [[nodiscard]] std::shared_ptr<const chain::KeyValueView> snapshot() const override {
        return std::make_shared<CountingView>(behind_->snapshot(), table_, reads_);
    }

  private:
    std::shared_ptr<chain::KeyValueStore> behind_;
    std::uint8_t table_;
    std::shared_ptr<std::size_t> reads_ = std::make_shared<std::size_t>(0);
    CountingView now_;
};

}  // namespace gradient::test
