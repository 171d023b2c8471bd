#include "tests/support/open_lane.hpp"

#include "chain/base/check.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/unit.hpp"

#include <algorithm>
#include <utility>

namespace gradient::test {

using chain::TicketClass;

OpenLane::OpenLane(const chain::BlockTemplate& work, std::uint32_t number)
    : tmpl_(work.tmpl),
      listed_(work.listed),
      start_(work.start),
      targets_(work.targets),
      params_(work.parent->network().params().work) {
    tmpl_.lane = number;
    template_hash_ = chain::template_hash(tmpl_);
    states_.push_back({*start_.parameters,
                       0,
                       {},
                       start_.state,
                       chain::lane_digest(template_hash_, start_.state),
                       false});
}

chain::Result<TicketClass, chain::LaneError> OpenLane::step(model::Trainer& trainer) {
    if (full()) return chain::fail(chain::LaneError::full);
    State next;
    next.parameters = states_.back().parameters;
    const auto outcome = chain::run_unit(trainer, template_hash_, units() + 1,
                                         states_.back().digest, next.parameters);
    if (!outcome) return chain::fail(chain::LaneError::training_failed);
    next.loss = outcome->loss;
    next.gradient = outcome->gradient;
    next.state = outcome->state;
    next.digest = outcome->digest;
    states_.push_back(std::move(next));
    const TicketClass ticket = targets_.classify(states_.back().digest);
    if (ticket != TicketClass::none) hits_.push_back(units());
    return ticket;
}

void OpenLane::invent(const std::vector<std::int32_t>& parameters) {
    if (full()) return;
    State next;
    next.parameters = parameters;
    next.is_invented = true;
    const chain::Hash256 model = chain::model_digest(parameters);
    do {
        ++next.loss;
        next.state = chain::state_digest(model, next.loss, next.gradient);
        next.digest =
            chain::unit_digest(template_hash_, units() + 1, states_.back().digest, next.state);
    } while (targets_.classify(next.digest) != TicketClass::none);
    states_.push_back(std::move(next));
}

void OpenLane::cut(std::uint32_t units) {
    CHECK(units < states_.size());
    states_.resize(units + 1);
    std::erase_if(hits_, [units](std::uint32_t unit) { return unit > units; });
}

bool OpenLane::full() const noexcept {
    return units() >= params_.max_units || hits_.size() >= params_.max_hits;
}

std::uint32_t OpenLane::invented() const noexcept {
    const auto end = states_.begin() + static_cast<std::ptrdiff_t>(last_hit()) + 1;
    return static_cast<std::uint32_t>(
        std::count_if(states_.begin(), end, [](const State& one) { return one.is_invented; }));
}

double OpenLane::chance_unseen() const noexcept {
    double others = static_cast<double>(last_hit()) - static_cast<double>(hits_.size());
    double real = others - invented();
    double chance = 1;
    for (std::uint32_t i = 0; i < params_.guards && others > 0; ++i, --others, --real) {
        chance *= std::max(real, 0.0) / others;
    }
    return chance;
}

std::vector<std::uint32_t> OpenLane::opened_units() const {
    const std::uint32_t paid = last_hit();
    CHECK(paid > 0);
    std::vector<std::uint32_t> opened = hits_;
    const auto guards = chain::draw_guards(states_[paid].digest, paid, hits_, params_.guards);
    opened.insert(opened.end(), guards.begin(), guards.end());
    if (units() > paid) opened.push_back(units());
    std::ranges::sort(opened);
    return opened;
}

bool OpenLane::opens_invented() const {
    const auto opened = opened_units();
    return std::ranges::any_of(opened,
                               [&](std::uint32_t unit) { return states_[unit].is_invented; });
}

chain::BuiltSegment OpenLane::build(const chain::SecretKey& key) const {
    CHECK(key.public_key() == tmpl_.miner);
    chain::BuiltSegment built;
    built.segment.tmpl = tmpl_;
    built.segment.listed = listed_;
    chain::SegmentBody& body = built.segment.body;
    for (std::size_t k = 1; k < states_.size(); ++k) body.digests.push_back(states_[k].state);
    for (const std::uint32_t unit : opened_units()) {
        const State& before = states_[unit - 1];
        body.openings.push_back(
            {unit,
             {before.loss, before.gradient, chain::encode_delta(start(), before.parameters)}});
    }
    const chain::Hash256& last = states_.back().digest;
    body.signature = key.sign(chain::segment_message(template_hash_, units(), last));
    built.header = {tmpl_, units(), last};
    built.last = targets_.classify(last);
    built.hits = static_cast<std::uint32_t>(hits_.size());
    built.evidence = {units() == 1 ? chain::Hash256{} : states_[units() - 2].digest,
                      body.openings.back().before};
    return built;
}

}  // namespace gradient::test
