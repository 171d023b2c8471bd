#include "node/p2p/frame_writer.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace {

// Small frames go together up to the size of a TLS record.
constexpr std::size_t kGatherBytes = std::size_t{16} << 10U;

constexpr std::size_t charge(const chain::Bytes& frame) noexcept {
    return frame.size() + kQueuedFrameOverheadBytes;
}

}  // namespace

FrameWriter::FrameWriter(TlsStream& stream, std::size_t max_queued_bytes)
    : stream_(stream),
      max_queued_bytes_(max_queued_bytes),
      changed_(stream.get_executor()),
      drained_(stream.get_executor()) {}

SendOutcome FrameWriter::push(Frame frame) {
    if (sealed_) return SendOutcome::closed;
    const std::size_t cost = charge(*frame);
    if (cost > max_queued_bytes_ - queued_bytes_) return SendOutcome::too_slow;
    queued_bytes_ += cost;
    queue_.push_back(std::move(frame));
    changed_.notify_all();
    return SendOutcome::queued;
}

void FrameWriter::stop() {
    sealed_ = true;
    stopped_ = true;
    changed_.notify_all();
}

// Puts together what goes in the next write and returns of how many frames from the front; 0: the
// first goes alone, as it is.
std::size_t FrameWriter::gather() {
    gathered_.clear();
    std::size_t count = 0;
    while (count < queue_.size() && gathered_.size() + queue_[count]->size() <= kGatherBytes) {
        const chain::Bytes& frame = *queue_[count++];
        gathered_.insert(gathered_.end(), frame.begin(), frame.end());
    }
    return count;
}

Task<> FrameWriter::write_next() {
    const std::size_t small = gather();
    const auto bytes = asio::buffer(small > 0 ? gathered_ : *queue_.front());
    cut_ = true;
    co_await asio::async_write(stream_, bytes, asio::use_awaitable);
    cut_ = false;
    for (std::size_t count = std::max<std::size_t>(small, 1); count > 0; --count) {
        const chain::Bytes& frame = *queue_.front();
        queued_bytes_ -= charge(frame);
        traffic_.count(frame[kFrameHeaderBytes - 1], frame.size());
        queue_.pop_front();
    }
}

Task<> FrameWriter::drain() {
    if (cut_) throw boost::system::system_error(asio::error::broken_pipe);
    while (!queue_.empty()) co_await write_next();
    drained_.notify_all();
}

Task<> FrameWriter::run() {
    running_ = true;
    try {
        while (!stopped_) {
            co_await drain();
            if (!stopped_) co_await changed_.wait_until(Event::Deadline::max());
        }
    } catch (...) {
        running_ = false;
        if (cut_) sealed_ = true;
        drained_.notify_all();
        throw;
    }
    running_ = false;
}

Task<> FrameWriter::flush() {
    while (running_ && !queue_.empty()) co_await drained_.wait_until(Event::Deadline::max());
    if (!queue_.empty()) co_await drain();
}

}  // namespace gradient::node
