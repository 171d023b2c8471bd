#include "chain/storage/block_store.hpp"

#include "chain/storage/record.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace gradient::chain {

namespace {

// The first byte of a key.
enum class Table : std::uint8_t {
    info = 'v',
    tip = 't',
    active = 'a',
    index = 'h',
    block = 'b',
    evidence = 'e',
    diff = 'd',
    history = 'm',
    stub = 'u',
    included = 'l',
    side = 'w',
    transaction = 'x',
    kept = 'p',
    importing = 'i',
};

Bytes key_of(Table table) {
    return {static_cast<std::uint8_t>(table)};
}

Bytes key_of(Table table, const Hash256& id) {
    Bytes key = key_of(table);
    key.insert(key.end(), id.bytes.begin(), id.bytes.end());
    return key;
}

void append_big_endian(Bytes& key, std::uint64_t number) {
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        key.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
    }
}

Bytes active_key(std::uint64_t height) {
    Bytes key = key_of(Table::active);
    append_big_endian(key, height);
    return key;
}

Bytes history_key(MmrPosition position) {
    Bytes key = key_of(Table::history);
    key.push_back(position.level);
    append_big_endian(key, position.index);
    return key;
}

Bytes side_key(const SideBlock& block) {
    Bytes key = key_of(Table::side);
    append_big_endian(key, block.height);
    key.insert(key.end(), block.id.bytes.begin(), block.id.bytes.end());
    return key;
}

// The block that a key of the table names; nothing if the key has another size.
std::optional<SideBlock> side_block(ByteSpan key) {
    SideBlock block;
    if (key.size() != 1 + 8 + block.id.bytes.size()) return std::nullopt;
    for (const std::uint8_t byte : key.subspan(1, 8)) block.height = block.height << 8U | byte;
    std::copy(key.begin() + 9, key.end(), block.id.bytes.begin());
    return block;
}

std::string name(std::string_view what, const Hash256& id) {
    return std::string(what) + " " + id.to_hex();
}

std::string name(std::string_view what, std::uint64_t number) {
    return std::string(what) + " " + std::to_string(number);
}

template <class T>
Result<T, StoreError> require(Result<std::optional<T>, StoreError> found, const std::string& what) {
    if (!found) return fail(std::move(found).error());
    if (!*found) return fail(damaged(what, "it is missing"));
    return **std::move(found);
}

}  // namespace

Result<std::optional<StoreInfo>, StoreError> BlockReader::info() const {
    return get_record<StoreInfo>(view_, key_of(Table::info), "store info");
}

Result<std::optional<Hash256>, StoreError> BlockReader::tip() const {
    return get_record<Hash256>(view_, key_of(Table::tip), "tip");
}

Result<std::optional<Hash256>, StoreError> BlockReader::active_at(std::uint64_t height) const {
    return get_record<Hash256>(view_, active_key(height), name("block id at height", height));
}

Result<std::optional<BlockIndex>, StoreError> BlockReader::index(const Hash256& id) const {
    TRY_ASSIGN(auto found,
               get_record<BlockIndex>(view_, key_of(Table::index, id), name("header", id)));
    if (found && header_id(found->header) != id) {
        return fail(damaged(name("header", id), "it has another id"));
    }
    return found;
}

Result<std::optional<Block>, StoreError> BlockReader::block(const Hash256& id) const {
    TRY_ASSIGN(auto found, get_record<Block>(view_, key_of(Table::block, id), name("block", id)));
    if (found && header_id(found->header) != id) {
        return fail(damaged(name("block", id), "it has another id"));
    }
    return found;
}

Result<std::optional<Bytes>, StoreError> BlockReader::evidence(const Hash256& id) const {
    const Bytes key = key_of(Table::evidence, id);
    TRY_ASSIGN(auto record, view_.get(key));
    if (!record) return std::nullopt;
    TRY_ASSIGN(const ByteSpan payload, open_record(key, *record, name("evidence of block", id)));
    record->resize(payload.size());  // the seal is at its end
    return record;
}

Result<std::optional<BlockStub>, StoreError> BlockReader::stub(const Hash256& id) const {
    return get_record<BlockStub>(view_, key_of(Table::stub, id), name("stub of block", id));
}

Result<IncludedSegments, StoreError> BlockReader::included(const Hash256& id) const {
    TRY_ASSIGN(auto found, get_record<IncludedSegments>(view_, key_of(Table::included, id),
                                                        name("segment list of block", id)));
    return std::move(found).value_or(IncludedSegments());
}

Result<std::vector<Hash256>, StoreError> BlockReader::transaction_ids(const Hash256& id) const {
    TRY_ASSIGN(const auto pruned, stub(id));
    if (pruned) return stub_transaction_ids(*pruned);
    TRY_ASSIGN(const Block whole, require_block(id));
    return chain::transaction_ids(whole.transactions);
}

Result<std::optional<std::uint64_t>, StoreError> BlockReader::transaction_height(
    const Hash256& transaction) const {
    return get_record<std::uint64_t>(view_, key_of(Table::transaction, transaction),
                                     name("height of transaction", transaction));
}

Result<std::vector<SideBlock>, StoreError> BlockReader::side_blocks() const {
    std::vector<SideBlock> blocks;
    Result<void, StoreError> verdict;
    TRY(view_.scan(key_of(Table::side), [&](ByteSpan key, ByteSpan record) {
        const auto block = side_block(key);
        if (!block || !open_record(key, record, "side branch")) {
            verdict = fail(damaged("list of side branches", "a record's checksum is wrong"));
            return false;
        }
        blocks.push_back(*block);
        return true;
    }));
    TRY(verdict);
    return blocks;
}

Result<KeptHistory, StoreError> BlockReader::kept() const {
    TRY_ASSIGN(const auto found,
               get_record<KeptHistory>(view_, key_of(Table::kept), "record of what is pruned"));
    return found.value_or(KeptHistory());
}

Result<bool, StoreError> BlockReader::importing() const {
    TRY_ASSIGN(const auto mark, view_.get(key_of(Table::importing)));
    return mark.has_value();
}

Result<std::optional<StateDiff>, StoreError> BlockReader::diff(const Hash256& id) const {
    return get_record<StateDiff>(view_, key_of(Table::diff, id), name("state diff of block", id));
}

Result<std::optional<MmrNode>, StoreError> BlockReader::history_node(MmrPosition position) const {
    return get_record<MmrNode>(view_, history_key(position), name("history node", position.index));
}

Result<BlockIndex, StoreError> BlockReader::require_index(const Hash256& id) const {
    return require(index(id), name("header", id));
}

Result<Block, StoreError> BlockReader::require_block(const Hash256& id) const {
    return require(block(id), name("block", id));
}

Result<StateDiff, StoreError> BlockReader::require_diff(const Hash256& id) const {
    return require(diff(id), name("state diff of block", id));
}

Result<Hash256, StoreError> BlockReader::require_active_at(std::uint64_t height) const {
    return require(active_at(height), name("block id at height", height));
}

void BlockWriter::put_info(const StoreInfo& info) {
    put_record(batch_, key_of(Table::info), info);
}

void BlockWriter::put_tip(const Hash256& id) {
    put_record(batch_, key_of(Table::tip), id);
}

void BlockWriter::put_active(std::uint64_t height, const Hash256& id) {
    put_record(batch_, active_key(height), id);
}

void BlockWriter::erase_active(std::uint64_t height) {
    batch_.erase(active_key(height));
}

void BlockWriter::put_index(const Hash256& id, const BlockIndex& index) {
    put_record(batch_, key_of(Table::index, id), index);
}

void BlockWriter::put_block(const Hash256& id, const Block& block) {
    put_record(batch_, key_of(Table::block, id), block);
}

void BlockWriter::erase_block(const Hash256& id) {
    batch_.erase(key_of(Table::block, id));
}

void BlockWriter::put_evidence(const Hash256& id, Bytes encoded) {
    Bytes key = key_of(Table::evidence, id);
    Bytes record = seal_record(key, std::move(encoded));
    batch_.put(std::move(key), std::move(record));
}

void BlockWriter::erase_evidence(const Hash256& id) {
    batch_.erase(key_of(Table::evidence, id));
}

void BlockWriter::put_stub(const Hash256& id, const BlockStub& stub) {
    put_record(batch_, key_of(Table::stub, id), stub);
}

void BlockWriter::put_included(const Hash256& id, const IncludedSegments& included) {
    if (included == IncludedSegments()) return;
    put_record(batch_, key_of(Table::included, id), included);
}

void BlockWriter::put_transaction(const Hash256& transaction, std::uint64_t height) {
    put_record(batch_, key_of(Table::transaction, transaction), height);
}

void BlockWriter::erase_transaction(const Hash256& transaction) {
    batch_.erase(key_of(Table::transaction, transaction));
}

void BlockWriter::put_side(const SideBlock& block) {
    Bytes key = side_key(block);
    Bytes record = seal_record(key, {});
    batch_.put(std::move(key), std::move(record));
}

void BlockWriter::erase_side(const SideBlock& block) {
    batch_.erase(side_key(block));
}

void BlockWriter::erase_side_branch(const SideBlock& block) {
    erase_side(block);
    for (const Table table :
         {Table::index, Table::block, Table::evidence, Table::diff, Table::stub, Table::included}) {
        batch_.erase(key_of(table, block.id));
    }
}

void BlockWriter::put_kept(const KeptHistory& kept) {
    put_record(batch_, key_of(Table::kept), kept);
}

void BlockWriter::put_import_mark() {
    Bytes key = key_of(Table::importing);
    Bytes record = seal_record(key, {});
    batch_.put(std::move(key), std::move(record));
}

void BlockWriter::erase_import_mark() {
    batch_.erase(key_of(Table::importing));
}

void BlockWriter::erase_diff(const Hash256& id) {
    batch_.erase(key_of(Table::diff, id));
}

void BlockWriter::put_diff(const Hash256& id, const StateDiff& diff) {
    put_record(batch_, key_of(Table::diff, id), diff);
}

void BlockWriter::put_history_node(MmrPosition position, const MmrNode& node) {
    put_record(batch_, history_key(position), node);
}

void BlockWriter::erase_history_node(MmrPosition position) {
    batch_.erase(history_key(position));
}

}  // namespace gradient::chain
