#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/types/header.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/targets.hpp"
#include "chain/work/unit.hpp"
#include "chain/work/work_params.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace gradient::chain {

/// Parameters that several lanes start from.
using SharedParameters = std::shared_ptr<const std::vector<std::int32_t>>;

/// What a lane starts from: theta_0 and its digest. Made once for all lanes of a template's parent.
struct LaneStart {
    LaneStart(SharedParameters theta_0) noexcept;  // NOLINT(google-explicit-constructor)

    SharedParameters parameters;  ///< theta_0
    Hash256 state;                ///< c_0
};

/// Why a lane can't go on or yield what was asked of it.
enum class LaneError : std::uint8_t {
    full,             // the lane has reached a limit: finish it or drop it
    no_hit,           // nothing to cut a segment at
    training_failed,  // the solver core refused the parameters
    replay_differs,   // a replay gave another digest than the first run: this machine computes
                      // wrongly
};

/// One sentence for the error.
[[nodiscard]] std::string_view describe(LaneError error) noexcept;

/// Bytes that a segment must be allowed: a lane that runs all its units and hits once, at the last,
/// with every opening of the largest size and nothing listed, for a model of so many parameters.
[[nodiscard]] std::size_t least_segment_bytes(const WorkParams& params,
                                              std::size_t parameters) noexcept;

/// A chain of units from one template, and what it takes to prove them. Belongs to one thread at a
/// time. To abandon a lane is to drop it.
///
///     Lane lane(tmpl, listed, theta_0, targets, params);
///     while (!lane.full() && *lane.step(trainer) != TicketClass::win) {}
class Lane {
  public:
    /// Units between two kept copies of the parameters: what a guard costs to replay at most,
    /// against the memory of a lane.
    static constexpr std::uint32_t kCheckpointInterval = 8;

    Lane(const Template& tmpl, std::vector<Hash256> listed, LaneStart start, const Targets& targets,
         const WorkParams& params);

    /// Runs the next unit and gives the class of its ticket. On an error the lane is as before.
    [[nodiscard]] Result<TicketClass, LaneError> step(model::Trainer& trainer);

    /// Whether another unit could break a limit on units, hits or bytes.
    [[nodiscard]] bool full() const noexcept;

    [[nodiscard]] const Template& tmpl() const noexcept { return tmpl_; }
    [[nodiscard]] const Hash256& template_hash() const noexcept { return template_hash_; }
    [[nodiscard]] const std::vector<Hash256>& listed() const noexcept { return listed_; }
    [[nodiscard]] const Targets& targets() const noexcept { return targets_; }
    [[nodiscard]] const WorkParams& params() const noexcept { return params_; }

    /// Units run so far.
    [[nodiscard]] std::uint32_t units() const noexcept {
        return static_cast<std::uint32_t>(outcomes_.size() - 1);
    }
    /// Outcome of unit k; k = 0 gives the lane's start: c_0, s_0 and zeros. Precondition: k <=
    /// units().
    [[nodiscard]] const UnitOutcome& outcome(std::uint32_t unit) const;
    /// The hits so far with the states they started from, units ascending.
    [[nodiscard]] const std::vector<Opening>& hits() const noexcept { return hits_; }
    /// K: the last unit that was a hit, 0 if none was.
    [[nodiscard]] std::uint32_t last_hit() const noexcept {
        return hits_.empty() ? 0 : hits_.back().unit;
    }
    /// theta after the last unit run.
    [[nodiscard]] std::span<const std::int32_t> parameters() const noexcept { return parameters_; }

    /// The state that unit k started from, replayed from the nearest kept copy. Precondition:
    /// 1 <= k <= units().
    [[nodiscard]] Result<CodedState, LaneError> state_before(std::uint32_t unit,
                                                             model::Trainer& trainer) const;

  private:
    [[nodiscard]] CodedState coded_state(std::uint32_t unit,
                                         std::span<const std::int32_t> parameters) const;
    [[nodiscard]] std::span<const std::int32_t> checkpoint(std::uint32_t index) const;
    void record(const UnitOutcome& outcome, TicketClass ticket);

    Template tmpl_;
    Hash256 template_hash_;
    std::vector<Hash256> listed_;
    LaneStart start_;
    Targets targets_;
    WorkParams params_;
    std::vector<UnitOutcome> outcomes_;                   // of units 0 .. units()
    std::vector<std::int32_t> parameters_;                // theta of units()
    std::vector<std::int32_t> before_;                    // theta of units() - 1
    std::vector<std::vector<std::int32_t>> checkpoints_;  // theta of 1, 2, .. times the interval
    std::vector<Opening> hits_;
    std::size_t hit_bytes_ = 0;  // encoded size of hits_
};

}  // namespace gradient::chain
