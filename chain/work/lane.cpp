#include "chain/work/lane.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"

#include <utility>

namespace gradient::chain {

namespace {

// The outcome of unit 0.
UnitOutcome outcome_of_start(const Hash256& template_hash, const Hash256& state) noexcept {
    UnitOutcome start;
    start.state = state;
    start.digest = lane_digest(template_hash, state);
    return start;
}

// Bytes of an opening besides its coded difference: unit, loss, gradient, length.
constexpr std::size_t kOpeningFrame = 4 + 8 + 32 + 5;

// Bytes of a segment besides its lists' elements.
constexpr std::size_t kSegmentFrame =
    Template::kEncodedSize + Signature::kEncodedSize + std::size_t{3} * 5;

// Bytes of the openings of a hit, of the last unit and of the guards, all of the largest size.
std::size_t largest_openings(const WorkParams& params, std::size_t parameters) noexcept {
    const std::size_t openings = 2 + std::size_t{params.guards};
    return openings * (kOpeningFrame + max_delta_bytes(parameters));
}

}  // namespace

std::string_view describe(LaneError error) noexcept {
    switch (error) {
        case LaneError::full:
            return "the lane has reached its limit of units, hits or bytes";
        case LaneError::no_hit:
            return "the lane has no hit to cut a segment at";
        case LaneError::training_failed:
            return "the solver core refused the parameters";
        case LaneError::replay_differs:
            return "a unit gave different results in two runs on this machine";
    }
    return "unknown lane error";
}

std::size_t least_segment_bytes(const WorkParams& params, std::size_t parameters) noexcept {
    return kSegmentFrame + std::size_t{32} * params.max_units +
           largest_openings(params, parameters);
}

LaneStart::LaneStart(SharedParameters theta_0) noexcept
    : parameters(std::move(theta_0)), state(start_digest(model_digest(*parameters))) {}

Lane::Lane(const Template& tmpl, std::vector<Hash256> listed, LaneStart start,
           const Targets& targets, const WorkParams& params)
    : tmpl_(tmpl),
      template_hash_(chain::template_hash(tmpl)),
      listed_(std::move(listed)),
      start_(std::move(start)),
      targets_(targets),
      params_(params),
      outcomes_{outcome_of_start(template_hash_, start_.state)},
      parameters_(*start_.parameters),
      before_(*start_.parameters) {}

Result<TicketClass, LaneError> Lane::step(model::Trainer& trainer) {
    if (full()) return fail(LaneError::full);
    before_ = parameters_;
    const auto outcome =
        run_unit(trainer, template_hash_, units() + 1, outcomes_.back().digest, parameters_);
    if (!outcome) return fail(LaneError::training_failed);
    const TicketClass ticket = targets_.classify(outcome->digest);
    record(*outcome, ticket);
    return ticket;
}

void Lane::record(const UnitOutcome& outcome, TicketClass ticket) {
    if (ticket != TicketClass::none) {
        hits_.push_back({units() + 1, coded_state(units(), before_)});
        hit_bytes_ += encoded_size(hits_.back());
    }
    outcomes_.push_back(outcome);
    if (units() % kCheckpointInterval == 0) checkpoints_.push_back(parameters_);
}

bool Lane::full() const noexcept {
    if (units() >= params_.max_units || hits_.size() >= params_.max_hits) return true;
    // Room for one more unit's digest, its opening and the guards.
    const std::size_t digests = listed_.size() + units() + 1;
    const std::size_t bytes =
        kSegmentFrame + hit_bytes_ + 32 * digests + largest_openings(params_, parameters_.size());
    return bytes > params_.max_segment_bytes;
}

const UnitOutcome& Lane::outcome(std::uint32_t unit) const {
    CHECK(unit <= units());
    return outcomes_[unit];
}

std::span<const std::int32_t> Lane::checkpoint(std::uint32_t index) const {
    return index == 0 ? *start_.parameters : checkpoints_[index - 1];
}

CodedState Lane::coded_state(std::uint32_t unit, std::span<const std::int32_t> parameters) const {
    const UnitOutcome& after = outcomes_[unit];
    return {after.loss, after.gradient, encode_delta(*start_.parameters, parameters)};
}

Result<CodedState, LaneError> Lane::state_before(std::uint32_t unit,
                                                 model::Trainer& trainer) const {
    CHECK(unit >= 1 && unit <= units());
    const std::uint32_t last = unit - 1;
    if (unit == units()) return coded_state(last, before_);
    const auto from = checkpoint(last / kCheckpointInterval);
    std::vector<std::int32_t> parameters(from.begin(), from.end());
    for (std::uint32_t k = last / kCheckpointInterval * kCheckpointInterval + 1; k <= last; ++k) {
        const auto outcome =
            run_unit(trainer, template_hash_, k, outcomes_[k - 1].digest, parameters);
        if (!outcome) return fail(LaneError::training_failed);
        if (*outcome != outcomes_[k]) return fail(LaneError::replay_differs);
    }
    return coded_state(last, parameters);
}

}  // namespace gradient::chain
