#pragma once

#include "node/sync/outlets.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace gradient::node {

/// Bytes that a peer may ask for: so many at once, and so many a second from then on.
class ServeBudget {
  public:
    static constexpr std::size_t kBurstBytes = 4 * chain::kMaxBlockBytes;
    static constexpr std::size_t kBytesPerSecond = std::size_t{4} << 20U;

    /// Takes the bytes off; false, and nothing taken, if there are not as many.
    [[nodiscard]] bool take(std::size_t bytes, SteadyTime now) {
        refill(now);
        if (bytes > left_) return false;
        left_ -= bytes;
        return true;
    }

  private:
    void refill(SteadyTime now) {
        if (now <= then_) return;
        using Seconds = std::chrono::duration<double>;
        const double gained = Seconds(now - then_).count() * static_cast<double>(kBytesPerSecond);
        const auto room = static_cast<double>(kBurstBytes - left_);
        left_ += static_cast<std::size_t>(std::min(gained, room));
        then_ = now;
    }

    std::size_t left_ = kBurstBytes;
    SteadyTime then_{};
};

}  // namespace gradient::node
