#pragma once

// From a block's bytes to what the ledger commits, in stages whose types only the stage before can
// make:
//
//   Ledger::admit            Candidate       parent known, header rules: microseconds, ledger's
//                                            thread
//   check_candidate          CheckedBlock    hash chain, signature, openings: milliseconds
//   replay_opening ...       ProvenBlock     one replay for each opening
//   finish_candidate         VerifiedBlock   the block applied to its parent's state
//   Ledger::commit                           one batch, ledger's thread
//
// All between admit and commit is pure work on an immutable snapshot, for any thread.

#include "chain/base/result.hpp"
#include "chain/consensus/block_rules.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/parent_state.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/store_error.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/types/block.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace gradient::chain {

/// Why the ledger does not take a block, beside the rules.
enum class LedgerError : std::uint8_t {
    // not yet
    duplicate,        // the block is known already
    too_little_work,  // its branch lies kSideBranchBlocks blocks' work or more below the tip
    // invalid
    condemned,  // the block or its parent has broken a rule before
    // ours
    halted,  // a write has failed before: nothing is accepted until the store is opened again
};

/// Why a submission came to nothing.
using SubmitError = std::variant<LedgerError, RuleError, StoreError>;

/// One sentence for the error.
[[nodiscard]] std::string describe(const SubmitError& error);

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

  private:
    Candidate(const CheckedHeader& header, std::shared_ptr<const Block> block,
              std::shared_ptr<const ParentState> parent) noexcept;
    friend class Ledger;
    CheckedHeader header_;
    std::shared_ptr<const Block> block_;
    std::shared_ptr<const ParentState> parent_;
};

/// A block that satisfies every rule, with what it does to its parent's state.
class VerifiedBlock {
  public:
    [[nodiscard]] const Hash256& id() const noexcept { return id_; }
    [[nodiscard]] const Block& block() const noexcept { return *block_; }
    [[nodiscard]] const BlockIndex& index() const noexcept { return index_; }
    /// Leads from the state after the parent to the state after the block.
    [[nodiscard]] const StateDiff& diff() const noexcept { return diff_; }
    /// Mean loss of the replayed units, in units of 2^-32; for display.
    [[nodiscard]] std::int64_t mean_loss() const noexcept { return mean_loss_; }

  private:
    VerifiedBlock() = default;
    friend Result<VerifiedBlock, SubmitError> finish_candidate(const Candidate&,
                                                               const ProvenBlock&);
    Hash256 id_;
    std::shared_ptr<const Block> block_;
    BlockIndex index_;
    StateDiff diff_;
    std::int64_t mean_loss_ = 0;
};

/// Every rule for the block that needs no replay.
[[nodiscard]] Result<CheckedBlock, RuleError> check_candidate(const Candidate& candidate);

/// Applies a proven block to its parent's state. Precondition: `proven` is the candidate's block.
[[nodiscard]] Result<VerifiedBlock, SubmitError> finish_candidate(const Candidate& candidate,
                                                                  const ProvenBlock& proven);

/// All stages between admit and commit, replays in turn on one trainer.
[[nodiscard]] Result<VerifiedBlock, SubmitError> verify_candidate(const Candidate& candidate,
                                                                  model::Trainer& trainer);

}  // namespace gradient::chain
