#include "chain/consensus/reward.hpp"

#include "chain/base/check.hpp"

#include <algorithm>

namespace gradient::chain {

namespace {

// The reward at height 1, halved as often as the height asks.
std::uint64_t halved(Amount reward, const ConsensusParams& params, std::uint64_t height) noexcept {
    const std::uint64_t halvings = height / params.halving_blocks;
    return height == 0 || halvings >= 64 ? 0 : reward.units() >> halvings;
}

// Rewards are at most kMaxAmount / 2^16 and a segment has at most 128 hits.
Amount in_range(std::uint64_t units) noexcept {
    const auto amount = Amount::from_units(units);
    CHECK(amount);
    return *amount;
}

}  // namespace

Amount block_reward(const ConsensusParams& params, std::uint64_t height) noexcept {
    return in_range(halved(params.block_reward, params, height));
}

Amount hit_reward(const ConsensusParams& params, std::uint64_t height,
                  const Targets& targets) noexcept {
    const std::uint64_t reward = halved(params.hit_reward, params, height);
    if (targets.hit.is_zero()) return in_range(reward);
    const auto shift = static_cast<unsigned>(std::max(0, targets.hit.bit_length() - 128));
    const auto paid = checked_mul(targets.win >> shift, reward);
    CHECK(paid);  // 128 bits by 64
    const auto units = divide(*paid, targets.hit >> shift).quotient.to_u64();
    CHECK(units);  // win <= hit
    return in_range(*units);
}

Amount segment_reward(const ConsensusParams& params, std::uint64_t height, const Targets& targets,
                      std::uint32_t hits, std::uint32_t units) noexcept {
    const Amount one = hit_reward(params, height, targets);
    const std::uint64_t counted = std::min(units, params.full_pay_units);
    const auto paid = checked_mul_div(one, hits * counted, params.full_pay_units);
    CHECK(paid);
    return *paid;
}

}  // namespace gradient::chain
