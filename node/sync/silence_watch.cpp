#include "node/sync/silence_watch.hpp"

namespace gradient::node {

bool SilenceWatch::is_silent(std::uint64_t bytes, SteadyTime now) {
    if (!debt_) debt_ = {now, bytes};
    const std::chrono::duration<double> beyond = now - debt_->since - kPatience;
    const double least = beyond.count() * static_cast<double>(kIdleBytesPerSecond);
    if (static_cast<double>(bytes - debt_->bytes) > least) return false;
    answered();
    return true;
}

}  // namespace gradient::node
