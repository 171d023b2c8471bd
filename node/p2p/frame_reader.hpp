#pragma once

#include "chain/base/bytes.hpp"
#include "node/concurrency/task.hpp"
#include "node/p2p/identity.hpp"
#include "node/p2p/limits.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/traffic.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gradient::node {

/// How fast a frame that has begun must come.
struct FrameRate {
    std::chrono::milliseconds base = kFrameTimeout;
    std::size_t bytes_per_second = kMinFrameRate;

    /// Time after a frame's beginning when more than that of it must have come.
    [[nodiscard]] std::chrono::milliseconds time_for(std::size_t bytes) const noexcept {
        constexpr std::size_t kMillisecondsPerSecond = 1000;
        return base + std::chrono::milliseconds(bytes * kMillisecondsPerSecond / bytes_per_second);
    }
};

/// Takes messages from a stream. Memory follows the bytes that have arrived, never a length that
/// the peer has only claimed.
class FrameReader {
  public:
    /// Bytes taken from the stream at a time (a TLS record), and the first room for a payload.
    static constexpr std::size_t kStepBytes = std::size_t{16} << 10U;

    FrameReader(TlsStream& stream, FrameRate rate);

    /// The next message. Throws PeerFault if the peer breaks the protocol, and
    /// boost::system::system_error when the stream ends or fails or this is cancelled; nothing can
    /// be read after either. One call at a time.
    Task<Message> read();

    [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }

    /// Bytes that have come, those of an unfinished frame too.
    [[nodiscard]] std::uint64_t received_bytes() const noexcept { return received_bytes_; }

    /// When bytes last came; at first, the time of construction.
    [[nodiscard]] std::chrono::steady_clock::time_point last_receipt() const noexcept {
        return last_receipt_;
    }

    /// Bytes of the last message's frame.
    [[nodiscard]] std::size_t last_frame_bytes() const noexcept {
        return kFrameHeaderBytes + header_.size;
    }

    /// Room that the last long payload took so far (bytes).
    [[nodiscard]] std::size_t payload_capacity() const noexcept { return payload_.capacity(); }

  private:
    struct Header {
        std::size_t size = 0;
        std::uint8_t type = 0;
    };

    [[nodiscard]] std::size_t buffered() const noexcept { return end_ - begin_; }
    [[nodiscard]] Header parse_header() const;
    Task<std::size_t> read_some(std::uint8_t* out, std::size_t size);
    Task<> fill(std::size_t least);
    Task<> fill_payload(std::size_t size);
    [[nodiscard]] bool has_frame() const;
    Task<> fill_frame();
    Task<> watch_rate() const;

    TlsStream& stream_;
    FrameRate rate_;
    chain::Bytes buffer_;  // [begin_, end_) has arrived and is not yet taken
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t frame_bytes_ = 0;  // that have come since the frame began
    std::chrono::steady_clock::time_point frame_begin_;
    Header header_;
    chain::Bytes payload_;  // of a frame longer than the buffer
    Traffic traffic_;
    std::uint64_t received_bytes_ = 0;
    std::chrono::steady_clock::time_point last_receipt_;
};

}  // namespace gradient::node
