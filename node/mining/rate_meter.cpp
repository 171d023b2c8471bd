#include "node/mining/rate_meter.hpp"

#include <algorithm>

namespace gradient::node {

void RateMeter::count(Clock::time_point now) noexcept {
    first_ = std::min(first_, now);
    const std::int64_t second = second_of(now);
    Bucket& bucket = buckets_.at(static_cast<std::size_t>(second) % kWindowSeconds);
    if (bucket.second != second) bucket = {second, 0};
    ++bucket.events;
}

double RateMeter::rate(Clock::time_point now) const noexcept {
    if (first_ >= now) return 0;
    const std::int64_t second = second_of(now);
    std::uint64_t events = 0;
    for (const Bucket& bucket : buckets_) {
        if (bucket.second > second - static_cast<std::int64_t>(kWindowSeconds))
            events += bucket.events;
    }
    const std::chrono::duration<double> since_first = now - first_;
    // The window begins with a whole second.
    const std::chrono::duration<double> into_second =
        now.time_since_epoch() - std::chrono::seconds(second);
    const double window = static_cast<double>(kWindowSeconds - 1) + into_second.count();
    return static_cast<double>(events) / std::max(std::min(since_first.count(), window), 1e-3);
}

}  // namespace gradient::node
