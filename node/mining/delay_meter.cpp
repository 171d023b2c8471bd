#include "node/mining/delay_meter.hpp"

#include <algorithm>

namespace gradient::node {

void DelayMeter::record(Milliseconds delay) {
    if (delays_ms_.size() < kKept) {
        last_ = delays_ms_.size();
        delays_ms_.push_back(delay.count());
        return;
    }
    last_ = (last_ + 1) % kKept;
    delays_ms_[last_] = delay.count();
}

std::optional<double> DelayMeter::last_ms() const noexcept {
    if (delays_ms_.empty()) return std::nullopt;
    return delays_ms_[last_];
}

std::optional<double> DelayMeter::median_ms() const {
    if (delays_ms_.empty()) return std::nullopt;
    std::vector<double> sorted = delays_ms_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::ranges::nth_element(sorted, middle);
    return *middle;
}

}  // namespace gradient::node
