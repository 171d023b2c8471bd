#pragma once

#include "node/sync/outlets.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gradient::node {

/// Tells a silent peer from a slow one: it owes an answer, has sent none for kPatience, and from
/// then on sends less than kIdleBytesPerSecond. Bytes of whatever kind count: an answer may wait
/// behind others on its line.
class SilenceWatch {
  public:
    static constexpr std::chrono::seconds kPatience{30};
    static constexpr std::size_t kIdleBytesPerSecond = 4 * 1024;

    /// To be called again and again while the peer owes something. `bytes`: that have come from it
    /// so far. Whether it has been silent since it last answered; then counting begins anew.
    [[nodiscard]] bool is_silent(std::uint64_t bytes, SteadyTime now);

    /// The peer has answered, or owes nothing.
    void answered() noexcept { debt_.reset(); }

  private:
    struct Debt {
        SteadyTime since;
        std::uint64_t bytes = 0;  // that had come by then
    };
    std::optional<Debt> debt_;
};

}  // namespace gradient::node
