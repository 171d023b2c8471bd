#include "node/p2p/frame_reader.hpp"

#include "node/concurrency/join.hpp"
#include "node/p2p/peer_fault.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <utility>

namespace gradient::node {

FrameReader::FrameReader(TlsStream& stream, FrameRate rate)
    : stream_(stream),
      rate_(rate),
      buffer_(kStepBytes),
      last_receipt_(std::chrono::steady_clock::now()) {}

Task<std::size_t> FrameReader::read_some(std::uint8_t* out, std::size_t size) {
    const std::size_t read =
        co_await stream_.async_read_some(asio::buffer(out, size), asio::use_awaitable);
    received_bytes_ += read;
    last_receipt_ = std::chrono::steady_clock::now();
    frame_bytes_ += read;
    co_return read;
}

// Until the buffer holds so many bytes.
Task<> FrameReader::fill(std::size_t least) {
    const std::size_t held = buffered();
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), held, buffer_.begin());
    begin_ = 0;
    end_ = held;
    while (buffered() < least) {
        end_ += co_await read_some(buffer_.data() + end_, buffer_.size() - end_);
    }
}

// The payload, from the buffer and the stream; its room at most doubles with what has come.
Task<> FrameReader::fill_payload(std::size_t size) {
    payload_.assign(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
                    buffer_.begin() + static_cast<std::ptrdiff_t>(end_));
    begin_ = end_ = 0;
    for (std::size_t held = payload_.size(); held < size;) {
        const std::size_t step = std::min(size - held, std::max(held, kStepBytes));
        payload_.resize(held + step);
        while (held < payload_.size()) {
            held += co_await read_some(payload_.data() + held, payload_.size() - held);
        }
    }
}

FrameReader::Header FrameReader::parse_header() const {
    constexpr unsigned kByteBits = 8;
    const std::uint8_t* const bytes = buffer_.data() + begin_;
    Header header;
    for (std::size_t i = 0; i < kFrameHeaderBytes - 1; ++i) {
        header.size |= std::size_t{bytes[i]} << (kByteBits * i);
    }
    header.type = bytes[kFrameHeaderBytes - 1];
    const auto most = max_payload_bytes(header.type);
    if (!most) throw PeerFault(ProtocolOffence::unknown_type);
    if (header.size > *most) throw PeerFault(ProtocolOffence::frame_too_large);
    return header;
}

// Whether the buffer holds a whole frame.
bool FrameReader::has_frame() const {
    return buffered() >= kFrameHeaderBytes && buffered() - kFrameHeaderBytes >= parse_header().size;
}

// Header and payload, to buffer_ or payload_.
Task<> FrameReader::fill_frame() {
    if (buffered() < kFrameHeaderBytes) co_await fill(kFrameHeaderBytes);
    header_ = parse_header();
    begin_ += kFrameHeaderBytes;
    if (header_.size > buffer_.size()) {
        co_await fill_payload(header_.size);
    } else if (buffered() < header_.size) {
        co_await fill(header_.size);
    }
}

// Returns when a frame has become too slow.
Task<> FrameReader::watch_rate() const {
    for (;;) {
        const auto left =
            frame_begin_ + rate_.time_for(frame_bytes_) - std::chrono::steady_clock::now();
        if (left <= std::chrono::steady_clock::duration::zero()) co_return;
        co_await sleep_for(std::chrono::ceil<std::chrono::milliseconds>(left));
    }
}

Task<Message> FrameReader::read() {
    constexpr std::size_t kTooSlow = 1;
    if (buffered() == 0) co_await fill(1);  // silence between frames is the owner's affair
    frame_begin_ = std::chrono::steady_clock::now();
    frame_bytes_ = buffered();
    if (has_frame()) {
        co_await fill_frame();
    } else if (co_await wait_any(fill_frame(), watch_rate()) == kTooSlow) {
        throw PeerFault(ProtocolOffence::frame_too_slow);
    }

    chain::ByteSpan payload = payload_;
    if (header_.size <= buffer_.size()) {
        payload = chain::ByteSpan(buffer_).subspan(begin_, header_.size);
        begin_ += header_.size;
    }
    traffic_.count(header_.type, last_frame_bytes());
    auto message = decode_payload(header_.type, payload);
    payload_ = {};
    if (!message) throw PeerFault(message.error());
    co_return *std::move(message);
}

}  // namespace gradient::node
