#pragma once

#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/targets.hpp"
#include "model/task.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gradient::chain {

/// What the rules need to know beside a segment's own bytes.
struct SegmentContext {
    LaneStart start;                          ///< theta_0 of the lane
    Targets targets;                          ///< of the lane
    TicketClass required = TicketClass::hit;  ///< win: the segment ends a block, and so does unit K
    const Hash256* last_digest = nullptr;     ///< s_K if a header names it
};

/// A segment of which only the replays are left to check. Cheap to copy and safe to share among
/// threads: replays of its openings may run at the same time, each with a trainer of its own.
class CheckedSegment {
  public:
    [[nodiscard]] const Template& tmpl() const noexcept { return shared_->tmpl; }
    [[nodiscard]] const Hash256& template_hash() const noexcept { return shared_->template_hash; }
    [[nodiscard]] const SegmentBody& body() const noexcept { return *shared_->body; }
    [[nodiscard]] const Hash256& id() const noexcept { return shared_->id; }
    [[nodiscard]] const LaneStart& start() const noexcept { return shared_->start; }
    [[nodiscard]] const Targets& targets() const noexcept { return shared_->targets; }
    /// s_0 .. s_K.
    [[nodiscard]] const std::vector<Hash256>& digests() const noexcept { return shared_->digests; }
    /// Units whose tickets are hits, ascending; at least one.
    [[nodiscard]] const std::vector<std::uint32_t>& hits() const noexcept { return shared_->hits; }
    /// L: the unit of the last hit. Units after it are trained, not paid.
    [[nodiscard]] std::uint32_t paid_units() const noexcept { return shared_->hits.back(); }
    /// Openings to replay. The last one is unit K's: replay it first.
    [[nodiscard]] std::size_t opening_count() const noexcept { return body().openings.size(); }

  private:
    struct Shared {
        Template tmpl;
        Hash256 template_hash;
        std::shared_ptr<const SegmentBody> body;
        LaneStart start;
        Targets targets;
        Hash256 id;
        std::vector<Hash256> digests;
        std::vector<std::uint32_t> hits;
    };
    explicit CheckedSegment(Shared shared);
    friend Result<CheckedSegment, SegmentError> check_segment(const Template&,
                                                              std::span<const Hash256>,
                                                              std::shared_ptr<const SegmentBody>,
                                                              const SegmentContext&,
                                                              const ConsensusParams&);
    std::shared_ptr<const Shared> shared_;
};

/// One opening that was replayed and gave its digest.
class ReplayedUnit {
  public:
    [[nodiscard]] const Hash256& segment() const noexcept { return segment_; }
    [[nodiscard]] std::size_t opening() const noexcept { return opening_; }
    /// theta after the unit; kept for unit K only, empty otherwise.
    [[nodiscard]] const std::vector<std::int32_t>& parameters() const noexcept {
        return parameters_;
    }
    /// The unit's loss, in units of 2^-32.
    [[nodiscard]] std::int64_t loss() const noexcept { return loss_; }

  private:
    ReplayedUnit() = default;
    friend Result<ReplayedUnit, SegmentError> replay_opening(const CheckedSegment&, std::size_t,
                                                             model::Trainer&);
    friend class ProvenSegment;
    Hash256 segment_;
    std::size_t opening_ = 0;
    std::vector<std::int32_t> parameters_;
    std::int64_t loss_ = 0;
};

/// A segment all of whose rules hold, replays included.
class ProvenSegment {
  public:
    [[nodiscard]] const CheckedSegment& checked() const noexcept { return checked_; }
    [[nodiscard]] const Hash256& id() const noexcept { return checked_.id(); }
    [[nodiscard]] const Template& tmpl() const noexcept { return checked_.tmpl(); }
    /// K, and how many of its units were hits.
    [[nodiscard]] std::uint32_t units() const noexcept { return checked_.body().units(); }
    [[nodiscard]] std::uint32_t hits() const noexcept {
        return static_cast<std::uint32_t>(checked_.hits().size());
    }
    /// L: the unit of the last hit.
    [[nodiscard]] std::uint32_t paid_units() const noexcept { return checked_.paid_units(); }
    /// How many units were replayed to prove it.
    [[nodiscard]] std::uint32_t units_replayed() const noexcept {
        return static_cast<std::uint32_t>(checked_.opening_count());
    }
    /// theta_K.
    [[nodiscard]] const std::vector<std::int32_t>& parameters() const noexcept {
        return parameters_;
    }
    /// Mean loss of the replayed units, in units of 2^-32, rounded toward zero; for display.
    [[nodiscard]] std::int64_t mean_loss() const noexcept { return mean_loss_; }

  private:
    ProvenSegment(CheckedSegment checked, std::vector<ReplayedUnit> replays) noexcept;
    friend Result<ProvenSegment, SegmentError> prove_segment(const CheckedSegment&,
                                                             std::vector<ReplayedUnit>);
    CheckedSegment checked_;
    std::vector<std::int32_t> parameters_;
    std::int64_t mean_loss_ = 0;
};

/// Rules on the body's form: numbers and order of digests and openings. No hashing.
[[nodiscard]] Result<void, SegmentError> check_segment_form(const SegmentBody& body,
                                                            const WorkParams& params) noexcept;

/// Every rule for a segment that needs no replay, cheapest first: form, size, list, hash chain,
/// signature, tickets, openings. Copies nothing of the body.
[[nodiscard]] Result<CheckedSegment, SegmentError> check_segment(
    const Template& tmpl, std::span<const Hash256> listed, std::shared_ptr<const SegmentBody> body,
    const SegmentContext& context, const ConsensusParams& params);

/// Replays the unit of one opening. Precondition: opening < segment.opening_count().
[[nodiscard]] Result<ReplayedUnit, SegmentError> replay_opening(const CheckedSegment& segment,
                                                                std::size_t opening,
                                                                model::Trainer& trainer);

/// Joins the replays of a segment's openings, one of each, in any order.
[[nodiscard]] Result<ProvenSegment, SegmentError> prove_segment(const CheckedSegment& segment,
                                                                std::vector<ReplayedUnit> replays);

/// All replays in turn on one trainer, unit K's first; stops at the first that fails.
[[nodiscard]] Result<ProvenSegment, SegmentError> verify_segment(const CheckedSegment& segment,
                                                                 model::Trainer& trainer);

}  // namespace gradient::chain
