#pragma once

// The settlement of the round that the last block ended, from the state and a list of its segments
// (chain/SPEC.md section 17): what a lane's theta_0 is, and what the next block does to the model.

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/consensus/params.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/settlement.hpp"
#include "chain/state/state.hpp"
#include "chain/state/state_view.hpp"
#include "chain/tasks/task_runtime.hpp"
#include "chain/transition/segment_outcome.hpp"
#include "chain/work/lane.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gradient::chain {

/// Settlements between two chances of the reference model to move.
inline constexpr std::uint64_t kReferenceInterval = 64;

/// What settling takes beside state and list.
struct SettlementContext {
    const ConsensusParams& params;
    const TaskSet& tasks;  ///< holds the pending round's task
    Trainers& trainers;
};

/// The outcome of a settlement, ready to be written.
struct TaskSettlement {
    std::uint32_t task = 0;
    std::vector<std::int32_t> theta;
    std::vector<std::int32_t> momentum;                  ///< empty if zero
    std::optional<std::vector<std::int32_t>> reference;  ///< if it moves
    SettlementHistory history;
    TaskProgress progress;  ///< all but the model's digest and the height
    bool skipped = false;   ///< the held-out rule refused the step
};

/// The settlement of a task's pending round. `view` is the state after block `parent`, which ended
/// the round, `listed` what is settled beside its winner. Nothing if a listed segment is not known
/// or of another round.
[[nodiscard]] Result<std::optional<TaskSettlement>, StoreError> settle_pending(
    const StateView& view, const PendingRound& pending, const Hash256& parent,
    std::span<const Hash256> listed, const Contributions& contributions,
    const SettlementContext& context);

/// theta_0 of the lanes of a task that start on block `parent` with a list. Nothing if the list is
/// not of the pending round.
[[nodiscard]] Result<std::optional<LaneStart>, StoreError> lane_start(
    const StateView& view, std::uint32_t task, const Hash256& parent,
    std::span<const Hash256> listed, const Contributions& contributions,
    const SettlementContext& context);

/// Whether every segment of a list is known and of the round, none twice.
[[nodiscard]] Result<bool, StoreError> is_list_of_round(std::span<const Hash256> listed,
                                                        std::uint64_t round,
                                                        const Contributions& contributions);

/// Writes a settlement: model, momentum, reference, history, progress; the late contributions that
/// entered and the pending round go.
[[nodiscard]] Result<void, StoreError> write_settlement(State& state,
                                                        const TaskSettlement& settlement,
                                                        std::uint64_t height);

}  // namespace gradient::chain
