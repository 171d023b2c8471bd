#pragma once

// Judging a block whose header is valid, against the state after its parent. Shares come first,
// since theta_0 of the winner's lane hangs on the listed ones, and a share may have started from
// another one that the block includes: so replays come in waves.
//
//   BlockVerifier verifier(block, header, context);
//   for (;;) {
//       jobs = verifier.next();                 checks that need no replay; nothing left: break
//       verifier.take(one replay of each job);  in any order of computing, on any threads
//   }
//   verifier.finish();                          the block applied
//
// Shares that have been verified before take no replays.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/header_rules.hpp"
#include "chain/consensus/params.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/light/standalone_evidence.hpp"
#include "chain/share_check.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/state/state_view.hpp"
#include "chain/storage/block_stub.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/transition/apply.hpp"
#include "chain/types/block.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::chain {

/// What judging a block takes beside the block.
struct BlockContext {
    const StateView& view;  ///< the state after the parent
    Hash256 state_root;     ///< of that state
    std::uint64_t parent_time_ms = 0;
    Hash256 genesis;  ///< id of the genesis block
    std::uint32_t network_id = 0;
    const ConsensusParams& params;
    const TaskSet& tasks;  ///< all that required_tasks() names
    Trainers& trainers;
};

/// A unit to replay, with a trainer of the task.
struct ReplayJob {
    CheckedSegment segment;
    std::size_t opening = 0;
    SharedTask task;
    bool listed = false;  ///< of a listed segment

    /// What it says of the block if the unit is refused.
    [[nodiscard]] RuleError failure(SegmentError rule) const noexcept {
        if (listed) return ListedError{rule};
        return rule;
    }
};

/// What a block that satisfies every rule does, and what it took to see it.
struct JudgedBlock {
    StateDiff diff;          ///< from the state after the parent to the state after the block
    std::uint32_t hits = 0;  ///< of the block's own segment
    std::uint32_t replayed_units = 0;  ///< in all, for its shares perhaps before the block came
    std::uint32_t shares = 0;          ///< included, listed and late
    std::uint32_t share_hits = 0;
    std::uint64_t share_units = 0;  ///< their K
    std::int64_t mean_loss = 0;     ///< of the winner's replayed units, in units of 2^-32
    IncludedSegments included;      ///< ids of the shares, listed and late
    StandaloneEvidence evidence;    ///< of the block's work, but for the proof of its task
};

/// The tasks whose runtimes judging a block takes: its own, those of the rounds whose shares it may
/// include, those of its fraud proofs.
[[nodiscard]] Result<std::vector<std::uint32_t>, StoreError> required_tasks(const StateView& view,
                                                                            const Block& block);

class BlockVerifier {
  public:
    /// The header must be the block's. Everything in the context must outlive the verifier.
    BlockVerifier(std::shared_ptr<const Block> block, const CheckedHeader& header,
                  const BlockContext& context, KnownShares known = {});

    /// Goes on with what needs no replay and gives the next replays; none if all are done.
    [[nodiscard]] Result<std::vector<ReplayJob>, ApplyFailure> next();

    /// Takes one replay of each job that next() gave.
    [[nodiscard]] Result<void, ApplyFailure> take(std::vector<ReplayedUnit> replays);

    /// Applies the block. Precondition: next() has given no more jobs.
    [[nodiscard]] Result<JudgedBlock, ApplyFailure> finish();

    /// Whether unit K of the block's own segment has been replayed: the work behind the header,
    /// which a forger lacks, is real. Its other openings come last.
    [[nodiscard]] bool is_work_proven() const noexcept { return is_work_proven_; }

    /// The block's segments, once they are proven: shares, then the winner.
    [[nodiscard]] const std::vector<CheckedSegment>& proven() const noexcept { return proven_; }

  private:
    enum class Stage : std::uint8_t { form, shares, winner, winner_rest, done };
    struct Share {
        std::shared_ptr<const Segment> segment;
        std::size_t place = 0;  // in block.listed, or in block.transactions
        bool listed = false;
        std::optional<PlacedShare> placed;
        std::optional<CheckedSegment> checked;
        std::optional<SegmentOutcome> outcome;
        std::vector<ReplayedUnit> replays;
    };

    Result<void, ApplyFailure> check_form();
    void collect_shares();
    Result<void, ApplyFailure> place(Share& share);
    Result<std::vector<ReplayJob>, ApplyFailure> next_shares();
    Result<bool, ApplyFailure> check_share(Share& share);
    Result<std::vector<ReplayJob>, ApplyFailure> start_winner();
    std::vector<Hash256> listed_ids() const;
    Result<LaneStart, ApplyFailure> settle(const std::vector<Hash256>& listed);
    bool is_second_of_lane(const Share& share) const;
    Result<void, ApplyFailure> prove_share(Share& share);
    void share_proven(Share& share, SegmentOutcome outcome);
    std::vector<ReplayJob> jobs_of(const CheckedSegment& segment, const SharedTask& task,
                                   bool listed) const;
    BlockOutcome collect_outcome() const;

    std::shared_ptr<const Block> block_;
    CheckedHeader header_;
    BlockContext context_;
    SettlementContext settlement_context_;
    ShareChecker checker_;
    KnownShares known_;
    Stage stage_ = Stage::form;
    std::vector<Share> shares_;
    std::vector<CheckedTransaction> signed_;  // in order
    std::vector<std::size_t> waiting_;        // shares being replayed
    std::optional<TaskSettlement> settlement_;
    std::optional<LaneStart> start_;
    std::optional<CheckedSegment> winner_;
    std::vector<ReplayedUnit> winner_replays_;
    std::optional<ProvenSegment> proven_winner_;
    bool is_work_proven_ = false;
    std::vector<CheckedSegment> proven_;
};

}  // namespace gradient::chain
