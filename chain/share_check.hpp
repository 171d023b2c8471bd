#pragma once

// Judging a share, a segment that ended no block, against the state in which it would be included
// (chain/SPEC.md section 10). The same for the shares of a block and for one that comes alone.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state_view.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/transition/segment_outcome.hpp"
#include "chain/transition/settle_task.hpp"
#include "chain/types/segment.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::chain {

/// Why a share can't be judged good: a rule, or a state that can't be read.
using ShareFailure = std::variant<SegmentError, StoreError>;

/// The tasks of the rounds whose shares a block at `height` may include, and of the pending round.
[[nodiscard]] Result<std::vector<std::uint32_t>, StoreError> tasks_of_open_rounds(
    const StateView& view, std::uint64_t height);

/// A share all of whose rules hold on the branch of the block it was judged on.
struct VerifiedShare {
    std::shared_ptr<const Segment> segment;
    SegmentOutcome outcome;
    Hash256 start;  ///< c_0 of its lane
};

/// Shares that have been verified before, so that nobody replays them again: what their replays
/// give is a function of the segment's bytes and its lane's start alone. Immutable once it is
/// shared, so for any thread.
class KnownShares {
  public:
    /// Of several shares of one lane the first is kept.
    void add(std::shared_ptr<const VerifiedShare> share) {
        by_lane_.try_emplace(share->outcome.template_hash, std::move(share));
    }

    /// What proving the segment, which `checked` was made of, came to before; null unless just
    /// these bytes were proven from just this start.
    [[nodiscard]] const SegmentOutcome* find(const CheckedSegment& checked,
                                             const Segment& segment) const;

  private:
    std::map<Hash256, std::shared_ptr<const VerifiedShare>> by_lane_;
};

/// A share that may be included where it is wanted and whose list is its template's; only
/// ShareChecker::place makes one, and it is that checker's.
class PlacedShare {
  public:
    [[nodiscard]] const Segment& segment() const noexcept { return *segment_; }

  private:
    PlacedShare(std::shared_ptr<const Segment> segment, std::shared_ptr<const Round> round) noexcept
        : segment_(std::move(segment)), round_(std::move(round)) {}
    friend class ShareChecker;
    std::shared_ptr<const Segment> segment_;
    std::shared_ptr<const Round> round_;
};

/// Checks shares for inclusion in a block at one height. `view` is the state after that block's
/// parent; everything passed by reference must outlive the checker.
class ShareChecker {
  public:
    ShareChecker(const StateView& view, std::uint64_t height, const SettlementContext& context)
        : view_(view), height_(height), context_(context), contributions_(view) {}

    /// Contributions known so far: those of the state, and those of shares proven here.
    [[nodiscard]] const Contributions& contributions() const noexcept { return contributions_; }
    void add_proven(const SegmentOutcome& outcome) { contributions_.add(outcome); }

    /// The rules that say whether the share may be included at all and that its list is its
    /// template's: those that come before its list is followed. That a lane yields one segment only
    /// is for the state transition to see, but a lane that the state has already is refused here.
    [[nodiscard]] Result<PlacedShare, ShareFailure> place(std::shared_ptr<const Segment> segment);

    /// Whether all segments that the share started from are known.
    [[nodiscard]] Result<bool, StoreError> is_ready(const PlacedShare& share) const;

    /// Every other rule that needs no replay.
    [[nodiscard]] Result<CheckedSegment, ShareFailure> check(const PlacedShare& share);

    /// Its task.
    [[nodiscard]] SharedTask task_of(const PlacedShare& share) const {
        return context_.tasks.find(share.segment().tmpl.task);
    }

  private:
    using StartKey = std::pair<std::uint64_t, Hash256>;  // round, settle root
    Result<std::shared_ptr<const Round>, ShareFailure> round_of(const Template& tmpl);
    Result<LaneStart, ShareFailure> start_of(const PlacedShare& share);

    const StateView& view_;
    std::uint64_t height_;
    const SettlementContext& context_;
    Contributions contributions_;
    std::map<std::uint64_t, std::shared_ptr<const Round>> rounds_;
    std::map<StartKey, LaneStart> starts_;
};

}  // namespace gradient::chain
