#pragma once

// From a block's bytes to what the ledger commits, in stages whose types only the stage before can
// make:
//
//   Ledger::admit            Candidate       parent known, header rules: microseconds, ledger's
//                                            thread
//   BlockVerifier            JudgedBlock     every other rule, waves of replays
//   finish_candidate         VerifiedBlock   with its index
//   Ledger::commit                           one batch, ledger's thread
//
// All between admit and commit is pure work on an immutable snapshot, for any thread. Shares that
// come alone go the same way: Ledger::admit_share, verify_share.

#include "chain/base/result.hpp"
#include "chain/block_verifier.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/light/standalone_evidence.hpp"
#include "chain/parent_state.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/state/store_error.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/types/block.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace gradient::chain {

/// Why the ledger does not take a block, beside the rules.
enum class LedgerError : std::uint8_t {
    // not yet
    duplicate,        // the block is known already
    too_little_work,  // its branch lies kSideBranchBlocks blocks' work or more below the tip
    pruned,           // its branch forks where this node can no longer go back to
    // invalid
    condemned,  // the block or its parent has broken a rule before
    // ours
    halted,  // a write has failed before: nothing is accepted until the store is opened again
};

/// Why a submission came to nothing.
using SubmitError = std::variant<LedgerError, RuleError, StoreError>;

/// One sentence for the error.
[[nodiscard]] std::string describe(const SubmitError& error);

/// A failure of the state transition as one of a submission.
[[nodiscard]] SubmitError submit_error(ApplyFailure failure);

/// Its group.
[[nodiscard]] Consequence blame(const SubmitError& error) noexcept;

/// A block with a valid header on a known parent, and all that judging the rest takes. Cheap to
/// copy.
class Candidate {
  public:
    [[nodiscard]] const CheckedHeader& header() const noexcept { return header_; }
    [[nodiscard]] const Hash256& id() const noexcept { return header_.id(); }
    [[nodiscard]] const std::shared_ptr<const Block>& block() const noexcept { return block_; }
    [[nodiscard]] const ParentState& parent() const noexcept { return *parent_; }
    /// What a verifier of the block takes; the trainers must outlive it.
    [[nodiscard]] BlockContext context(Trainers& trainers) const;

  private:
    Candidate(const CheckedHeader& header, std::shared_ptr<const Block> block,
              std::shared_ptr<const ParentState> parent, TaskSet tasks);
    friend class Ledger;
    CheckedHeader header_;
    std::shared_ptr<const Block> block_;
    std::shared_ptr<const ParentState> parent_;
    std::shared_ptr<const TaskSet> tasks_;
};

/// A share that came alone, and all that judging it takes. Cheap to copy.
class ShareCandidate {
  public:
    [[nodiscard]] const std::shared_ptr<const Segment>& segment() const noexcept {
        return segment_;
    }
    [[nodiscard]] const ParentState& parent() const noexcept { return *parent_; }
    [[nodiscard]] const TaskSet& tasks() const noexcept { return *tasks_; }

  private:
    ShareCandidate(std::shared_ptr<const Segment> segment,
                   std::shared_ptr<const ParentState> parent, TaskSet tasks);
    friend class Ledger;
    std::shared_ptr<const Segment> segment_;
    std::shared_ptr<const ParentState> parent_;
    std::shared_ptr<const TaskSet> tasks_;
};

/// A block that satisfies every rule, with what it does to its parent's state.
class VerifiedBlock {
  public:
    [[nodiscard]] const Hash256& id() const noexcept { return id_; }
    [[nodiscard]] const Block& block() const noexcept { return *block_; }
    [[nodiscard]] const std::shared_ptr<const Block>& shared_block() const noexcept {
        return block_;
    }
    [[nodiscard]] const BlockIndex& index() const noexcept { return index_; }
    /// Ids of the shares that it includes.
    [[nodiscard]] const IncludedSegments& included() const noexcept { return included_; }
    /// Leads from the state after the parent to the state after the block.
    [[nodiscard]] const StateDiff& diff() const noexcept { return diff_; }
    /// What the block does to the state tree after its parent; null if the parent was not the tip.
    [[nodiscard]] const std::shared_ptr<const StateTree::Changes>& tree_changes() const noexcept {
        return tree_changes_;
    }
    /// Standalone evidence of its work.
    [[nodiscard]] const StandaloneEvidence& evidence() const noexcept { return evidence_; }
    /// Mean loss of the replayed units, in units of 2^-32; for display.
    [[nodiscard]] std::int64_t mean_loss() const noexcept { return mean_loss_; }

  private:
    VerifiedBlock() = default;
    friend Result<VerifiedBlock, SubmitError> finish_candidate(const Candidate&, JudgedBlock);
    Hash256 id_;
    std::shared_ptr<const Block> block_;
    BlockIndex index_;
    IncludedSegments included_;
    StateDiff diff_;
    std::shared_ptr<const StateTree::Changes> tree_changes_;
    StandaloneEvidence evidence_;
    std::int64_t mean_loss_ = 0;
};

/// Makes a judged block's index. Precondition: `judged` is the candidate's block.
[[nodiscard]] Result<VerifiedBlock, SubmitError> finish_candidate(const Candidate& candidate,
                                                                  JudgedBlock judged);

/// What shows a header's task to somebody who has no state: the task's entry in the state after the
/// parent, whose tree this is. Nothing of the genesis task.
[[nodiscard]] Result<std::optional<TaskProof>, StoreError> prove_task(const StateView& state,
                                                                      const StateTree& tree,
                                                                      const Header& header);

/// The index of a judged block on a parent, all but its state root.
[[nodiscard]] Result<BlockIndex, StoreError> make_index(const StateView& parent_state,
                                                        const BlockIndex& parent,
                                                        const CheckedHeader& header,
                                                        const JudgedBlock& judged,
                                                        const ConsensusParams& params);

/// All stages between admit and commit, replays in turn.
[[nodiscard]] Result<VerifiedBlock, SubmitError> verify_candidate(const Candidate& candidate,
                                                                  Trainers& trainers);

/// Judges a share for inclusion in the next block, replays in turn; one that is known needs none.
[[nodiscard]] Result<VerifiedShare, SubmitError> verify_share(const ShareCandidate& candidate,
                                                              Trainers& trainers,
                                                              const KnownShares& known = {});

}  // namespace gradient::chain
