#include "chain/share_check.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/state/entries.hpp"
#include "chain/transition/rounds.hpp"
#include "chain/work/targets.hpp"

#include <algorithm>

namespace gradient::chain {

namespace {

bool has_lane(const Round& round, const Hash256& lane) noexcept {
    return std::any_of(round.segments.begin(), round.segments.end(),
                       [&](const RoundSegment& one) { return one.template_hash == lane; });
}

}  // namespace

Result<std::vector<std::uint32_t>, StoreError> tasks_of_open_rounds(const StateView& view,
                                                                    std::uint64_t height) {
    std::vector<std::uint32_t> tasks;
    TRY_ASSIGN(const auto pending, read_entry<PendingRound>(view, pending_round_key()));
    if (pending) tasks.push_back(pending->task);
    for (std::uint64_t late = 0; late <= kMaxLateness && late + 1 < height; ++late) {
        TRY_ASSIGN(const auto round, read_entry<Round>(view, round_key(height - 1 - late)));
        if (round) tasks.push_back(round->task);
    }
    return tasks;
}

const SegmentOutcome* KnownShares::find(const CheckedSegment& checked,
                                        const Segment& segment) const {
    const auto found = by_lane_.find(checked.template_hash());
    if (found == by_lane_.end()) return nullptr;
    const VerifiedShare& known = *found->second;
    const bool same = known.start == checked.start().state && known.outcome.id == checked.id() &&
                      (known.segment.get() == &segment || *known.segment == segment);
    return same ? &known.outcome : nullptr;
}

Result<std::shared_ptr<const Round>, ShareFailure> ShareChecker::round_of(const Template& tmpl) {
    if (tmpl.height >= height_ || height_ - tmpl.height > kMaxLateness + 1) {
        return fail(ShareFailure(SegmentError::unknown_round));
    }
    std::shared_ptr<const Round>& known = rounds_[tmpl.height];
    if (known) return known;
    TRY_ASSIGN(auto round, read_entry<Round>(view_, round_key(tmpl.height)));
    if (!round) return fail(ShareFailure(SegmentError::unknown_round));
    known = std::make_shared<const Round>(*std::move(round));
    return known;
}

Result<PlacedShare, ShareFailure> ShareChecker::place(std::shared_ptr<const Segment> segment) {
    const Template& tmpl = segment->tmpl;
    if (const auto form = check_segment_form(segment->body, context_.params.work); !form) {
        return fail(ShareFailure(form.error()));
    }
    TRY_ASSIGN(auto round, round_of(tmpl));
    if (const auto fits = check_share_template(tmpl, tmpl.height, *round); !fits) {
        return fail(ShareFailure(fits.error()));
    }
    if (has_lane(*round, template_hash(tmpl))) {
        return fail(ShareFailure(SegmentError::lane_included));
    }
    if (settle_root(segment->listed) != tmpl.settle_root) {
        return fail(ShareFailure(SegmentError::wrong_list));
    }
    return PlacedShare(std::move(segment), std::move(round));
}

Result<bool, StoreError> ShareChecker::is_ready(const PlacedShare& share) const {
    for (const Hash256& id : share.segment().listed) {
        TRY_ASSIGN(const auto round, contributions_.round_of(id));
        if (!round) return false;
    }
    return true;
}

Result<CheckedSegment, ShareFailure> ShareChecker::check(const PlacedShare& share) {
    const std::shared_ptr<const Segment>& segment = share.segment_;
    const Template& tmpl = segment->tmpl;
    const ConsensusParams& params = context_.params;
    const SharedTask task = task_of(share);
    CHECK(task);  // one of tasks_of_open_rounds
    TRY_ASSIGN(LaneStart start, start_of(share));
    const auto target = target_of(tmpl.bits, params);
    CHECK(target);  // the round's own
    const SegmentContext context{std::move(start),
                                 targets_for(*target, task->unit_work, params.work),
                                 TicketClass::hit, nullptr};
    const std::shared_ptr<const SegmentBody> body(segment, &segment->body);
    auto checked = check_segment(tmpl, segment->listed, body, context, params);
    if (!checked) return fail(ShareFailure(checked.error()));
    return *std::move(checked);
}

// theta_0 of the share's lane; many lanes of a round start from one list.
Result<LaneStart, ShareFailure> ShareChecker::start_of(const PlacedShare& share) {
    const Segment& segment = share.segment();
    const Round& round = *share.round_;
    const StartKey key{segment.tmpl.height, segment.tmpl.settle_root};
    if (const auto found = starts_.find(key); found != starts_.end()) return found->second;
    const ArchiveView archived(view_, segment.tmpl.height);
    auto start =
        lane_start(archived, round.task, round.parent, segment.listed, contributions_, context_);
    if (!start) return fail(ShareFailure(std::move(start).error()));
    if (!*start) return fail(ShareFailure(SegmentError::list_not_on_branch));
    starts_.emplace(key, **start);
    return **std::move(start);
}

}  // namespace gradient::chain
