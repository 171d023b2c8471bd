#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace gradient::node {

/// The last of a kind of delay, and the median of the last hundred.
class DelayMeter {
  public:
    using Milliseconds = std::chrono::duration<double, std::milli>;
    static constexpr std::size_t kKept = 100;

    /// Takes one delay.
    void record(Milliseconds delay);

    /// The last delay (milliseconds); nothing before the first.
    [[nodiscard]] std::optional<double> last_ms() const noexcept;

    /// The upper median of the delays kept (milliseconds); nothing before the first.
    [[nodiscard]] std::optional<double> median_ms() const;

  private:
    std::vector<double> delays_ms_;  // a ring once it is full
    std::size_t last_ = 0;           // index of the last delay
};

}  // namespace gradient::node
