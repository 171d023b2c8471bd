#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/light/history_sample.hpp"
#include "chain/light/standalone_evidence.hpp"
#include "chain/network.hpp"
#include "chain/parent_state.hpp"
#include "chain/pruning.hpp"
#include "chain/state/entries.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/block_stub.hpp"
#include "chain/storage/key_value.hpp"
#include "chain/types/block.hpp"
#include "chain/verification.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace gradient::chain {

/// A change of the tip. Blocks are undone from the old tip down, then redone upward.
struct TipChange {
    Hash256 old_tip;
    std::shared_ptr<const ParentState> tip;  ///< the new one
    std::shared_ptr<const Block> block;      ///< the new tip's
    std::vector<Hash256> undone;
    std::vector<Hash256> redone;  ///< the last one is the new tip
};

/// What became of a committed block.
enum class CommitOutcome : std::uint8_t {
    extended,     ///< it is the new tip, on top of the old one
    reorganised,  ///< it is the new tip, on another branch
    side_branch,  ///< its chain has no more work than the tip's
};

/// The chain of one node: all verified blocks, the state after the tip, and the rule that the tip
/// is the block with the most cumulative proved work, the first verified of several. Belongs to one
/// thread; what verification needs leaves it as immutable snapshots.
///
/// A submission that fails changes nothing. After a failed write the ledger accepts no more: the
/// store may or may not hold the batch, and opening it again shows which.
class Ledger {
  public:
    using TipListener = std::function<void(const TipChange&)>;

    /// A side branch is followed only with more work than the tip's less that of this many blocks
    /// like the tip: on an old ancestor with an easy target, work costs next to nothing.
    static constexpr std::uint64_t kSideBranchBlocks = 20;

    /// What a block includes, as far as it outlives pruning.
    struct BlockOutline {
        IncludedSegments segments;
        BlockStub stub;
    };

    /// Opens the chain in a store, or starts it there from the network's genesis. Refuses a store
    /// of another network or layout, and one whose state does not have its root.
    [[nodiscard]] static Result<std::unique_ptr<Ledger>, StoreError> open(
        std::shared_ptr<const Network> network, std::unique_ptr<KeyValueStore> store);

    /// Condemned ids remembered; beyond, the oldest is forgotten and would be judged again.
    static constexpr std::size_t kMaxCondemned = 4096;

    /// Called after each change of the tip, when it is durable.
    void on_tip_change(TipListener listener) { listener_ = std::move(listener); }

    [[nodiscard]] const Network& network() const noexcept { return *network_; }
    /// The state after the tip.
    [[nodiscard]] const std::shared_ptr<const ParentState>& tip() const noexcept { return tip_; }

    // ---- submission; see chain/verification.hpp. Own blocks come the same way as a stranger's.

    /// Checks that a block is new, its parent known and its header valid, from the index alone;
    /// then loads the state after the parent. `branch_work` is the most cumulative work that
    /// headers above the block are known to have: it lets a long branch in from its fork on.
    [[nodiscard]] Result<Candidate, SubmitError> admit(std::shared_ptr<const Block> block,
                                                       std::uint64_t now_ms,
                                                       const U256& branch_work = U256());

    /// Stores a verified block in one batch and moves the tip if its chain has more work.
    [[nodiscard]] Result<CommitOutcome, SubmitError> commit(const VerifiedBlock& verified);

    /// Remembers that a block broke a rule, if the error says so of its id and finding it out took
    /// the body: what a header alone shows is as quickly found again.
    void condemn(const Hash256& id, const SubmitError& error);

    /// admit, verify_candidate and commit in one go.
    [[nodiscard]] Result<CommitOutcome, SubmitError> submit_block(
        std::shared_ptr<const Block> block, std::uint64_t now_ms, Trainers& trainers);

    /// Prepares judging a share that came alone, for inclusion in a block on the tip.
    [[nodiscard]] Result<ShareCandidate, SubmitError> admit_share(
        std::shared_ptr<const Segment> segment);

    /// The runtime of a task that the state after the tip has; null if there is none.
    [[nodiscard]] Result<SharedTask, StoreError> task(std::uint32_t id);

    // ---- pruning

    /// Blocks that one step of pruning treats at most.
    static constexpr std::size_t kPruneStepBlocks = 16;

    /// Takes one step, as one batch, towards keeping no more than the policy says: what has been
    /// pruned is remembered, and a policy that keeps more later brings nothing back. Call it after
    /// each change of the tip, and again until it has finished.
    [[nodiscard]] Result<PruneStep, StoreError> prune(const PrunePolicy& policy);

    // ---- queries

    /// Side branches with no more cumulative work than this are not followed.
    [[nodiscard]] U256 work_floor() const noexcept;

    /// The records themselves; any thread may take a snapshot of them.
    [[nodiscard]] const KeyValueStore& store() const noexcept { return *store_; }
    [[nodiscard]] Result<std::optional<BlockIndex>, StoreError> index(const Hash256& id) const;
    [[nodiscard]] Result<std::optional<Block>, StoreError> block(const Hash256& id) const;
    /// The active chain's block at a height.
    [[nodiscard]] Result<std::optional<Hash256>, StoreError> id_at(std::uint64_t height) const;
    /// Height of the active chain's block that includes a transaction; nothing if none does.
    [[nodiscard]] Result<std::optional<std::uint64_t>, StoreError> transaction_height(
        const Hash256& transaction) const;
    /// What a block includes beside its winner's segment, without witness data: the same whether
    /// it is whole or pruned. Nothing if the block is not stored, or came with a snapshot.
    [[nodiscard]] Result<std::optional<BlockOutline>, StoreError> outline(const Hash256& id) const;
    /// Standalone evidence of a block's work. Nothing if the block is not stored, genesis, pruned,
    /// or came with a snapshot.
    [[nodiscard]] Result<std::optional<StandaloneEvidence>, StoreError> evidence(
        const Hash256& id) const;
    /// What a judge of the active chain asks for, see chain/stored_history.hpp.
    [[nodiscard]] Result<std::optional<HistoryTail>, StoreError> tail(const Hash256& tip,
                                                                      std::size_t blocks) const;
    [[nodiscard]] Result<std::optional<std::vector<HistorySample>>, StoreError> samples(
        const Hash256& anchor, std::span<const U256> works) const;
    /// Chunk number `chunk` of a user task's data, as the state after the tip has it.
    [[nodiscard]] Result<std::optional<Bytes>, StoreError> task_chunk(std::uint32_t task,
                                                                      std::uint32_t chunk) const;
    /// From which heights on the active chain is kept.
    [[nodiscard]] Result<KeptHistory, StoreError> kept() const;
    /// The state after any stored block. Fails with StoreFault::pruned if nothing leads back to it.
    [[nodiscard]] Result<std::shared_ptr<const ParentState>, StoreError> state_after(
        const Hash256& id);

  private:
    Ledger(std::shared_ptr<const Network> network, std::unique_ptr<KeyValueStore> store);

    Result<void, StoreError> start_chain();
    Result<void, StoreError> check_owner(const StoreInfo& info) const;
    Result<void, StoreError> load_tip();
    Result<void, StoreError> add_tip_move(WriteBatch& batch, const BranchPath& path,
                                          const VerifiedBlock& last) const;

    std::shared_ptr<const Network> network_;
    std::unique_ptr<KeyValueStore> store_;
    LedgerTools tools_;
    std::shared_ptr<const ParentState> tip_;
    std::set<Hash256> condemned_;
    std::deque<Hash256> condemned_order_;  // the same ids, oldest first
    bool halted_ = false;
    TipListener listener_;
};

}  // namespace gradient::chain
