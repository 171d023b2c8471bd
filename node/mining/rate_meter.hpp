#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gradient::node {

/// Events a second over the last minute, or since the first one if that is shorter ago.
class RateMeter {
  public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::size_t kWindowSeconds = 60;

    /// Counts one event.
    void count(Clock::time_point now) noexcept;

    /// Events a second; 0 before the first.
    [[nodiscard]] double rate(Clock::time_point now) const noexcept;

  private:
    struct Bucket {
        std::int64_t second = -1;
        std::uint32_t events = 0;
    };
    static std::int64_t second_of(Clock::time_point time) noexcept {
        return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
    }

    std::array<Bucket, kWindowSeconds> buckets_{};
    Clock::time_point first_ = Clock::time_point::max();
};

}  // namespace gradient::node
