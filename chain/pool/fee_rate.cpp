#include "chain/pool/fee_rate.hpp"

#include <algorithm>
#include <limits>

namespace gradient::chain {

std::uint64_t RollingMinimum::at(std::uint64_t now_ms) const noexcept {
    const std::uint64_t age = now_ms > since_ms_ ? now_ms - since_ms_ : 0;
    const std::uint64_t halvings = age / half_life_ms_;
    if (halvings >= 64) return 0;
    const std::uint64_t whole = value_ >> halvings;
    // Straight between two halvings.
    const FeeProduct part = static_cast<FeeProduct>(whole) * (age % half_life_ms_);
    return whole - static_cast<std::uint64_t>(part / half_life_ms_ / 2);
}

void RollingMinimum::raise(const FeeRate& evicted, std::uint64_t increment,
                           std::uint64_t now_ms) noexcept {
    const FeeProduct exact = static_cast<FeeProduct>(evicted.fee) * kRateBytes;
    const FeeProduct above = (exact + evicted.bytes - 1) / evicted.bytes + increment;
    const FeeProduct limit = std::numeric_limits<std::uint64_t>::max();
    value_ = std::max(at(now_ms), static_cast<std::uint64_t>(std::min(above, limit)));
    since_ms_ = std::max(since_ms_, now_ms);
}

}  // namespace gradient::chain
