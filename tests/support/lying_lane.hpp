#pragma once

// A dishonest miner's lane on a real chain. For tests: no program of the node can lie.

#include "chain/base/check.hpp"
#include "chain/block_template.hpp"
#include "chain/crypto/key.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/guards.hpp"
#include "chain/work/unit.hpp"
#include "tests/support/lying_segment.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::test {

/// A lane that may claim, for some of its units, states which nobody trained. A claim that its own
/// ticket would open is taken back; one that the draw of guards opens costs the liar the segment.
class LyingLane {
  public:
    /// Changes the state that a unit has led to; false: left as it was.
    using Claim = std::function<bool(std::uint32_t unit, ClaimedState& state)>;

    /// Lane `number` of a template, for another miner than its own.
    LyingLane(const chain::BlockTemplate& work, std::uint32_t number, const chain::PublicKey& miner)
        : tmpl_(work.tmpl),
          listed_(work.listed),
          targets_(work.targets),
          params_(work.parent->network().params().work),
          start_(work.start) {
        tmpl_.miner = miner;
        tmpl_.lane = number;
        lane_hash_ = chain::template_hash(tmpl_);
        states_.push_back({*start_.parameters, 0, {}});
        digests_.push_back(chain::lane_digest(lane_hash_, start_.state));
    }

    /// One unit, trained and then perhaps lied about; nothing if the model can't be trained any
    /// more.
    std::optional<chain::TicketClass> step(model::Trainer& trainer, const Claim& claim) {
        const std::uint32_t unit = units() + 1;
        ClaimedState state = states_.back();
        const auto outcome =
            chain::run_unit(trainer, lane_hash_, unit, digests_.back(), state.parameters);
        if (!outcome) return std::nullopt;
        state.loss = outcome->loss;
        state.gradient = outcome->gradient;
        ClaimedState claimed = state;
        if (claim(unit, claimed)) {
            if (classify(unit, claimed) == chain::TicketClass::none) {
                lies_.push_back(unit);
                return take(unit, std::move(claimed));
            }
        }
        return take(unit, std::move(state));
    }

    /// The segment, signed with the miner's key; nothing if it has no hit or one of its lies must
    /// be opened.
    std::optional<chain::BuiltSegment> build(const chain::SecretKey& key) const {
        CHECK(key.public_key() == tmpl_.miner);
        if (hits_.empty()) return std::nullopt;
        const std::uint32_t paid = hits_.back();
        std::vector<std::uint32_t> opened = hits_;
        const auto guards = chain::draw_guards(digests_[paid], paid, hits_, params_.guards);
        opened.insert(opened.end(), guards.begin(), guards.end());
        if (units() > paid) opened.push_back(units());
        std::sort(opened.begin(), opened.end());
        for (const std::uint32_t unit : lies_) {
            if (std::binary_search(opened.begin(), opened.end(), unit)) return std::nullopt;
        }
        chain::BuiltSegment built;
        built.segment.tmpl = tmpl_;
        built.segment.listed = listed_;
        chain::SegmentBody& body = built.segment.body;
        for (std::uint32_t k = 1; k <= units(); ++k) body.digests.push_back(states_[k].digest());
        for (const std::uint32_t unit : opened) {
            const ClaimedState& before = states_[unit - 1];
            body.openings.push_back({unit,
                                     {before.loss, before.gradient,
                                      chain::encode_delta(*start_.parameters, before.parameters)}});
        }
        body.signature = key.sign(chain::segment_message(lane_hash_, units(), digests_.back()));
        built.header = {tmpl_, units(), digests_.back()};
        built.last = targets_.classify(digests_.back());
        built.hits = static_cast<std::uint32_t>(hits_.size());
        return built;
    }

    [[nodiscard]] std::uint32_t units() const {
        return static_cast<std::uint32_t>(states_.size() - 1);
    }
    [[nodiscard]] const std::vector<std::uint32_t>& hits() const { return hits_; }
    [[nodiscard]] const std::vector<std::uint32_t>& lies() const { return lies_; }
    [[nodiscard]] const std::vector<std::int32_t>& start() const { return *start_.parameters; }
    /// theta after the last unit, as claimed.
    [[nodiscard]] const std::vector<std::int32_t>& parameters() const {
        return states_.back().parameters;
    }
    [[nodiscard]] bool full() const {
        return units() == params_.max_units || hits_.size() == params_.max_hits;
    }
    [[nodiscard]] chain::Hash256 id() const {
        return chain::segment_id(lane_hash_, digests_.back());
    }

  private:
    [[nodiscard]] chain::Hash256 digest_after(std::uint32_t unit, const ClaimedState& state) const {
        return chain::unit_digest(lane_hash_, unit, digests_.back(), state.digest());
    }
    [[nodiscard]] chain::TicketClass classify(std::uint32_t unit, const ClaimedState& state) const {
        return targets_.classify(digest_after(unit, state));
    }
    chain::TicketClass take(std::uint32_t unit, ClaimedState state) {
        digests_.push_back(digest_after(unit, state));
        states_.push_back(std::move(state));
        const auto ticket = targets_.classify(digests_.back());
        if (ticket != chain::TicketClass::none) hits_.push_back(unit);
        return ticket;
    }

    chain::Template tmpl_;
    std::vector<chain::Hash256> listed_;
    chain::Targets targets_;
    chain::WorkParams params_;
    chain::LaneStart start_;
    chain::Hash256 lane_hash_;
    std::vector<ClaimedState> states_;
    std::vector<chain::Hash256> digests_;
    std::vector<std::uint32_t> hits_;
    std::vector<std::uint32_t> lies_;
};

}  // namespace gradient::test
