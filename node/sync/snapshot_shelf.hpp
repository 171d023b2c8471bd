#pragma once

#include "chain/base/bytes.hpp"
#include "chain/storage/key_value.hpp"
#include "node/p2p/messages.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace gradient::node {

/// Name of a part of a snapshot file: H("gradient/snapshot-part", part).
[[nodiscard]] chain::Hash256 snapshot_part_id(chain::ByteSpan part) noexcept;

/// The snapshot files that a node serves: of every so many blocks the newest one that lies deep
/// enough, and the one before, which somebody may be fetching.
class SnapshotShelf {
  public:
    /// A snapshot is of a block that lies at least this deep: no reorganisation that a node follows
    /// goes further back, so that nobody starts from a branch that is left.
    static constexpr std::uint64_t kDepth = 20;
    /// Files kept.
    static constexpr std::size_t kKept = 2;

    /// A file on the shelf.
    struct Entry {
        std::filesystem::path file;
        SnapshotOffer offer;
    };

    /// `interval`: blocks from one snapshot to the next; 0: none are made. Files of an earlier run
    /// are removed.
    SnapshotShelf(std::filesystem::path folder, std::uint64_t interval);

    /// The height of which a snapshot is to be made now that the tip is that high, if one is.
    [[nodiscard]] std::optional<std::uint64_t> due(std::uint64_t tip_height) const noexcept;

    /// Writes a snapshot and names its parts; reads and writes megabytes, so call it from a worker.
    /// Throws Failure(storage).
    [[nodiscard]] static Entry make(const chain::KeyValueStore& store,
                                    const std::filesystem::path& folder, std::uint64_t height);

    /// A snapshot of that height can't be made: it is not due again.
    void pass_over(std::uint64_t height) noexcept { passed_over_ = height; }

    /// Puts a snapshot on the shelf and takes the oldest off.
    void add(Entry entry);

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    /// The newest one; no parts if there is none.
    [[nodiscard]] SnapshotOffer offer() const;
    /// A part of any file on the shelf; empty if there is no such part.
    [[nodiscard]] chain::Bytes part(const chain::Hash256& id) const;

  private:
    std::filesystem::path folder_;
    std::uint64_t interval_;
    std::uint64_t passed_over_ = 0;
    std::vector<Entry> entries_;  // newest last
};

}  // namespace gradient::node
