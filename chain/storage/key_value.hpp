#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/state/store_error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::chain {

/// Changes that appear together or not at all. Of several changes to one key the last one counts.
class WriteBatch {
  public:
    /// One change: a value, or nothing to erase the key.
    struct Operation {
        Bytes key;
        std::optional<Bytes> value;
    };

    void put(Bytes key, Bytes value);
    void erase(Bytes key);

    [[nodiscard]] const std::vector<Operation>& operations() const noexcept { return operations_; }
    [[nodiscard]] bool empty() const noexcept { return operations_.empty(); }
    /// Bytes of all keys and values.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

  private:
    std::vector<Operation> operations_;
    std::size_t size_bytes_ = 0;
};

/// Whether a write must be on the disk before it returns.
enum class Durability : std::uint8_t {
    buffered,  ///< survives the end of the process, not a power cut
    synced,    ///< survives both
};

/// Called for each pair of a scan in key order; false ends the scan.
using KeyValueVisitor = std::function<bool(ByteSpan key, ByteSpan value)>;

/// Read access to ordered pairs of bytes. A snapshot may be read from any thread.
class KeyValueView {
  public:
    KeyValueView() = default;
    KeyValueView(const KeyValueView&) = delete;
    KeyValueView& operator=(const KeyValueView&) = delete;
    virtual ~KeyValueView() = default;

    /// The value of a key; nothing if there is none. Damage is an error, never "nothing".
    [[nodiscard]] virtual Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const = 0;

    /// Visits every pair whose key begins with `prefix`, in key order.
    [[nodiscard]] virtual Result<void, StoreError> scan(ByteSpan prefix,
                                                        const KeyValueVisitor& visit) const = 0;
};

/// A store of pairs: LevelDB on disk, or its twin in memory. One thread writes.
class KeyValueStore : public KeyValueView {
  public:
    /// Applies the whole batch or nothing of it. After a failure nothing of it has been
    /// acknowledged, and the store accepts no more writes until it is opened again.
    [[nodiscard]] virtual Result<void, StoreError> write(const WriteBatch& batch,
                                                         Durability durability) = 0;

    /// The pairs as they are now, whatever is written later. Must not outlive the store.
    [[nodiscard]] virtual std::shared_ptr<const KeyValueView> snapshot() const = 0;
};

}  // namespace gradient::chain
