#pragma once

// What the state keeps of past rounds, so that their shares can be judged while they may still be
// included (chain/SPEC.md section 16). With the block that ends round r come its round entry and
// copies of what theta_0 of its lanes depends on; kRoundWindow blocks later they go.

#include "chain/base/result.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_view.hpp"
#include "chain/types/header.hpp"

#include <cstdint>

namespace gradient::chain {

/// A share of round r may be included in blocks r + 1 to r + 1 + kMaxLateness; the round is
/// forgotten with the next one.
inline constexpr std::uint64_t kRoundWindow = kMaxLateness + 2;

/// The state on which the lanes of a past round started, as far as their theta_0 depends on it.
class ArchiveView final : public StateView {
  public:
    /// `view` must outlive this.
    ArchiveView(const StateView& view, std::uint64_t round) noexcept : view_(view), round_(round) {}

    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override;

  private:
    const StateView& view_;
    std::uint64_t round_;
};

/// Copies what theta_0 of round's lanes depends on. `state` is that after the block they started
/// on, `task` the one they train.
[[nodiscard]] Result<void, StoreError> archive_round(State& state, std::uint64_t round,
                                                     std::uint32_t task);

/// Forgets a round: its entry, its copies, the contributions of its segments.
[[nodiscard]] Result<void, StoreError> forget_round(State& state, std::uint64_t round);

/// Enters a segment's lane in its round.
[[nodiscard]] Result<void, StoreError> record_segment(State& state, std::uint64_t round,
                                                      const RoundSegment& segment);

/// The round entry that the header of the block that ends it makes.
[[nodiscard]] Round round_of(const Header& header, std::uint64_t parent_time_ms);

/// Whether a template is one of the round's: same parent, target, roots and task, and a time after
/// the parent's.
[[nodiscard]] Result<void, SegmentError> check_share_template(const Template& tmpl,
                                                              std::uint64_t number,
                                                              const Round& round) noexcept;

}  // namespace gradient::chain
