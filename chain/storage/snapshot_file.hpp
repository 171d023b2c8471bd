#pragma once

// The state after one block as a file (chain/SPEC.md section 24). Grammar:
//
//   snapshot   "GRADSNAP", version u32 = 1, head size u32, head, h_0, chunks, end
//   head       genesis id, state root, peaks over all headers below the first one, list of headers,
//              optional header of the last one's child
//   header     header, child task u32, unit work u64, child unit work u64, hits u32, replayed u32,
//              shares u32, share hits u32, share units u64
//   chunk      size u32, entries, h_i                 entry: key, value (lengths compact)
//   end        0 as u32, number of entries u64, state root, file hash
//
//   h_0        H("gradient/snapshot/head", version, head)
//   h_i        H("gradient/snapshot/chunk", h_{i-1}, entries)
//   file hash  H("gradient/snapshot/end", h_last, number of entries, state root)
//
// This is the form alone: what the bytes must be to be read, not whether they are true.

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/mmr.hpp"
#include "chain/base/result.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/types/header.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string_view>
#include <vector>

namespace gradient::chain {

inline constexpr std::uint32_t kSnapshotVersion = 1;

/// Most headers of a snapshot: as many of the last ones as a newcomer looks at one by one.
inline constexpr std::size_t kMaxSnapshotHeaders = 200;

/// Most bytes of a snapshot's head: its headers and peaks take less than 70,000.
inline constexpr std::size_t kMaxSnapshotHeadBytes = std::size_t{128} << 10U;

/// Bytes of entries at which a writer ends a chunk. Only an entry that goes beyond makes more.
inline constexpr std::size_t kSnapshotChunkBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kMaxSnapshotChunkBytes =
    kSnapshotChunkBytes + StateWrite::kMaxKeyBytes + StateWrite::kMaxValueBytes + 16;

/// Why a snapshot is refused. The file is always to blame, or who gave it; nothing is kept of it.
enum class SnapshotError : std::uint8_t {
    // the file's form
    truncated,        // it ends before it is complete
    trailing_bytes,   // it goes on after its end
    bad_magic,        // it does not begin like a snapshot
    unknown_version,  // its version is not 1
    head_too_large,   // the head's size is above kMaxSnapshotHeadBytes
    bad_head,         // the head does not decode, or has no header
    chunk_too_large,  // a chunk's size is above kMaxSnapshotChunkBytes
    wrong_hash,       // a running hash, or the file hash, is not that of what stands before it
    bad_entry,        // a chunk is not a sequence of entries
    entry_order,      // keys do not strictly ascend
    wrong_count,      // the end names another number of entries
    wrong_end_root,   // the end names another state root than the head
    // what it says
    wrong_network,  // its genesis block is another network's
    bad_headers,    // its headers break a rule, or do not continue the peaks below them
    wrong_child,    // the child's header is not one on the last header and the state
    wrong_pin,      // the pinned hash is neither the state root nor the child's id
    pin_of_block,   // the pinned hash is the last header's id, which says nothing of the state
    wrong_root,     // the entries do not have the state root
    wrong_block,    // the state is not one after the last header's block
    wrong_task,     // the last header's child task is not the one that the state draws
    // the place
    not_empty,       // the store to import into holds a chain or something else
    no_chain,        // the store to export from holds no chain
    unknown_height,  // the height to export is above the tip's
    // the system
    cannot_read,
    cannot_write,
};

/// One sentence for the error.
[[nodiscard]] std::string_view describe(SnapshotError error) noexcept;

/// A header as a snapshot has it: what the block's index needs beside what headers derive. The
/// figures from `hits` on are the exporter's word; no rule reads them.
struct SnapshotHeader {
    Header header;
    std::uint32_t child_task = 0;
    std::uint64_t unit_work = 0;
    std::uint64_t child_unit_work = 0;
    std::uint32_t hits = 0;
    std::uint32_t replayed_units = 0;
    std::uint32_t shares = 0;
    std::uint32_t share_hits = 0;
    std::uint64_t share_units = 0;

    friend bool operator==(const SnapshotHeader&, const SnapshotHeader&) = default;
    static auto fields(auto& self) {
        return std::tie(self.header, self.child_task, self.unit_work, self.child_unit_work,
                        self.hits, self.replayed_units, self.shares, self.share_hits,
                        self.share_units);
    }
};

/// What stands before a snapshot's entries.
struct SnapshotHead {
    Hash256 genesis;
    Hash256 state_root;                   ///< after the last header's block
    MmrPeaks before;                      ///< over all headers below the first one
    std::vector<SnapshotHeader> headers;  ///< ascending; the last one is the snapshot's block
    std::optional<Header> child;          ///< commits to the block and to the state root

    friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
    static auto fields(auto& self) {
        return field_list(self.genesis, self.state_root, self.before,
                          bounded<kMaxSnapshotHeaders>(self.headers), self.child);
    }
};

/// One entry of the state.
struct SnapshotEntry {
    StateKey key;
    Bytes value;

    friend bool operator==(const SnapshotEntry&, const SnapshotEntry&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<StateWrite::kMaxKeyBytes>(self.key),
                          bounded<StateWrite::kMaxValueBytes>(self.value));
    }
};

/// What stands behind the entries.
struct SnapshotEnd {
    static constexpr std::size_t kEncodedSize = 72;

    std::uint64_t entries = 0;
    Hash256 state_root;
    Hash256 file_hash;

    friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
    static auto fields(auto& self) {
        return std::tie(self.entries, self.state_root, self.file_hash);
    }
};

/// Writes a snapshot, entry by entry.
class SnapshotWriter {
  public:
    /// `out` must outlive the writer.
    explicit SnapshotWriter(std::ostream& out) noexcept : out_(out) {}

    /// First of all.
    [[nodiscard]] Result<void, SnapshotError> begin(const SnapshotHead& head);
    /// Precondition: the key is above the last one's.
    [[nodiscard]] Result<void, SnapshotError> add(ByteSpan key, ByteSpan value);
    /// Last of all.
    [[nodiscard]] Result<SnapshotEnd, SnapshotError> finish();

    /// Bytes written.
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

  private:
    Result<void, SnapshotError> write(ByteSpan bytes);
    Result<void, SnapshotError> end_chunk();

    std::ostream& out_;
    Hash256 state_root_;
    Hash256 running_;
    Writer chunk_;
    StateKey last_key_;
    std::uint64_t entries_ = 0;
    std::uint64_t size_bytes_ = 0;
};

/// Reads a snapshot, chunk by chunk: no more of it is in memory at a time, whatever it says.
class SnapshotReader {
  public:
    /// Reads up to the end of the head. `in` must outlive the reader.
    [[nodiscard]] static Result<SnapshotReader, SnapshotError> open(std::istream& in);

    [[nodiscard]] const SnapshotHead& head() const noexcept { return head_; }

    /// The next entries, keys ascending from chunk to chunk; none when the end has been read and
    /// found right.
    [[nodiscard]] Result<std::vector<SnapshotEntry>, SnapshotError> next();

    /// What the end said, once next() has given none.
    [[nodiscard]] const SnapshotEnd& end() const noexcept { return end_; }

    /// Bytes read.
    [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }

  private:
    explicit SnapshotReader(std::istream& in) noexcept : in_(&in) {}

    Result<Bytes, SnapshotError> read(std::size_t size);
    template <class T>
    Result<T, SnapshotError> read_value();
    Result<void, SnapshotError> read_head();
    Result<void, SnapshotError> read_end();

    std::istream* in_;
    SnapshotHead head_;
    SnapshotEnd end_;
    Hash256 running_;
    std::optional<StateKey> last_key_;
    std::uint64_t entries_ = 0;
    std::uint64_t size_bytes_ = 0;
};

}  // namespace gradient::chain
