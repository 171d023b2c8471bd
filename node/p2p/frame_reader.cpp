#include "node/p2p/frame_reader.hpp"

#include "node/concurrency/join.hpp"
#include "node/p2p/peer_fault.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <utility>

namespace gradient::node {

namespace {

// Gives a frame up that takes longer.
Task<> within(std::chrono::milliseconds limit, Task<> reading) {
    constexpr std::size_t kTimer = 1;
    if (co_await wait_any(std::move(reading), sleep_for(limit)) == kTimer) {
        throw PeerFault(ProtocolOffence::frame_too_slow);
    }
}

}  // namespace

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

Task<Message> FrameReader::read() {
    if (buffered() == 0) co_await fill(1);  // silence between frames is the owner's affair
    if (buffered() < kFrameHeaderBytes) co_await within(rate_.base, fill(kFrameHeaderBytes));
    const Header header = parse_header();
    begin_ += kFrameHeaderBytes;

    chain::ByteSpan payload;
    if (header.size <= buffer_.size()) {
        if (buffered() < header.size) {
            co_await within(rate_.time_for(header.size), fill(header.size));
        }
        payload = chain::ByteSpan(buffer_).subspan(begin_, header.size);
        begin_ += header.size;
    } else {
        co_await within(rate_.time_for(header.size), fill_payload(header.size));
        payload = payload_;
    }
    traffic_.count(header.type, kFrameHeaderBytes + header.size);
    auto message = decode_payload(header.type, payload);
    payload_ = {};
    if (!message) throw PeerFault(message.error());
    co_return *std::move(message);
}

}  // namespace gradient::node
