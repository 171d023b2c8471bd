#include "chain/consensus/params.hpp"

namespace gradient::chain {

namespace {

constexpr std::uint64_t kMinHalfLifeIntervals = 360;
constexpr std::uint64_t kMaxHalfLifeMs = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxHalvingBlocks = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxUnitWork = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxAnchorTimeMs = std::uint64_t{1} << 48;
constexpr std::uint32_t kMaxHits = 128;
constexpr std::uint32_t kMaxGuards = 8;
// A block's bytes besides its winner's segment: header, roots and some transactions.
constexpr std::uint64_t kRestOfBlockBytes = std::uint64_t{64} * 1024;

static_assert(kMaxHits + kMaxGuards + 1 == kMaxOpenings);
static_assert(ConsensusParams{}.half_life_ms ==
              kMinHalfLifeIntervals * ConsensusParams{}.interval_ms);

template <class T>
constexpr bool within(T value, T least, T most) noexcept {
    return value >= least && value <= most;
}

bool is_target(std::uint32_t bits) noexcept {
    const auto target = from_compact(bits);
    return target && !target->is_zero();
}

bool rewards_fit(const ConsensusParams& params) noexcept {
    const auto sum = checked_add(params.block_reward, params.hit_reward);
    return sum && sum->units() <= kMaxAmountUnits >> 16;
}

Result<void, ParamsError> check_work_params(const ConsensusParams& params) noexcept {
    const WorkParams& work = params.work;
    if (!within(work.max_units, 1U, kMaxUnits)) return fail(ParamsError::bad_max_units);
    if (!within(work.max_hits, 1U, kMaxHits)) return fail(ParamsError::bad_max_hits);
    if (!within(work.hits_per_win, 1U, 4096U)) return fail(ParamsError::bad_hit_target);
    if (!within(work.units_per_hit, 1U, 65536U)) return fail(ParamsError::bad_hit_target);
    if (work.guards > kMaxGuards) return fail(ParamsError::bad_guards);
    if (params.max_block_bytes > kMaxBlockBytes) return fail(ParamsError::bad_size_limit);
    if (work.max_segment_bytes + kRestOfBlockBytes > params.max_block_bytes) {
        return fail(ParamsError::bad_size_limit);
    }
    return {};
}

Result<void, ParamsError> check_task_params(const ConsensusParams& params) noexcept {
    constexpr Amount kMillion = Amount::of_coins(1'000'000);
    if (!within(params.cut_divisor, 16U, 1U << 20U)) return fail(ParamsError::bad_cut);
    if (params.byte_fee > Amount::of_coins(1)) return fail(ParamsError::bad_fee);
    if (params.replay_fee > Amount::of_coins(1'000)) return fail(ParamsError::bad_fee);
    if (params.fraud_deposit > kMillion) return fail(ParamsError::bad_deposit);
    if (params.task_weight.is_zero() || params.task_weight > kMillion) {
        return fail(ParamsError::bad_task_limit);
    }
    if (!within(params.max_task_creations, 1U, 64U)) return fail(ParamsError::bad_task_limit);
    if (!within(params.max_unit_work, std::uint64_t{1}, kMaxUnitWork)) {
        return fail(ParamsError::bad_unit_work);
    }
    if (!within(params.held_out_sequences, 1U, 4096U)) return fail(ParamsError::bad_held_out);
    return {};
}

}  // namespace

std::string_view describe(ParamsError error) noexcept {
    switch (error) {
        case ParamsError::bad_interval:
            return "the block interval is outside 100..3600000 ms";
        case ParamsError::bad_half_life:
            return "the difficulty half-life is below 360 intervals or above 2^40 ms";
        case ParamsError::bad_max_bits:
            return "the easiest target is not a canonical target";
        case ParamsError::bad_max_future:
            return "the tolerated clock difference is outside 1000..7200000 ms";
        case ParamsError::bad_anchor:
            return "the genesis target is not canonical or easier than allowed, or its time absurd";
        case ParamsError::bad_max_units:
            return "the units of a lane are outside 1..4096";
        case ParamsError::bad_max_hits:
            return "the hits of a segment are outside 1..128";
        case ParamsError::bad_hit_target:
            return "the hits per win are outside 1..4096 or the units per hit outside 1..65536";
        case ParamsError::bad_guards:
            return "there are more than 8 guards";
        case ParamsError::bad_size_limit:
            return "the largest segment does not fit into a block";
        case ParamsError::bad_reward:
            return "the rewards exceed a 65536th of the largest amount";
        case ParamsError::bad_halving:
            return "the halving interval is outside 1..2^40 blocks";
        case ParamsError::bad_pay_units:
            return "the units for full pay are outside 1..4096";
        case ParamsError::bad_maturity:
            return "the maturity is outside 1..100000 blocks";
        case ParamsError::bad_cut:
            return "the divisor of the includer's cut is outside 16..1048576";
        case ParamsError::bad_fee:
            return "the fee per byte is above 1 coin or the fee per replay above 1000 coins";
        case ParamsError::bad_deposit:
            return "the deposit of a fraud commitment is above 1000000 coins";
        case ParamsError::bad_task_limit:
            return "the weight of tasks is zero or above 1000000 coins, or a block may create "
                   "none or more than 64";
        case ParamsError::bad_unit_work:
            return "the largest work of a user task's unit is outside 1..2^40 FLOPs";
        case ParamsError::bad_held_out:
            return "the held-out sequences of a settlement are outside 1..4096";
    }
    return "unknown parameter error";
}

Result<void, ParamsError> check_params(const ConsensusParams& params) noexcept {
    if (!within<std::uint64_t>(params.interval_ms, 100, 3'600'000)) {
        return fail(ParamsError::bad_interval);
    }
    if (!within(params.half_life_ms, kMinHalfLifeIntervals * params.interval_ms, kMaxHalfLifeMs)) {
        return fail(ParamsError::bad_half_life);
    }
    if (!is_target(params.max_bits)) return fail(ParamsError::bad_max_bits);
    if (!within<std::uint64_t>(params.max_future_ms, 1'000, 7'200'000)) {
        return fail(ParamsError::bad_max_future);
    }
    if (!is_target(params.anchor.bits)) return fail(ParamsError::bad_anchor);
    if (*from_compact(params.anchor.bits) > *from_compact(params.max_bits)) {
        return fail(ParamsError::bad_anchor);
    }
    if (params.anchor.time_ms >= kMaxAnchorTimeMs) return fail(ParamsError::bad_anchor);
    TRY(check_work_params(params));
    if (!rewards_fit(params)) return fail(ParamsError::bad_reward);
    if (!within<std::uint64_t>(params.halving_blocks, 1, kMaxHalvingBlocks)) {
        return fail(ParamsError::bad_halving);
    }
    if (!within(params.full_pay_units, 1U, kMaxUnits)) return fail(ParamsError::bad_pay_units);
    if (!within(params.maturity_blocks, 1U, 100'000U)) return fail(ParamsError::bad_maturity);
    return check_task_params(params);
}

}  // namespace gradient::chain
