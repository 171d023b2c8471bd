#include "chain/transition/pay.hpp"

#include "chain/base/check.hpp"
#include "chain/consensus/reward.hpp"

#include <algorithm>

namespace gradient::chain {

namespace {

// Sums of what one block earns stay far below the largest amount: at most that is ever minted.
Amount sum_of(Amount a, Amount b) noexcept {
    const auto sum = checked_add(a, b);
    CHECK(sum);
    return *sum;
}

Amount scaled(Amount amount, std::uint64_t numerator, std::uint64_t denominator) noexcept {
    const auto part = checked_mul_div(amount, numerator, denominator);
    CHECK(part);  // numerator <= denominator, or a number of hits times a bounded reward
    return *part;
}

}  // namespace

Amount late_pay(Amount pay, std::uint32_t lateness) noexcept {
    CHECK(lateness <= kMaxLateness);
    return scaled(pay, kMaxLateness + 1 - lateness, kMaxLateness + 1);
}

Amount share_fee(const SegmentOutcome& share, Amount emission,
                 const ConsensusParams& params) noexcept {
    const auto bytes = checked_mul(params.byte_fee, share.size_bytes);
    const auto replays = checked_mul(params.replay_fee, share.replays);
    const auto fee = bytes && replays ? checked_add(*bytes, *replays) : std::nullopt;
    return fee ? std::min(*fee, emission) : emission;
}

Result<void, StoreError> BlockPay::add_share(const SegmentOutcome& share, std::uint32_t lateness) {
    const Amount full =
        segment_reward(params_, share.round, share.targets, share.hits, share.paid_units);
    TRY_ASSIGN(const Amount emission, mint(late_pay(full, lateness)));
    const Amount fee = share_fee(share, emission, params_);
    TRY_ASSIGN(const Amount cut, mint(scaled(emission, 1, params_.cut_divisor)));
    add_to_includer(sum_of(fee, cut));
    TRY_ASSIGN(const Amount on_top, take_from_escrow(share, lateness));
    const auto rest = checked_sub(emission, fee);
    CHECK(rest);
    earned_.push_back({share, sum_of(*rest, on_top)});
    return {};
}

Result<void, StoreError> BlockPay::add_winner(const SegmentOutcome& winner) {
    const Amount full =
        segment_reward(params_, winner.round, winner.targets, winner.hits, winner.paid_units);
    TRY_ASSIGN(const Amount emission, mint(full));
    TRY_ASSIGN(const Amount on_top, take_from_escrow(winner, 0));
    earned_.push_back({winner, sum_of(emission, on_top)});
    return {};
}

Result<void, StoreError> BlockPay::finish(const Address& includer, Amount fees) {
    TRY_ASSIGN(const Amount reward, mint(block_reward(params_, height_)));
    add_to_includer(sum_of(reward, fees));
    const StateKey key = maturing_pay_key(height_ + params_.maturity_blocks);
    TRY_ASSIGN(auto found, read_entry<MaturingPay>(state_, key));
    MaturingPay maturing = std::move(found).value_or(MaturingPay{});
    // Also one that has earned nothing: it can be accused like any other.
    for (const Earned& earned : earned_) {
        const SegmentOutcome& segment = earned.segment;
        maturing.pays.push_back({address_of(segment.miner), earned.amount, segment.id});
        state_.put(segment_key(segment.id),
                   IncludedSegment{segment.miner, segment.template_hash, height_, segment.task,
                                   segment.units, segment.round});
    }
    if (!includer_.is_zero()) maturing.pays.push_back({includer, includer_, Hash256{}});
    if (!maturing.pays.empty()) state_.put(key, maturing);
    return {};
}

// Pay never lifts the supply above the largest amount: what would exceed it is not minted.
Result<Amount, StoreError> BlockPay::mint(Amount wanted) {
    TRY_ASSIGN(auto totals, require_entry<Totals>(state_, totals_key()));
    const auto left = checked_sub(kMaxAmount, totals.minted);
    if (!left) return fail(bad_entry(totals_key(), "more is minted than there may be"));
    const Amount amount = std::min(wanted, *left);
    totals.minted = sum_of(totals.minted, amount);
    state_.put(totals_key(), totals);
    return amount;
}

// A task pays as long as its escrow lasts, whether it has ended or not: its lanes started before.
Result<Amount, StoreError> BlockPay::take_from_escrow(const SegmentOutcome& segment,
                                                      std::uint32_t lateness) {
    if (segment.task == kGenesisTask) return Amount();
    TRY_ASSIGN(const auto record, require_entry<TaskRecord>(state_, task_key(segment.task)));
    const StateKey key = task_account_key(segment.task);
    TRY_ASSIGN(auto account, require_entry<TaskAccount>(state_, key));
    const std::uint64_t counted = std::min(segment.paid_units, params_.full_pay_units);
    const auto wanted =
        checked_mul_div(record.pay_per_hit, segment.hits * counted, params_.full_pay_units);
    const Amount amount =
        wanted ? std::min(late_pay(*wanted, lateness), account.escrow) : account.escrow;
    account.escrow = checked_sub(account.escrow, amount).value_or(Amount());
    account.paid = sum_of(account.paid, amount);
    state_.put(key, account);
    return amount;
}

void BlockPay::add_to_includer(Amount amount) noexcept {
    includer_ = sum_of(includer_, amount);
}

}  // namespace gradient::chain
