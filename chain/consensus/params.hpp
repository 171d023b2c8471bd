#pragma once

#include "chain/base/amount.hpp"
#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/types/limits.hpp"
#include "chain/work/work_params.hpp"

#include <cstdint>
#include <string_view>

namespace gradient::chain {

/// Where the difficulty schedule starts: the genesis block.
struct DifficultyAnchor {
    std::uint64_t time_ms = 0;        ///< genesis time, milliseconds since 1970
    std::uint32_t bits = 0x207fffff;  ///< target for one reference FLOP at that time

    friend bool operator==(const DifficultyAnchor&, const DifficultyAnchor&) = default;
};

/// Everything in which networks may differ. Plain data, passed by reference, never global. Each
/// line gives unit, permitted range and reason; `check_params` holds the ranges.
struct ConsensusParams {
    // ---- time and difficulty
    /// Milliseconds between blocks; 100..3'600'000. Ten seconds: a thousand units of ten
    /// milliseconds.
    std::uint64_t interval_ms = 10'000;
    /// Milliseconds in which a clock ahead of the schedule doubles the target; 360 intervals to
    /// 2^40. Shorter ones let miners gain by lying about the time.
    std::uint64_t half_life_ms = 3'600'000;
    /// Easiest target for one reference FLOP, compact form; canonical. The default lets any unit
    /// win.
    std::uint32_t max_bits = 0x207fffff;
    /// Milliseconds that a header's time may lie ahead of ours; 1'000..7'200'000.
    std::uint64_t max_future_ms = 30'000;
    /// Where the schedule starts; bits no easier than max_bits.
    DifficultyAnchor anchor;

    // ---- lanes, segments, blocks
    /// Limits of lanes and segments; ranges at each member.
    WorkParams work;
    /// Bytes of an encoded block; room for the largest segment to kMaxBlockBytes.
    std::uint32_t max_block_bytes = kMaxBlockBytes;

    // ---- coins
    /// Paid to a block's miner at height 1; with the hit reward at most kMaxAmount / 2^16.
    Amount block_reward = Amount::of_coins(10);
    /// R: paid for all hits of an average block together at height 1.
    Amount hit_reward = Amount::of_coins(40);
    /// Blocks after which both rewards halve; 1..2^40. Four years of ten seconds.
    std::uint64_t halving_blocks = 12'623'040;
    /// K from which a segment's hits are paid in full; 1..kMaxUnits. Shorter lanes train less.
    std::uint32_t full_pay_units = 128;
    /// Blocks until a reward can be spent; 1..100'000. Time for audits to find a liar.
    std::uint32_t maturity_blocks = 100;
    /// Includer's cut: a share's pay divided by this is added for who includes it; 16..2^20. More
    /// than a sixteenth would pay miners to split their lanes among names.
    std::uint32_t cut_divisor = 16;

    // ---- transactions and tasks
    /// Least fee for each byte of a transaction or late share; at most 1 coin.
    Amount byte_fee = Amount::of_units(10);
    /// Least fee for each unit that judging a transaction replays; at most 1'000 coins.
    Amount replay_fee = Amount::of_units(10'000);
    /// Locked by a fraud commitment, destroyed if it is not revealed; at most 10^6 coins.
    Amount fraud_deposit = Amount::of_coins(1);
    /// A task counts in the draw with its pay per hit, at most this; not zero, at most 10^6 coins.
    /// User tasks together have at most as many blocks as the genesis task.
    Amount task_weight = Amount::of_units(62'500'000);
    /// User tasks that one block may create; 1..64. Bounds what checking their data costs.
    std::uint32_t max_task_creations = 4;
    /// Reference FLOPs that a user task's unit may cost; 1..2^40. Bounds what a block's replays
    /// cost; `gradient init` takes four times the genesis task's.
    std::uint64_t max_unit_work = std::uint64_t{1} << 40;

    // ---- settlement
    /// Held-out sequences on which a settled step is judged; 1..4096.
    std::uint32_t held_out_sequences = 32;

    friend bool operator==(const ConsensusParams&, const ConsensusParams&) = default;
};

/// Which parameter is out of its range.
enum class ParamsError : std::uint8_t {
    bad_interval,    // interval_ms outside 100..3'600'000
    bad_half_life,   // half_life_ms below 360 intervals or above 2^40
    bad_max_bits,    // max_bits not canonical or zero
    bad_max_future,  // max_future_ms outside 1'000..7'200'000
    bad_anchor,      // anchor.bits not canonical, zero or above max_bits; time of 2^48 or more
    bad_max_units,   // work.max_units outside 1..kMaxUnits
    bad_max_hits,    // work.max_hits outside 1..128
    bad_hit_target,  // work.hits_per_win outside 1..4096 or work.units_per_hit outside 1..65536
    bad_guards,      // work.guards above 8
    bad_size_limit,  // work.max_segment_bytes + 64 KiB > max_block_bytes or that > kMaxBlockBytes
    bad_reward,      // block_reward + hit_reward > kMaxAmount / 2^16
    bad_halving,     // halving_blocks outside 1..2^40
    bad_pay_units,   // full_pay_units outside 1..kMaxUnits
    bad_maturity,    // maturity_blocks outside 1..100'000
    bad_cut,         // cut_divisor outside 16..2^20
    bad_fee,         // byte_fee above 1 coin, or replay_fee above 1'000 coins
    bad_deposit,     // fraud_deposit above 10^6 coins
    bad_task_limit,  // task_weight zero or above 10^6 coins, or max_task_creations outside 1..64
    bad_unit_work,   // max_unit_work outside 1..2^40
    bad_held_out,    // held_out_sequences outside 1..4096
};

/// One sentence for the error.
[[nodiscard]] std::string_view describe(ParamsError error) noexcept;

/// Whether every parameter lies in its range.
[[nodiscard]] Result<void, ParamsError> check_params(const ConsensusParams& params) noexcept;

}  // namespace gradient::chain
