#pragma once

// Records of the chain (chain/SPEC.md, "Storage"); numbers in keys are big-endian. Never renumber.
//
//   'v'                          store info
//   't'                          id of the tip
//   'a' height u64               id of the active chain's block at that height
//   'h' block id                 block index
//   'b' block id                 block, until it is pruned
//   'e' block id                 standalone evidence of its work, until the block is pruned
//   'u' block id                 stub, once the block is pruned    chain/storage/block_stub.hpp
//   'l' block id                 ids of the segments that it includes
//   'w' height u64, block id     nothing: the block is on no active chain
//   'x' transaction id           height of the active chain's block that includes it
//   'p'                          which heights of the active chain are still kept
//   'd' block id                 state diff: of an active block the one that undoes it, of any
//                                other the one that leads to it from its parent
//   'm' level u8, index u64      node of the Merkle mountain range over the active chain
//   's' state key                state entry after the tip         chain/storage/stored_state.hpp
//   'n' depth u16, prefix        node of its tree                  (as many bytes as hold the bits)
//   'i'                          a snapshot is being imported
//   'y' path                     value hash of an entry, while its tree is being built

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/mmr.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/storage/block_stub.hpp"
#include "chain/storage/key_value.hpp"
#include "chain/types/block.hpp"
#include "chain/types/header.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gradient::chain {

/// Layout of the records. A program refuses a directory of another version.
inline constexpr std::uint32_t kSchemaVersion = 6;

/// What a data directory belongs to.
struct StoreInfo {
    static constexpr std::size_t kEncodedSize = 36;

    std::uint32_t schema_version = kSchemaVersion;
    Hash256 genesis;  ///< id of the genesis block, which commits to the whole chain spec

    friend bool operator==(const StoreInfo&, const StoreInfo&) = default;
    static auto fields(auto& self) { return std::tie(self.schema_version, self.genesis); }
};

/// What is known of a fully verified block besides its body.
struct BlockIndex {
    Header header;
    U256 cumulative_work;               ///< of the chain that ends here
    Hash256 state_root;                 ///< of the state after this block
    MmrPeaks history;                   ///< over all headers up to this one
    std::uint64_t unit_work = 0;        ///< reference FLOPs of one unit of the block's own task
    std::uint32_t child_task = 0;       ///< that lanes on this block train
    std::uint64_t child_unit_work = 0;  ///< reference FLOPs of one unit of that task
    std::uint32_t hits = 0;             ///< of the block's own segment
    std::uint32_t replayed_units = 0;   ///< that verifying it took
    std::uint32_t shares = 0;           ///< segments that it includes beside its own
    std::uint32_t share_hits = 0;       ///< of these
    std::uint64_t share_units = 0;      ///< of these

    friend bool operator==(const BlockIndex&, const BlockIndex&) = default;
    static auto fields(auto& self) {
        return std::tie(self.header, self.cumulative_work, self.state_root, self.history,
                        self.unit_work, self.child_task, self.child_unit_work, self.hits,
                        self.replayed_units, self.shares, self.share_hits, self.share_units);
    }

    [[nodiscard]] std::uint64_t height() const noexcept { return header.tmpl.height; }
};

/// From which heights on the active chain is kept; genesis always is. Of an unpruned chain all are
/// 0.
struct KeptHistory {
    static constexpr std::size_t kEncodedSize = 32;

    std::uint64_t headers = 0;  ///< below, there is nothing
    std::uint64_t stubs = 0;    ///< below, there are headers alone: the chain came as a snapshot
    std::uint64_t bodies = 0;   ///< below, there are stubs in the place of bodies
    std::uint64_t undo = 0;     ///< below, there are no diffs; at most `bodies`

    friend bool operator==(const KeptHistory&, const KeptHistory&) = default;
    static auto fields(auto& self) {
        return std::tie(self.headers, self.stubs, self.bodies, self.undo);
    }
};

/// A stored block that is not on the active chain.
struct SideBlock {
    std::uint64_t height = 0;
    Hash256 id;
};

/// Reads the chain's records from a store or a snapshot of one.
class BlockReader {
  public:
    /// `view` must outlive the reader.
    explicit BlockReader(const KeyValueView& view) noexcept : view_(view) {}

    /// Nothing in a store that has never been written to.
    [[nodiscard]] Result<std::optional<StoreInfo>, StoreError> info() const;
    [[nodiscard]] Result<std::optional<Hash256>, StoreError> tip() const;

    [[nodiscard]] Result<std::optional<Hash256>, StoreError> active_at(std::uint64_t height) const;
    [[nodiscard]] Result<std::optional<BlockIndex>, StoreError> index(const Hash256& id) const;
    /// A block whose header does not hash to `id` is damage. Nothing if it has been pruned.
    [[nodiscard]] Result<std::optional<Block>, StoreError> block(const Hash256& id) const;
    /// Encoded standalone evidence of a block's work (chain/light/standalone_evidence.hpp); nothing
    /// if the block has been pruned, or never had any.
    [[nodiscard]] Result<std::optional<Bytes>, StoreError> evidence(const Hash256& id) const;
    /// What pruning has left of a block; nothing if it is whole.
    [[nodiscard]] Result<std::optional<BlockStub>, StoreError> stub(const Hash256& id) const;
    /// The segments that a block includes beside its own: none if nothing is stored.
    [[nodiscard]] Result<IncludedSegments, StoreError> included(const Hash256& id) const;
    /// Ids of the transactions that a block includes, in its order, whether it is whole or a stub.
    [[nodiscard]] Result<std::vector<Hash256>, StoreError> transaction_ids(const Hash256& id) const;
    /// Height of the active chain's block that includes a transaction; nothing if none does.
    [[nodiscard]] Result<std::optional<std::uint64_t>, StoreError> transaction_height(
        const Hash256& transaction) const;
    /// Everything off the active chain, heights ascending.
    [[nodiscard]] Result<std::vector<SideBlock>, StoreError> side_blocks() const;
    [[nodiscard]] Result<KeptHistory, StoreError> kept() const;
    /// Whether an import has begun here and not come to its end.
    [[nodiscard]] Result<bool, StoreError> importing() const;
    [[nodiscard]] Result<std::optional<StateDiff>, StoreError> diff(const Hash256& id) const;
    [[nodiscard]] Result<std::optional<MmrNode>, StoreError> history_node(
        MmrPosition position) const;

    /// The same where a missing record is damage.
    [[nodiscard]] Result<BlockIndex, StoreError> require_index(const Hash256& id) const;
    [[nodiscard]] Result<Block, StoreError> require_block(const Hash256& id) const;
    [[nodiscard]] Result<StateDiff, StoreError> require_diff(const Hash256& id) const;
    [[nodiscard]] Result<Hash256, StoreError> require_active_at(std::uint64_t height) const;

  private:
    const KeyValueView& view_;
};

/// Adds the chain's records to a batch.
class BlockWriter {
  public:
    /// `batch` must outlive the writer.
    explicit BlockWriter(WriteBatch& batch) noexcept : batch_(batch) {}

    void put_info(const StoreInfo& info);
    void put_tip(const Hash256& id);
    void put_active(std::uint64_t height, const Hash256& id);
    void erase_active(std::uint64_t height);
    void put_index(const Hash256& id, const BlockIndex& index);
    void put_block(const Hash256& id, const Block& block);
    void erase_block(const Hash256& id);
    void put_evidence(const Hash256& id, Bytes encoded);
    void erase_evidence(const Hash256& id);
    void put_stub(const Hash256& id, const BlockStub& stub);
    void put_included(const Hash256& id, const IncludedSegments& included);
    void put_transaction(const Hash256& transaction, std::uint64_t height);
    void erase_transaction(const Hash256& transaction);
    void put_side(const SideBlock& block);
    void erase_side(const SideBlock& block);
    /// Erases every record of a block off the active chain.
    void erase_side_branch(const SideBlock& block);
    void put_kept(const KeptHistory& kept);
    void put_import_mark();
    void erase_import_mark();
    void put_diff(const Hash256& id, const StateDiff& diff);
    void erase_diff(const Hash256& id);
    void put_history_node(MmrPosition position, const MmrNode& node);
    void erase_history_node(MmrPosition position);

  private:
    WriteBatch& batch_;
};

}  // namespace gradient::chain
