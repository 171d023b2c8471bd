#pragma once

#include "chain/base/bytes.hpp"
#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"
#include "node/p2p/identity.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/traffic.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace gradient::node {

/// A message as encode_frame() gives it; peers may share one.
using Frame = std::shared_ptr<const chain::Bytes>;

/// What becomes of a frame that is to be sent.
enum class SendOutcome : std::uint8_t {
    queued,    ///< it waits for its turn
    too_slow,  ///< dropped: the peer lets too much wait, and must go
    closed,    ///< dropped: the connection is closing or broken
};

/// Memory that a waiting frame takes beside its bytes, and is charged for: else a peer that reads
/// nothing could have millions of tiny answers wait.
inline constexpr std::size_t kQueuedFrameOverheadBytes = 128;

/// The frames that wait to be sent over a stream, and their sending in order.
class FrameWriter {
  public:
    FrameWriter(TlsStream& stream, std::size_t max_queued_bytes);

    /// Queues a frame; at once.
    SendOutcome push(Frame frame);

    /// Takes no frame any more.
    void seal() noexcept { sealed_ = true; }

    /// Sends what is queued, until stop(), cancellation or an error, which it throws
    /// (boost::system::system_error). Once.
    Task<> run();

    /// Waits until everything queued has been handed to the system, sending it itself if run() does
    /// not run. Throws as run() does.
    Task<> flush();

    /// Makes run() return.
    void stop();

    /// Whether the stream may end in the middle of a frame, so that nothing can be sent any more. A
    /// write under way counts, as it may yet fail.
    [[nodiscard]] bool cut() const noexcept { return cut_; }

    /// Bytes that wait, each frame with kQueuedFrameOverheadBytes.
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return queued_bytes_; }

    [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }

  private:
    [[nodiscard]] std::size_t gather();
    Task<> drain();
    Task<> write_next();

    TlsStream& stream_;
    std::size_t max_queued_bytes_;
    Event changed_;  // something was queued, or run() is to end
    Event drained_;  // nothing is queued, or sending has failed
    std::deque<Frame> queue_;
    std::size_t queued_bytes_ = 0;
    chain::Bytes gathered_;  // small frames that go together
    bool sealed_ = false;
    bool stopped_ = false;
    bool running_ = false;
    bool cut_ = false;
    Traffic traffic_;
};

}  // namespace gradient::node
