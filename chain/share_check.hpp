#pragma once

// Judging a share, a segment that ended no block, against the state in which it would be included
// (chain/SPEC.md section 10). The same for the shares of a block and for one that comes alone.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/consensus/segment_rules.hpp"
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
    /// template's: those that come before its list is followed.
    [[nodiscard]] Result<void, ShareFailure> check_place(const Segment& segment) const;

    /// Whether all segments that the share started from are known. Precondition: check_place() has
    /// passed it, or its list may be anybody's.
    [[nodiscard]] Result<bool, StoreError> is_ready(const Segment& segment) const;

    /// Every rule that needs no replay, check_place()'s first. That a lane yields one segment only
    /// is for the state transition to see, but a lane that the state has already is refused here.
    [[nodiscard]] Result<CheckedSegment, ShareFailure> check(
        std::shared_ptr<const Segment> segment);

    /// The task of a share that check() has passed.
    [[nodiscard]] SharedTask task_of(const Segment& segment) const {
        return context_.tasks.find(segment.tmpl.task);
    }

  private:
    using StartKey = std::pair<std::uint64_t, Hash256>;  // round, settle root
    Result<LaneStart, ShareFailure> start_of(const Segment& segment, const Round& round);

    const StateView& view_;
    std::uint64_t height_;
    const SettlementContext& context_;
    Contributions contributions_;
    std::map<StartKey, LaneStart> starts_;
};

}  // namespace gradient::chain
