#pragma once

#include "chain/block_template.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/block.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/segment_fate.hpp"
#include "node/mining/rate_meter.hpp"
#include "node/training/trainer_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <vector>

namespace gradient::node {

/// What this process has mined since it started. Each unit computed is in one place: in blocks,
/// abandoned, in progress or waiting.
struct MiningCounters {
    std::uint64_t units_computed = 0;   ///< units run on lanes, whatever became of them
    std::uint64_t units_in_blocks = 0;  ///< units of segments that the chain has included
    std::uint64_t units_abandoned = 0;  ///< units of lanes that were dropped
    std::uint64_t units_in_progress =
        0;  ///< units of lanes that run now, or whose block is being verified
    std::uint64_t units_waiting = 0;  ///< units of shares that wait to be included
    std::uint64_t hits = 0;           ///< units whose ticket was a hit, wins included
    std::uint64_t blocks = 0;         ///< blocks won that are on the active chain
    std::uint64_t shares = 0;         ///< shares that the active chain has included
    double units_per_second = 0;      ///< over the last minute
    bool active = false;              ///< whether lanes run

    /// Units in blocks over units whose fate is known; nothing before the first.
    [[nodiscard]] std::optional<double> useful_fraction() const noexcept;
};

/// Runs lanes on the worker pool, one unit a job, so that verification gets its turn between units.
/// Work that is replaced or taken away ends every lane: what has a hit is handed out as a share. A
/// won block is handed out and its lane rests until the next work. Thread-safe.
class Miner {
  public:
    using Work = std::shared_ptr<const chain::BlockTemplate>;

    /// Segments handed out whose fate can still be counted; of older ones the last known stays.
    static constexpr std::size_t kMaxHandedOut = 16'384;

    /// Where results go, on threads of the pool; must not block.
    struct Outlets {
        std::function<void(chain::Block)> block;    ///< a lane won
        std::function<void(chain::Segment)> share;  ///< a lane was overtaken and had a hit
        std::function<void()> rest;                 ///< no lane runs, and none has work
    };

    /// Everything passed by reference must outlive the miner; so must the pool's running jobs end
    /// before it goes: destroy the pool first.
    Miner(WorkerPool& pool, TrainerPool& trainers, const chain::SecretKey& key, unsigned lanes,
          Outlets outlets);

    /// What lanes work on from now on; null lets them rest. Takes effect within a unit's time and
    /// that of making a share.
    void set_work(Work work);

    /// What became of a segment that was handed out; others' lanes are ignored. Told again or
    /// otherwise than before, the last word counts, but that a segment is given up takes nothing
    /// back that the chain has included.
    void settle(const chain::Hash256& lane, SegmentFate fate);

    [[nodiscard]] MiningCounters counters() const;
    [[nodiscard]] unsigned lanes() const noexcept { return static_cast<unsigned>(slots_.size()); }

  private:
    struct Slot {
        std::uint32_t number = 0;
        bool posted = false;  // a job of this slot waits or runs; under mutex_
        // Touched only by the slot's job.
        Work work;
        std::uint64_t generation = 0;  // of the work
        std::optional<chain::Lane> lane;
        bool won = false;
    };

    // Where the units of a segment are counted that was handed out.
    enum class Place : std::uint8_t { in_progress, waiting, block, share, abandoned };
    struct HandedOut {
        std::uint64_t units = 0;
        Place place = Place::in_progress;
    };

    void post(Slot& slot);
    void run(Slot& slot, const std::stop_token& stop) noexcept;
    void run_unit(Slot& slot, const std::stop_token& stop);
    [[nodiscard]] bool go_on(Slot& slot, const std::stop_token& stop);
    void rest(Slot& slot, const std::stop_token& stop);
    void start_lane(Slot& slot);
    void end_lane(Slot& slot);
    void drop_lane(Slot& slot);
    void hand_out(Slot& slot, model::Trainer& trainer);
    void remember(const chain::BuiltSegment& built, Place place);
    void forget_oldest();
    void count_at(HandedOut& segment, Place place);
    [[nodiscard]] std::uint64_t& units_at(Place place);

    WorkerPool& pool_;
    TrainerPool& trainers_;
    const chain::SecretKey& key_;
    Outlets outlets_;

    mutable std::mutex mutex_;
    Work work_;                                                 // under mutex_
    std::uint64_t generation_ = 0;                              // counts set_work; under mutex_
    MiningCounters counters_;                                   // under mutex_
    std::unordered_map<chain::Hash256, HandedOut> handed_out_;  // by lane; under mutex_
    std::deque<chain::Hash256> handed_out_order_;               // oldest first; under mutex_
    RateMeter rate_;                                            // under mutex_
    std::vector<std::unique_ptr<Slot>> slots_;                  // fixed after construction
};

}  // namespace gradient::node
