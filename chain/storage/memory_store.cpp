#include "chain/storage/memory_store.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

namespace {

bool begins_with(const Bytes& key, ByteSpan prefix) noexcept {
    return key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
}

template <class Pairs>
std::optional<Bytes> find_value(const Pairs& pairs, ByteSpan key) {
    const auto found = pairs.find(Bytes(key.begin(), key.end()));
    if (found == pairs.end()) return std::nullopt;
    return *found->second;
}

template <class Pairs>
void visit_range(const Pairs& pairs, ByteSpan prefix, const KeyValueVisitor& visit) {
    for (auto it = pairs.lower_bound(Bytes(prefix.begin(), prefix.end()));
         it != pairs.end() && begins_with(it->first, prefix); ++it) {
        if (!visit(it->first, *it->second)) return;
    }
}

}  // namespace

class MemoryStore::Snapshot final : public KeyValueView {
  public:
    explicit Snapshot(std::shared_ptr<const Pairs> pairs) : pairs_(std::move(pairs)) {}

    Result<std::optional<Bytes>, StoreError> get(ByteSpan key) const override {
        return find_value(*pairs_, key);
    }

    Result<void, StoreError> scan(ByteSpan prefix, const KeyValueVisitor& visit) const override {
        visit_range(*pairs_, prefix, visit);
        return {};
    }

  private:
    std::shared_ptr<const Pairs> pairs_;
};

MemoryStore::MemoryStore() : pairs_(std::make_shared<Pairs>()) {}

Result<std::optional<Bytes>, StoreError> MemoryStore::get(ByteSpan key) const {
    return find_value(*pairs_, key);
}

Result<void, StoreError> MemoryStore::scan(ByteSpan prefix, const KeyValueVisitor& visit) const {
    visit_range(*pairs_, prefix, visit);
    return {};
}

Result<void, StoreError> MemoryStore::write(const WriteBatch& batch, Durability) {
    if (shared_) pairs_ = std::make_shared<Pairs>(*pairs_);
    shared_ = false;
    for (const WriteBatch::Operation& operation : batch.operations()) {
        if (operation.value) {
            (*pairs_)[operation.key] = std::make_shared<const Bytes>(*operation.value);
        } else {
            pairs_->erase(operation.key);
        }
    }
    return {};
}

std::shared_ptr<const KeyValueView> MemoryStore::snapshot() const {
    shared_ = true;
    return std::make_shared<Snapshot>(pairs_);
}

}  // namespace gradient::chain
