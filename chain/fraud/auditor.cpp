#include "chain/fraud/auditor.hpp"

#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"

#include <algorithm>
#include <utility>

namespace gradient::chain {

SegmentAudit::SegmentAudit(const Template& tmpl, std::shared_ptr<const SegmentBody> body,
                           LaneStart start)
    : tmpl_(tmpl),
      template_hash_(chain::template_hash(tmpl)),
      body_(std::move(body)),
      parameters_(*start.parameters),
      trial_(parameters_.size()) {
    last_.state = start.state;
    last_.digest = lane_digest(template_hash_, start.state);
}

Result<void, model::TaskError> SegmentAudit::step(model::Trainer& trainer) {
    if (done()) return {};
    std::copy(parameters_.begin(), parameters_.end(), trial_.begin());
    TRY_ASSIGN(const UnitOutcome outcome,
               run_unit(trainer, template_hash_, units_ + 1, last_.digest, trial_));
    if (outcome.state != body_->digests[units_]) {
        proof_ = prove();
        return {};
    }
    std::swap(parameters_, trial_);
    before_last_ = last_.digest;
    last_ = outcome;
    ++units_;
    return {};
}

// Unit units_ + 1 is false: its lie is what everything after it hangs on.
FalseUnitProof SegmentAudit::prove() const {
    FalseUnitProof proof;
    proof.tmpl = tmpl_;
    proof.unit = units_ + 1;
    proof.previous_digest = before_last_;
    const std::vector<std::int32_t> zeros(parameters_.size());
    proof.before = {last_.loss, last_.gradient, encode_delta(zeros, parameters_)};
    proof.digests.assign(body_->digests.begin() + units_, body_->digests.end());
    return proof;
}

}  // namespace gradient::chain
