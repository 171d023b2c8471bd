#include "node/audit/audit_queue.hpp"

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace {

// Resolution of the draw.
constexpr std::uint64_t kDrawRange = std::uint64_t{1} << 53U;

}  // namespace

std::size_t AuditCandidate::bytes() const noexcept {
    return sizeof(*this) + sizeof(chain::SegmentBody) +
           body->digests.size() * sizeof(chain::Hash256) +
           start.parameters->size() * sizeof(std::int32_t);
}

AuditQueue::AuditQueue(double fraction, std::size_t max_bytes, Random random)
    : fraction_(std::clamp(fraction, 0.0, 1.0)),
      max_bytes_(max_bytes),
      random_(std::move(random)) {}

bool AuditQueue::is_new(const chain::Hash256& id, std::uint64_t height) {
    if (!drawn_.emplace(id, height).second) return false;
    drawn_at_.emplace(height, id);
    if (drawn_.size() > kMaxDrawn) {
        drawn_.erase(drawn_at_.begin()->second);
        drawn_at_.erase(drawn_at_.begin());
    }
    return true;
}

void AuditQueue::offer(const chain::CheckedSegment& segment, std::uint64_t height) {
    if (!is_new(segment.id(), height)) return;
    const auto limit = static_cast<std::uint64_t>(fraction_ * static_cast<double>(kDrawRange));
    if (random_(kDrawRange) >= limit) return;
    // The block itself is not kept: an audit takes nothing but its digests.
    auto body = std::make_shared<chain::SegmentBody>();
    body->digests = segment.body().digests;
    put_back({segment.id(), segment.tmpl(), std::move(body), segment.start(), height});
}

void AuditQueue::put_back(AuditCandidate candidate) {
    bytes_ += candidate.bytes();
    candidates_.push_back(std::move(candidate));
    while (bytes_ > max_bytes_) {
        static_cast<void>(remove(random_(candidates_.size())));
        ++dropped_;
    }
}

std::optional<AuditCandidate> AuditQueue::take() {
    if (candidates_.empty()) return std::nullopt;
    return remove(random_(candidates_.size()));
}

AuditCandidate AuditQueue::remove(std::size_t index) {
    std::swap(candidates_.at(index), candidates_.back());
    AuditCandidate removed = std::move(candidates_.back());
    candidates_.pop_back();
    bytes_ -= removed.bytes();
    return removed;
}

void AuditQueue::forget(std::uint64_t height) {
    for (std::size_t i = candidates_.size(); i-- > 0;) {
        if (candidates_[i].height > height) continue;
        static_cast<void>(remove(i));
        ++dropped_;
    }
    const auto end = drawn_at_.upper_bound(height);
    for (auto it = drawn_at_.begin(); it != end; ++it) drawn_.erase(it->second);
    drawn_at_.erase(drawn_at_.begin(), end);
}

}  // namespace gradient::node
