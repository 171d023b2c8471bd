#pragma once

#include "chain/block_template.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/block.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/segment_fate.hpp"
#include "node/mining/delay_meter.hpp"
#include "node/mining/rate_meter.hpp"
#include "node/training/trainer_pool.hpp"

#include <chrono>
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
    /// Units of lanes that run now, or whose segment is being built or block verified.
    std::uint64_t units_in_progress = 0;
    std::uint64_t units_waiting = 0;  ///< units of shares that wait to be included
    std::uint64_t hits = 0;           ///< units whose ticket was a hit, wins included
    std::uint64_t blocks = 0;         ///< blocks won that are on the active chain
    std::uint64_t shares = 0;         ///< shares that the active chain has included
    double units_per_second = 0;      ///< over the last minute
    /// From a change of the tip to the first unit on it; nothing before the first.
    std::optional<double> restart_ms_last;
    std::optional<double> restart_ms_median;  ///< of the last hundred
    bool active = false;                      ///< whether lanes run

    /// Units in blocks over units whose fate is known; nothing before the first.
    [[nodiscard]] std::optional<double> useful_fraction() const noexcept;
};

/// Runs lanes on the worker pool, one unit a job, so that verification gets its turn between units.
/// A lane that is overtaken or full makes room for the next one at once: if it has a hit, a job of
/// its own builds its segment and hands that out as a share. A won block is handed out and its lane
/// rests until the next work. Thread-safe.
class Miner {
  public:
    using Work = std::shared_ptr<const chain::BlockTemplate>;
    using Clock = std::chrono::steady_clock;

    /// Segments handed out whose fate can still be counted; of older ones the last known stays.
    static constexpr std::size_t kMaxHandedOut = 16'384;

    /// Where results go, on threads of the pool; must not block.
    struct Outlets {
        std::function<void(chain::Block)> block;    ///< a lane won
        std::function<void(chain::Segment)> share;  ///< a lane ended with a hit
        /// Every lane that the work of that number (see set_work) has ended is handed out or
        /// dropped. Perhaps more than once; also from within set_work.
        std::function<void(std::uint64_t work)> handed_in;
    };

    /// Everything passed by reference must outlive the miner; so must the pool's running jobs end
    /// before it goes: destroy the pool first.
    Miner(WorkerPool& pool, TrainerPool& trainers, const chain::SecretKey& key, unsigned lanes,
          Outlets outlets);

    /// What lanes work on from now on; null lets them rest. Takes effect within a unit's time. On
    /// another parent every lane ends; on the same one a lane goes on with its old work where that
    /// pays (see pays_to_stay). `asked`: when the tip changed, where that is
    /// why: the time from then to the first unit is counted. Returns the work's number, one more
    /// each time.
    std::uint64_t set_work(Work work, std::optional<Clock::time_point> asked = std::nullopt);

    /// The work that was set last.
    [[nodiscard]] Work work() const;

    /// What became of a segment that was handed out; others' lanes are ignored. Told again or
    /// otherwise than before, the last word counts, but that a segment is given up takes nothing
    /// back that the chain has included.
    void settle(const chain::Hash256& lane, SegmentFate fate);

    [[nodiscard]] MiningCounters counters() const;
    [[nodiscard]] unsigned lanes() const noexcept { return static_cast<unsigned>(slots_.size()); }

  private:
    struct Running {
        Work work;  // that the lane started from
        chain::Lane lane;
    };
    struct Slot {
        std::uint32_t number = 0;
        bool posted = false;     // a job of this slot waits or runs; under mutex_
        std::uint64_t seen = 0;  // number of the work that its job knows; under mutex_
        // Touched only by the slot's job.
        std::optional<Running> running;
        bool won = false;           // rests until the next work
        chain::Hash256 parent;      // of its last lane
        std::uint32_t started = 0;  // lanes on that parent
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
    [[nodiscard]] Work next_work(Slot& slot, const std::stop_token& stop);
    [[nodiscard]] static bool goes_on(const Running& running, const Work& next,
                                      double units_per_second);
    void rest(Slot& slot, const std::stop_token& stop);
    void start_lane(Slot& slot, const Work& work);
    void end_lane(Slot& slot);
    void drop_lane(Slot& slot);
    void win_block(Slot& slot, model::Trainer& trainer);
    void build_share(const Running& ended, const std::stop_token& stop) noexcept;
    void abandon(const chain::Lane& lane);
    void tell_if_handed_in();
    void remember(const chain::BuiltSegment& built, Place place);
    void forget_oldest();
    void count_at(HandedOut& segment, Place place);
    [[nodiscard]] std::uint64_t& units_at(Place place);

    WorkerPool& pool_;
    TrainerPool& trainers_;
    const chain::SecretKey& key_;
    Outlets outlets_;

    mutable std::mutex mutex_;
    // Under mutex_:
    Work work_;
    std::uint64_t number_ = 0;                // of work_
    std::optional<Clock::time_point> asked_;  // for work_, until its first unit starts
    std::size_t building_ = 0;                // shares that are being built
    MiningCounters counters_;
    std::unordered_map<chain::Hash256, HandedOut> handed_out_;  // by lane
    std::deque<chain::Hash256> handed_out_order_;               // oldest first
    RateMeter rate_;
    DelayMeter restarts_;

    std::vector<std::unique_ptr<Slot>> slots_;  // fixed after construction
};

}  // namespace gradient::node
