#pragma once

// A chain's state after one block out of a store and into another (chain/SPEC.md section 24).

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/network.hpp"
#include "chain/state/store_error.hpp"
#include "chain/storage/key_value.hpp"
#include "chain/storage/snapshot_file.hpp"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

namespace gradient::chain {

/// Why a snapshot was not made or not taken: a rule, or the store.
using SnapshotFailure = std::variant<SnapshotError, StoreError>;

/// One sentence for the failure.
[[nodiscard]] std::string describe(const SnapshotFailure& failure);

/// What a snapshot is of.
struct SnapshotSummary {
    Hash256 genesis;
    std::uint64_t height = 0;
    Hash256 block;
    std::uint64_t time_ms = 0;     ///< of the block
    U256 cumulative_work;          ///< up to the block
    Hash256 state_root;            ///< after it
    std::optional<Hash256> child;  ///< id of the block above, which commits to the state root
    std::uint64_t headers = 0;     ///< that it has
    std::uint64_t entries = 0;
    std::uint64_t size_bytes = 0;
    Hash256 file_hash;
};

/// Called from time to time: how many entries have been written, or bytes read.
using SnapshotListener = std::function<void(std::uint64_t done)>;

/// Writes the state after the active chain's block at a height. A height below the kept undo diffs
/// fails with StoreFault::pruned.
[[nodiscard]] Result<SnapshotSummary, SnapshotFailure> export_snapshot(
    const KeyValueStore& store, std::uint64_t height, std::ostream& out,
    const SnapshotListener& listener = nullptr);

/// Reads a snapshot to its end and checks its form: every hash, every length, the order of the
/// entries. Whether it is true, only an import finds out.
[[nodiscard]] Result<SnapshotSummary, SnapshotFailure> inspect_snapshot(
    std::istream& in, const SnapshotListener& listener = nullptr);

/// Makes a chain in an empty store that goes on from the snapshot, if its state root or the id of
/// its child block is `pin`. A store that an import left unfinished is emptied first. Until the
/// last write the store is no chain, and Ledger::open refuses it; after a refusal it is empty
/// again.
[[nodiscard]] Result<SnapshotSummary, SnapshotFailure> import_snapshot(
    const Network& network, KeyValueStore& store, std::istream& in, const Hash256& pin,
    const SnapshotListener& listener = nullptr);

}  // namespace gradient::chain
