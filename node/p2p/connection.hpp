#pragma once

#include "node/concurrency/task.hpp"
#include "node/p2p/frame_reader.hpp"
#include "node/p2p/frame_writer.hpp"
#include "node/p2p/identity.hpp"
#include "node/p2p/limits.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/peer_fault.hpp"
#include "node/p2p/peer_id.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace gradient::node {

/// What close() allows for the frames that still wait, and then for the end of TLS.
inline constexpr auto kFlushTimeout = 1s;
inline constexpr auto kTlsCloseTimeout = 1s;

/// The limits of one connection; node/p2p/limits.hpp says what each means.
struct ConnectionLimits {
    std::chrono::milliseconds connect_timeout = kConnectTimeout;
    std::chrono::milliseconds handshake_timeout = kHandshakeTimeout;
    FrameRate frame_rate;
    std::size_t max_send_queue_bytes = kMaxSendQueueBytes;
    std::chrono::milliseconds flush_timeout = kFlushTimeout;
    std::chrono::milliseconds tls_close_timeout = kTlsCloseTimeout;
};

/// Who has opened a connection.
enum class Direction : std::uint8_t { inbound, outbound };

/// One TLS stream to a peer and the messages on it. Everything of one connection is used from the
/// executor of its socket, which must run one handler at a time; it must outlive its tasks.
///
/// A session runs run_writer() beside whatever calls receive() and ends with close():
///
///     co_await wait_any(connection->run_writer(), session(*connection));  // closes at its end
///
/// receive() may be cancelled without harm. A writer that is cancelled in the middle of a frame
/// leaves nothing behind it that goodbye could follow; close() then only closes.
class Connection {
  public:
    /// Opens a connection. Throws boost::system::system_error: what the system or OpenSSL says, or
    /// timed_out; protocol_error if the other side has not agreed on our application protocol.
    static Task<std::unique_ptr<Connection>> connect(asio::any_io_executor executor,
                                                     Identity& identity,
                                                     asio::ip::tcp::endpoint endpoint,
                                                     ConnectionLimits limits = {});

    /// The same for a connection that another has opened.
    static Task<std::unique_ptr<Connection>> accept(asio::ip::tcp::socket socket,
                                                    Identity& identity,
                                                    ConnectionLimits limits = {});

    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The other side's identity, and this node's own.
    [[nodiscard]] const NodeId& node_id() const noexcept { return node_id_; }
    [[nodiscard]] const NodeId& own_id() const noexcept { return own_id_; }
    /// Where the other side is; IPv4 never as mapped IPv6.
    [[nodiscard]] const asio::ip::tcp::endpoint& remote_endpoint() const noexcept {
        return remote_endpoint_;
    }
    [[nodiscard]] Direction direction() const noexcept { return direction_; }

    /// The next message. Throws PeerFault if the peer breaks the protocol, and
    /// boost::system::system_error when the stream ends or fails or this is cancelled. One call at
    /// a time, and none after a throw.
    Task<Message> receive() { return reader_.read(); }

    /// Queues a message; at once. A frame that goes to several peers is encoded once and shared.
    SendOutcome send(Frame frame) { return writer_.push(std::move(frame)); }
    SendOutcome send(const Message& message);

    /// Sends what is queued, in order; returns once close() has ended. Throws
    /// boost::system::system_error when the stream fails or this is cancelled. Once.
    Task<> run_writer() { return writer_.run(); }

    /// Waits until everything queued has been handed to the system, sending it itself if
    /// run_writer() does not run. Throws boost::system::system_error.
    Task<> flush() { return writer_.flush(); }

    /// Bytes that wait to be sent, with kQueuedFrameOverheadBytes for each frame.
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return writer_.queued_bytes(); }

    /// Sends what is queued, goodbye and the end of TLS as far as the peer takes them in time, and
    /// closes; takes flush_timeout and tls_close_timeout at most. send() refuses from its start, a
    /// receive() under way fails. Throws nothing but cancellation, having closed.
    Task<> close(GoodbyeReason reason);

    /// When the handshake must be over.
    [[nodiscard]] std::chrono::steady_clock::time_point handshake_deadline() const noexcept {
        return handshake_deadline_;
    }
    /// When bytes last came.
    [[nodiscard]] std::chrono::steady_clock::time_point last_receipt() const noexcept {
        return reader_.last_receipt();
    }
    [[nodiscard]] const Traffic& received() const noexcept { return reader_.traffic(); }
    [[nodiscard]] const Traffic& sent() const noexcept { return writer_.traffic(); }
    [[nodiscard]] const FrameReader& reader() const noexcept { return reader_; }

  private:
    Connection(asio::ip::tcp::socket socket, Identity& identity, Direction direction,
               const ConnectionLimits& limits);
    static Task<std::unique_ptr<Connection>> open(asio::ip::tcp::socket socket, Identity& identity,
                                                  Direction direction, ConnectionLimits limits);
    Task<> shake_hands();
    Task<> part(GoodbyeReason reason);

    ConnectionLimits limits_;
    NodeId own_id_;
    NodeId node_id_;
    Direction direction_;
    asio::ip::tcp::endpoint remote_endpoint_;
    std::chrono::steady_clock::time_point handshake_deadline_;
    TlsStream stream_;
    FrameReader reader_;
    FrameWriter writer_;
};

}  // namespace gradient::node
