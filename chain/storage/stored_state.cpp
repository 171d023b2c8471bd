#include "chain/storage/stored_state.hpp"

#include "chain/storage/record.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace gradient::chain {

namespace {

constexpr std::uint8_t kEntryTable = 's';
constexpr std::uint8_t kNodeTable = 'n';
constexpr std::uint8_t kLeafTable = 'y';

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

Bytes leaf_key(const Hash256& path) {
    Bytes stored{kLeafTable};
    stored.insert(stored.end(), path.bytes.begin(), path.bytes.end());
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

void put_tree_node(WriteBatch& batch, const TreePosition& position, const TreeNode& node) {
    put_record(batch, node_key(position), node);
}

void put_tree_changes(WriteBatch& batch, const StateTree::Changes& changes) {
    for (const auto& [position, node] : changes) {
        if (node) {
            put_tree_node(batch, position, *node);
        } else {
            batch.erase(node_key(position));
        }
    }
}

void put_leaf(WriteBatch& batch, const StateLeaf& leaf) {
    put_record(batch, leaf_key(leaf.path), leaf.value_hash);
}

void erase_leaf(WriteBatch& batch, const StateLeaf& leaf) {
    batch.erase(leaf_key(leaf.path));
}

Result<void, StoreError> scan_leaves(const KeyValueView& view,
                                     const std::function<bool(const StateLeaf& leaf)>& visit) {
    Result<void, StoreError> verdict;
    const auto visit_record = [&](ByteSpan key, ByteSpan record) {
        StateLeaf leaf;
        const auto payload = open_record(key, record, "state leaf");
        if (!payload || key.size() != 1 + leaf.path.bytes.size() ||
            payload->size() != leaf.value_hash.bytes.size()) {
            verdict = fail(damaged("state leaf", "its checksum is wrong"));
            return false;
        }
        std::copy(key.begin() + 1, key.end(), leaf.path.bytes.begin());
        std::copy(payload->begin(), payload->end(), leaf.value_hash.bytes.begin());
        return visit(leaf);
    };
    TRY(view.scan(Bytes{kLeafTable}, visit_record));
    return verdict;
}

}  // namespace gradient::chain
