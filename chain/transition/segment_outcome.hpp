#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/segment_rules.hpp"
#include "chain/crypto/key.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state_view.hpp"
#include "chain/work/targets.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::chain {

/// theta_K - theta_0 of a lane.
using SharedDelta = std::shared_ptr<const std::vector<std::int32_t>>;

/// What a proven segment is worth: all that the state transition needs of it.
struct SegmentOutcome {
    Hash256 id;
    Hash256 template_hash;  ///< T
    PublicKey miner;
    std::uint64_t round = 0;  ///< height of its template
    std::uint32_t task = 0;
    std::uint32_t hits = 0;
    std::uint32_t paid_units = 0;  ///< L
    std::uint32_t units = 0;       ///< K
    std::uint32_t replays = 0;     ///< units replayed to prove it
    std::size_t size_bytes = 0;    ///< of the encoded segment
    Targets targets;               ///< of the lane, for its pay
    SharedDelta delta;
};

/// The outcome of a proven segment that was encoded in so many bytes.
[[nodiscard]] SegmentOutcome outcome_of(const ProvenSegment& segment, std::size_t size_bytes);

/// A contribution with its delta decoded.
struct LoadedContribution {
    std::uint64_t round = 0;
    std::uint32_t task = 0;
    std::uint32_t hits = 0;
    std::uint32_t paid_units = 0;
    std::uint32_t units = 0;
    std::uint32_t lateness = 0;
    SharedDelta delta;
};

/// The entry of an outcome that is included `lateness` blocks late.
[[nodiscard]] Contribution contribution_of(const SegmentOutcome& outcome, std::uint32_t lateness);

/// An entry decoded; `key` is where it stood.
[[nodiscard]] Result<LoadedContribution, StoreError> load_contribution(
    const Contribution& contribution, const StateKey& key, std::size_t parameters);

/// What segments bring to their rounds: those that the state has included, and proven ones that it
/// will include next.
class Contributions {
  public:
    /// `view` must outlive this.
    explicit Contributions(const StateView& view) noexcept : view_(view) {}

    void add(const SegmentOutcome& outcome);

    /// The contribution of a segment; nothing if it is not known.
    [[nodiscard]] Result<std::optional<LoadedContribution>, StoreError> find(
        const Hash256& segment, std::size_t parameters) const;

    /// The round of a known segment.
    [[nodiscard]] Result<std::optional<std::uint64_t>, StoreError> round_of(
        const Hash256& segment) const;

  private:
    const StateView& view_;
    std::map<Hash256, LoadedContribution> added_;
};

}  // namespace gradient::chain
