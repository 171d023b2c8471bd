#include "chain/storage/snapshot_file.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"

#include <istream>
#include <ostream>
#include <utility>

namespace gradient::chain {

namespace {

constexpr std::string_view kMagic = "GRADSNAP";

Hash256 head_hash(std::uint32_t version, ByteSpan head) {
    static const TaggedHasher kHasher("gradient/snapshot/head");
    Sha256 state = kHasher.start();
    write_integer(state, version);
    state.update(head);
    return state.digest();
}

Hash256 chunk_hash(const Hash256& before, ByteSpan entries) {
    static const TaggedHasher kHasher("gradient/snapshot/chunk");
    Sha256 state = kHasher.start();
    state.update(before.bytes).update(entries);
    return state.digest();
}

Hash256 file_hash(const Hash256& last, std::uint64_t entries, const Hash256& state_root) {
    static const TaggedHasher kHasher("gradient/snapshot/end");
    return hash_encoded(kHasher, last, entries, state_root);
}

}  // namespace

std::string_view describe(SnapshotError error) noexcept {
    switch (error) {
        case SnapshotError::truncated:
            return "the snapshot ends before it is complete";
        case SnapshotError::trailing_bytes:
            return "the snapshot goes on after its end";
        case SnapshotError::bad_magic:
            return "the file is no snapshot";
        case SnapshotError::unknown_version:
            return "the snapshot has a version that this program does not know";
        case SnapshotError::head_too_large:
            return "the snapshot's head is larger than any can be";
        case SnapshotError::bad_head:
            return "the snapshot's head is not encoded as it must be";
        case SnapshotError::chunk_too_large:
            return "a chunk of the snapshot is larger than any can be";
        case SnapshotError::wrong_hash:
            return "the snapshot is damaged: a running hash differs";
        case SnapshotError::bad_entry:
            return "an entry of the snapshot is not encoded as it must be";
        case SnapshotError::entry_order:
            return "the snapshot's entries are not in ascending order";
        case SnapshotError::wrong_count:
            return "the snapshot has another number of entries than its end says";
        case SnapshotError::wrong_end_root:
            return "the snapshot's end names another state root than its head";
        case SnapshotError::wrong_network:
            return "the snapshot is of another network than the chain spec";
        case SnapshotError::bad_headers:
            return "the snapshot's headers are no part of a chain";
        case SnapshotError::wrong_child:
            return "the snapshot's child header does not stand on its block and state";
        case SnapshotError::wrong_pin:
            return "the pinned hash is neither the snapshot's state root nor the id of its child "
                   "block";
        case SnapshotError::pin_of_block:
            return "the pinned hash is the id of the snapshot's own block, which does not commit "
                   "to "
                   "the state after it: pin the state root, or the id of the next block";
        case SnapshotError::wrong_root:
            return "the snapshot's entries do not have its state root";
        case SnapshotError::wrong_block:
            return "the snapshot's state is not the one after its block";
        case SnapshotError::wrong_task:
            return "the snapshot's block names another task than its state draws";
        case SnapshotError::not_empty:
            return "the data directory holds a chain already: import into an empty one";
        case SnapshotError::no_chain:
            return "the data directory holds no chain";
        case SnapshotError::unknown_height:
            return "the height is above the tip's";
        case SnapshotError::cannot_read:
            return "the snapshot cannot be read";
        case SnapshotError::cannot_write:
            return "the snapshot cannot be written";
    }
    return "unknown snapshot error";
}

// ------------------------------------------------------------------------------------------------
// writing

Result<void, SnapshotError> SnapshotWriter::write(ByteSpan bytes) {
    const std::string_view text = as_text(bytes);
    if (!out_.write(text.data(), static_cast<std::streamsize>(text.size()))) {
        return fail(SnapshotError::cannot_write);
    }
    size_bytes_ += bytes.size();
    return {};
}

Result<void, SnapshotError> SnapshotWriter::begin(const SnapshotHead& head) {
    const Bytes bytes = encode(head);
    CHECK(bytes.size() <= kMaxSnapshotHeadBytes);
    state_root_ = head.state_root;
    running_ = head_hash(kSnapshotVersion, bytes);
    Writer start;
    start.append(as_bytes(kMagic));
    write_integer(start, kSnapshotVersion);
    write_integer(start, static_cast<std::uint32_t>(bytes.size()));
    start.append(bytes);
    encode_into(start, running_);
    return write(start.bytes());
}

Result<void, SnapshotError> SnapshotWriter::add(ByteSpan key, ByteSpan value) {
    SnapshotEntry entry{{key.begin(), key.end()}, {value.begin(), value.end()}};
    CHECK(entries_ == 0 || last_key_ < entry.key);
    encode_into(chunk_, entry);
    ++entries_;
    last_key_ = std::move(entry.key);
    if (chunk_.bytes().size() < kSnapshotChunkBytes) return {};
    return end_chunk();
}

Result<void, SnapshotError> SnapshotWriter::end_chunk() {
    const Bytes entries = std::move(chunk_).take();
    chunk_ = Writer();
    if (entries.empty()) return {};
    running_ = chunk_hash(running_, entries);
    TRY(write(encode(static_cast<std::uint32_t>(entries.size()))));
    TRY(write(entries));
    return write(running_.bytes);
}

Result<SnapshotEnd, SnapshotError> SnapshotWriter::finish() {
    TRY(end_chunk());
    const SnapshotEnd end{entries_, state_root_, file_hash(running_, entries_, state_root_)};
    TRY(write(encode(std::uint32_t{0})));
    TRY(write(encode(end)));
    if (!out_.flush()) return fail(SnapshotError::cannot_write);
    return end;
}

// ------------------------------------------------------------------------------------------------
// reading

Result<SnapshotReader, SnapshotError> SnapshotReader::open(std::istream& in) {
    SnapshotReader reader(in);
    TRY(reader.read_head());
    return reader;
}

// Precondition: the size has been checked against its limit.
Result<Bytes, SnapshotError> SnapshotReader::read(std::size_t size) {
    Bytes bytes(size);
    in_->read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (in_->bad()) return fail(SnapshotError::cannot_read);
    if (static_cast<std::size_t>(in_->gcount()) != size) return fail(SnapshotError::truncated);
    size_bytes_ += size;
    return bytes;
}

template <class T>
Result<T, SnapshotError> SnapshotReader::read_value() {
    TRY_ASSIGN(const Bytes bytes, read(fixed_encoded_size<T>()));
    const auto value = decode_exact<T>(bytes);
    CHECK(value);  // a value of fixed size, every pattern of which is one
    return *value;
}

Result<void, SnapshotError> SnapshotReader::read_head() {
    TRY_ASSIGN(const Bytes magic, read(kMagic.size()));
    if (as_text(magic) != kMagic) return fail(SnapshotError::bad_magic);
    TRY_ASSIGN(const auto version, read_value<std::uint32_t>());
    if (version != kSnapshotVersion) return fail(SnapshotError::unknown_version);
    TRY_ASSIGN(const auto size, read_value<std::uint32_t>());
    if (size > kMaxSnapshotHeadBytes) return fail(SnapshotError::head_too_large);
    TRY_ASSIGN(const Bytes bytes, read(size));
    TRY_ASSIGN(const auto hash, read_value<Hash256>());
    running_ = head_hash(version, bytes);
    if (hash != running_) return fail(SnapshotError::wrong_hash);
    auto head = decode_exact<SnapshotHead>(bytes);
    if (!head || head->headers.empty()) return fail(SnapshotError::bad_head);
    head_ = *std::move(head);
    return {};
}

Result<std::vector<SnapshotEntry>, SnapshotError> SnapshotReader::next() {
    TRY_ASSIGN(const auto size, read_value<std::uint32_t>());
    std::vector<SnapshotEntry> entries;
    if (size == 0) {
        TRY(read_end());
        return entries;
    }
    if (size > kMaxSnapshotChunkBytes) return fail(SnapshotError::chunk_too_large);
    TRY_ASSIGN(const Bytes bytes, read(size));
    TRY_ASSIGN(const auto hash, read_value<Hash256>());
    running_ = chunk_hash(running_, bytes);
    if (hash != running_) return fail(SnapshotError::wrong_hash);
    Reader reader(bytes);
    while (!reader.rest().empty()) {
        auto entry = decode_prefix<SnapshotEntry>(reader);
        if (!entry) return fail(SnapshotError::bad_entry);
        if (last_key_ && *last_key_ >= entry->key) return fail(SnapshotError::entry_order);
        last_key_ = entry->key;
        entries.push_back(*std::move(entry));
    }
    entries_ += entries.size();
    return entries;
}

Result<void, SnapshotError> SnapshotReader::read_end() {
    TRY_ASSIGN(end_, read_value<SnapshotEnd>());
    if (end_.file_hash != file_hash(running_, end_.entries, end_.state_root)) {
        return fail(SnapshotError::wrong_hash);
    }
    if (end_.entries != entries_) return fail(SnapshotError::wrong_count);
    if (end_.state_root != head_.state_root) return fail(SnapshotError::wrong_end_root);
    if (in_->peek() != std::istream::traits_type::eof()) {
        return fail(SnapshotError::trailing_bytes);
    }
    return {};
}

}  // namespace gradient::chain
