#pragma once

#include "chain/block_template.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/block.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/mining/rate_meter.hpp"
#include "node/mining/trainer_pool.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace gradient::node {

/// What this process has mined since it started.
struct MiningCounters {
    std::uint64_t units_computed = 0;   ///< units run on lanes, whatever became of them
    std::uint64_t units_in_blocks = 0;  ///< units of segments that won blocks of the chain
    std::uint64_t units_abandoned = 0;  ///< units of lanes that were dropped
    std::uint64_t units_in_progress =
        0;                        ///< units of lanes that run now, or whose block is being verified
    std::uint64_t hits = 0;       ///< units whose ticket was a hit, wins included
    std::uint64_t blocks = 0;     ///< blocks won and accepted
    double units_per_second = 0;  ///< over the last minute
    bool active = false;          ///< whether lanes run

    /// Units in blocks over units whose fate is known; nothing before the first.
    [[nodiscard]] std::optional<double> useful_fraction() const noexcept;
};

/// Runs lanes on the worker pool, one unit a job, so that verification gets its turn between units.
/// A new parent makes every lane start again on it; a won block is handed out and its lane
/// rests until the next parent. Thread-safe.
class Miner {
  public:
    /// Takes a won block, on a thread of the pool; must not block.
    using Submit = std::function<void(chain::Block)>;

    /// Everything passed by reference must outlive the miner; so must the pool's running jobs end
    /// before it goes: destroy the pool first.
    Miner(WorkerPool& pool, TrainerPool& trainers, const chain::SecretKey& key, unsigned lanes,
          Submit submit);

    /// The block that lanes build on from now on; null stops them. Takes effect within a unit's
    /// time.
    void set_parent(std::shared_ptr<const chain::ParentState> parent);

    /// What became of a block that was handed out.
    void settle(std::uint32_t units, bool accepted);

    [[nodiscard]] MiningCounters counters() const;
    [[nodiscard]] unsigned lanes() const noexcept { return static_cast<unsigned>(slots_.size()); }

  private:
    struct Slot {
        std::uint32_t number = 0;
        bool posted = false;  // a job of this slot waits or runs; under mutex_
        // Touched only by the slot's job.
        std::shared_ptr<const chain::ParentState> parent;
        std::uint64_t generation = 0;  // of the parent
        std::optional<chain::Lane> lane;
        bool won = false;
    };

    void post(Slot& slot);
    void run(Slot& slot, const std::stop_token& stop) noexcept;
    void run_unit(Slot& slot, const std::stop_token& stop);
    [[nodiscard]] bool go_on(Slot& slot, const std::stop_token& stop);
    void rest(Slot& slot, const std::stop_token& stop);
    void start_lane(Slot& slot);
    void drop_lane(Slot& slot);
    void hand_out(Slot& slot, model::Trainer& trainer);

    WorkerPool& pool_;
    TrainerPool& trainers_;
    const chain::SecretKey& key_;
    Submit submit_;

    mutable std::mutex mutex_;
    std::shared_ptr<const chain::ParentState> parent_;  // under mutex_
    std::uint64_t generation_ = 0;                      // counts set_parent; under mutex_
    MiningCounters counters_;                           // under mutex_
    RateMeter rate_;                                    // under mutex_
    std::vector<std::unique_ptr<Slot>> slots_;          // fixed after construction
};

}  // namespace gradient::node
