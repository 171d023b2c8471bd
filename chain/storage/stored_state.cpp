#include "chain/storage/stored_state.hpp"

#include "chain/storage/record.hpp"

#include <optional>
#include <string>
#include <utility>

namespace gradient::chain {

namespace {

constexpr std::uint8_t kEntryTable = 's';
constexpr std::uint8_t kNodeTable = 'n';

Bytes entry_key(const StateKey& key) {
    Bytes stored{kEntryTable};
    stored.insert(stored.end(), key.begin(), key.end());
    return stored;
}

Bytes node_key(const TreePosition& position) {
    Bytes stored{kNodeTable, static_cast<std::uint8_t>(position.depth >> 8U),
                 static_cast<std::uint8_t>(position.depth)};
    const auto bits_end = position.prefix.bytes.begin() + (position.depth + 7) / 8;
    stored.insert(stored.end(), position.prefix.bytes.begin(), bits_end);
    return stored;
}

}  // namespace

StoredState::StoredState(std::shared_ptr<const KeyValueView> view) noexcept
    : view_(std::move(view)) {}

Result<StateValue, StoreError> StoredState::get(const StateKey& key) const {
    const Bytes stored_key = entry_key(key);
    TRY_ASSIGN(std::optional<Bytes> record, view_->get(stored_key));
    if (!record) return StateValue();
    TRY_ASSIGN(const ByteSpan payload,
               open_record(stored_key, *record, "state entry " + to_hex(key)));
    record->resize(payload.size());
    return std::make_shared<const Bytes>(*std::move(record));
}

Result<std::optional<TreeNode>, StoreError> StoredState::node(const TreePosition& position) const {
    return get_record<TreeNode>(*view_, node_key(position),
                                "state tree node at depth " + std::to_string(position.depth));
}

Result<void, StoreError> StoredState::scan(
    const std::function<bool(const StateKey& key, ByteSpan value)>& visit) const {
    Result<void, StoreError> verdict;
    const auto visit_record = [&](ByteSpan stored_key, ByteSpan record) {
        const StateKey key(stored_key.begin() + 1, stored_key.end());
        const auto payload = open_record(stored_key, record, "state entry " + to_hex(key));
        if (!payload) {
            verdict = fail(payload.error());
            return false;
        }
        return visit(key, *payload);
    };
    TRY(view_->scan(Bytes{kEntryTable}, visit_record));
    return verdict;
}

Result<std::size_t, StoreError> StoredState::count_nodes() const {
    std::size_t nodes = 0;
    TRY(view_->scan(Bytes{kNodeTable}, [&nodes](ByteSpan, ByteSpan) {
        ++nodes;
        return true;
    }));
    return nodes;
}

void put_state_diff(WriteBatch& batch, const StateDiff& diff) {
    for (const StateWrite& write : diff.writes) {
        Bytes key = entry_key(write.key);
        if (write.value) {
            Bytes record = seal_record(key, *write.value);
            batch.put(std::move(key), std::move(record));
        } else {
            batch.erase(std::move(key));
        }
    }
}

void put_tree_changes(WriteBatch& batch, const StateTree::Changes& changes) {
    for (const auto& [position, node] : changes) {
        if (node) {
            put_record(batch, node_key(position), *node);
        } else {
            batch.erase(node_key(position));
        }
    }
}

}  // namespace gradient::chain
