#pragma once

#include "chain/base/amount.hpp"

#include <cstddef>
#include <cstdint>

namespace gradient::chain {

/// A fee for a number of bytes. Compared exactly, as a rational number.
struct FeeRate {
    std::uint64_t fee = 0;    ///< units, at most kMaxAmountUnits
    std::uint64_t bytes = 1;  ///< not zero

    [[nodiscard]] FeeRate operator+(const FeeRate& other) const noexcept {
        return {fee + other.fee, bytes + other.bytes};
    }
};

/// Products of two 64-bit numbers.
__extension__ using FeeProduct = unsigned __int128;

/// Whether a pays less a byte than b.
[[nodiscard]] inline bool is_lower(const FeeRate& a, const FeeRate& b) noexcept {
    return static_cast<FeeProduct>(a.fee) * b.bytes < static_cast<FeeProduct>(b.fee) * a.bytes;
}

/// A place in the order of a pool: by fee rate, of equal ones by arrival.
struct RankKey {
    FeeRate rate;
    std::uint64_t arrival = 0;  ///< counts up; no two transactions share one
};

/// The better key first.
struct BetterFirst {
    [[nodiscard]] bool operator()(const RankKey& a, const RankKey& b) const noexcept {
        if (is_lower(b.rate, a.rate)) return true;
        if (is_lower(a.rate, b.rate)) return false;
        return a.arrival < b.arrival;
    }
};

/// A least fee rate that rises with each eviction and falls by half in each half-life, so that what
/// has been evicted does not come back at once for the same fee.
class RollingMinimum {
  public:
    /// Unit of the rate: units of money for so many bytes.
    static constexpr std::uint64_t kRateBytes = 1000;

    explicit RollingMinimum(std::uint64_t half_life_ms) noexcept : half_life_ms_(half_life_ms) {}

    /// Units for kRateBytes bytes at a time; 0 when it has fallen below one.
    [[nodiscard]] std::uint64_t at(std::uint64_t now_ms) const noexcept;

    /// Raises it above a rate that has been evicted, by `increment` units for kRateBytes bytes.
    void raise(const FeeRate& evicted, std::uint64_t increment, std::uint64_t now_ms) noexcept;

  private:
    std::uint64_t half_life_ms_;
    std::uint64_t value_ = 0;
    std::uint64_t since_ms_ = 0;
};

}  // namespace gradient::chain
