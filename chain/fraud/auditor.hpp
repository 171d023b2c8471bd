#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/types/fraud.hpp"
#include "chain/types/header.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/unit.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::chain {

/// The audit of one segment: all its units are replayed in order from theta_0 until one is not what
/// its digest says. It goes on in steps of one unit, so that it can wait for idle cores, and
/// allocates nothing between its start and a proof. Belongs to one thread at a time.
///
///     SegmentAudit audit(tmpl, body, start);
///     while (!audit.done()) TRY(audit.step(trainer));
///     if (audit.proof()) ...
///
/// Precondition of the proof's worth: `start` is that of the segment's lane, and the segment's
/// digests are those of its id.
class SegmentAudit {
  public:
    SegmentAudit(const Template& tmpl, std::shared_ptr<const SegmentBody> body, LaneStart start);

    /// Replays the next unit; does nothing once the audit is done. Fails, as before the call, if
    /// the solver core refuses the parameters: then start and trainer are not the segment's task's.
    [[nodiscard]] Result<void, model::TaskError> step(model::Trainer& trainer);

    /// Whether there is nothing left to replay: a false unit was found, or none is there.
    [[nodiscard]] bool done() const noexcept { return proof_ || units_ == body_->units(); }

    /// Shows the first false unit, if one was found.
    [[nodiscard]] const std::optional<FalseUnitProof>& proof() const noexcept { return proof_; }

    /// Units that gave their digests so far, and how many the segment has.
    [[nodiscard]] std::uint32_t units_passed() const noexcept { return units_; }
    [[nodiscard]] std::uint32_t units() const noexcept { return body_->units(); }

  private:
    [[nodiscard]] FalseUnitProof prove() const;

    Template tmpl_;
    Hash256 template_hash_;
    std::shared_ptr<const SegmentBody> body_;
    std::uint32_t units_ = 0;
    UnitOutcome last_;                      // of unit units_
    Hash256 before_last_;                   // s of unit units_ - 1; zero for the start
    std::vector<std::int32_t> parameters_;  // theta of unit units_
    std::vector<std::int32_t> trial_;       // where the next unit is replayed
    std::optional<FalseUnitProof> proof_;
};

}  // namespace gradient::chain
