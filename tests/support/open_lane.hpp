#pragma once

#include "chain/base/result.hpp"
#include "chain/block_template.hpp"
#include "chain/crypto/key.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/segment_builder.hpp"
#include "chain/work/targets.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <vector>

namespace gradient::test {

/// A lane of somebody who may put units into it that nobody has computed: what chain::Lane never
/// does. Without any it yields the segments that chain::Lane yields.
class OpenLane {
  public:
    OpenLane(const chain::BlockTemplate& work, std::uint32_t number);

    /// Runs the next unit.
    [[nodiscard]] chain::Result<chain::TicketClass, chain::LaneError> step(model::Trainer& trainer);
    /// Puts an invented unit next that leaves these parameters behind. Its ticket, which is free,
    /// is drawn until it is no hit: a hit would be opened.
    void invent(const std::vector<std::int32_t>& parameters);
    /// Forgets the units after one.
    void cut(std::uint32_t units);

    [[nodiscard]] bool full() const noexcept;
    [[nodiscard]] std::uint32_t units() const noexcept {
        return static_cast<std::uint32_t>(states_.size() - 1);
    }
    [[nodiscard]] std::uint32_t last_hit() const noexcept {
        return hits_.empty() ? 0 : hits_.back();
    }
    [[nodiscard]] const std::vector<std::uint32_t>& hits() const noexcept { return hits_; }
    [[nodiscard]] const chain::Template& tmpl() const noexcept { return tmpl_; }
    [[nodiscard]] const chain::Hash256& template_hash() const noexcept { return template_hash_; }
    [[nodiscard]] const std::vector<std::int32_t>& start() const noexcept {
        return *start_.parameters;
    }
    [[nodiscard]] const std::vector<std::int32_t>& parameters() const noexcept {
        return states_.back().parameters;
    }
    /// Invented units among 1..last_hit().
    [[nodiscard]] std::uint32_t invented() const noexcept;
    /// Whether the units that the lane would open, ended now, have an invented one among them.
    [[nodiscard]] bool opens_invented() const;
    /// The chance that guards drawn evenly among the unopened units 1..last_hit() meet no invented
    /// one.
    [[nodiscard]] double chance_unseen() const noexcept;

    /// The segment that ends at the last unit, opened as the rules ask.
    [[nodiscard]] chain::BuiltSegment build(const chain::SecretKey& key) const;

  private:
    struct State {
        std::vector<std::int32_t> parameters;
        std::int64_t loss = 0;
        chain::Hash256 gradient;
        chain::Hash256 state;
        chain::Hash256 digest;
        bool is_invented = false;
    };
    [[nodiscard]] std::vector<std::uint32_t> opened_units() const;

    chain::Template tmpl_;
    chain::Hash256 template_hash_;
    std::vector<chain::Hash256> listed_;
    chain::LaneStart start_;
    chain::Targets targets_;
    chain::WorkParams params_;
    std::vector<State> states_;
    std::vector<std::uint32_t> hits_;
};

/// The same under the name of chain::Lane's.
[[nodiscard]] inline chain::Result<chain::BuiltSegment, chain::LaneError> build_segment(
    const OpenLane& lane, const chain::SecretKey& key, model::Trainer& /*trainer*/) {
    if (lane.last_hit() == 0) return chain::fail(chain::LaneError::no_hit);
    return lane.build(key);
}

}  // namespace gradient::test
