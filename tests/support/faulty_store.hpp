#pragma once

#include "chain/storage/key_value.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace gradient::chain {

/// A store in front of another that fails from some write on: what is written before reaches the
/// store behind, what comes later doesn't, like a disk that fills up or a process that is killed.
class FaultyStore final : public KeyValueStore {
  public:
    /// `behind` must outlive this store.
    explicit FaultyStore(KeyValueStore& behind) noexcept : behind_(behind) {}

    /// Lets `count` more writes through; all later ones fail.
    void fail_after(std::size_t count) noexcept { writes_left_ = count; }

    [[nodiscard]] std::size_t writes() const noexcept { return writes_; }

    [[nodiscard]] Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const override {
        return behind_.get(key);
    }
    [[nodiscard]] Result<void, StoreError> scan(ByteSpan prefix,
                                                const KeyValueVisitor& visit) const override {
        return behind_.scan(prefix, visit);
    }
    [[nodiscard]] Result<void, StoreError> write(const WriteBatch& batch,
                                                 Durability durability) override {
        if (writes_left_ && (*writes_left_)-- == 0) {
            writes_left_ = 0;
            return fail(StoreError{StoreFault::full, "no space left (injected)"});
        }
        ++writes_;
        return behind_.write(batch, durability);
    }
    [[nodiscard]] std::shared_ptr<const KeyValueView> snapshot() const override {
        return behind_.snapshot();
    }

  private:
    KeyValueStore& behind_;
    std::optional<std::size_t> writes_left_;
    std::size_t writes_ = 0;
};

}  // namespace gradient::chain
