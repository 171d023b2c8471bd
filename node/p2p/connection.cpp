#include "node/p2p/connection.hpp"

#include "node/concurrency/join.hpp"
#include "node/p2p/net_address.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace gradient::node {

namespace {

using asio::ip::tcp;
using boost::system::system_error;

// Throws timed_out if the work takes longer.
Task<> within(std::chrono::milliseconds limit, Task<> work) {
    constexpr std::size_t kTimer = 1;
    if (co_await wait_any(std::move(work), sleep_for(limit)) == kTimer) {
        throw system_error(asio::error::timed_out);
    }
}

Task<> connect_socket(tcp::socket& socket, const tcp::endpoint& endpoint) {
    co_await socket.async_connect(endpoint, asio::use_awaitable);
}

Task<> end_tls(TlsStream& stream) {
    co_await stream.async_shutdown(asio::use_awaitable);
}

tcp::endpoint plain(const tcp::endpoint& endpoint) {
    return {ip_address(ip_bytes(endpoint.address())), endpoint.port()};
}

asio::ssl::context& context_for(Identity& identity, Direction direction) {
    return direction == Direction::outbound ? identity.client_context() : identity.server_context();
}

}  // namespace

Connection::Connection(tcp::socket socket, Identity& identity, Direction direction,
                       const ConnectionLimits& limits)
    : limits_(limits),
      own_id_(identity.node_id()),
      direction_(direction),
      remote_endpoint_(plain(socket.remote_endpoint())),
      handshake_deadline_(std::chrono::steady_clock::now() + limits.handshake_timeout),
      stream_(std::move(socket), context_for(identity, direction)),
      reader_(stream_, limits.frame_rate),
      writer_(stream_, limits.max_send_queue_bytes) {
    stream_.next_layer().set_option(tcp::no_delay(true));
}

Task<> Connection::shake_hands() {
    const auto side = direction_ == Direction::outbound ? asio::ssl::stream_base::client
                                                        : asio::ssl::stream_base::server;
    co_await stream_.async_handshake(side, asio::use_awaitable);
}

Task<std::unique_ptr<Connection>> Connection::open(tcp::socket socket, Identity& identity,
                                                   Direction direction, ConnectionLimits limits) {
    std::unique_ptr<Connection> connection(
        new Connection(std::move(socket), identity, direction, limits));
    co_await within(limits.handshake_timeout, connection->shake_hands());
    const auto node_id = node_id_of(connection->stream_);
    if (!node_id) {
        throw system_error(make_error_code(boost::system::errc::protocol_error),
                           "another application protocol");
    }
    connection->node_id_ = *node_id;
    co_return connection;
}

Task<std::unique_ptr<Connection>> Connection::connect(asio::any_io_executor executor,
                                                      Identity& identity, tcp::endpoint endpoint,
                                                      ConnectionLimits limits) {
    tcp::socket socket(executor);
    co_await within(limits.connect_timeout, connect_socket(socket, endpoint));
    co_return co_await open(std::move(socket), identity, Direction::outbound, limits);
}

Task<std::unique_ptr<Connection>> Connection::accept(tcp::socket socket, Identity& identity,
                                                     ConnectionLimits limits) {
    return open(std::move(socket), identity, Direction::inbound, limits);
}

SendOutcome Connection::send(const Message& message) {
    return send(std::make_shared<const chain::Bytes>(encode_frame(message)));
}

// Goodbye and the end of TLS, each within its time.
Task<> Connection::part(GoodbyeReason reason) {
    const SendOutcome outcome = send(Goodbye{reason});
    writer_.seal();
    if (outcome != SendOutcome::queued) co_return;
    co_await within(limits_.flush_timeout, flush());
    co_await within(limits_.tls_close_timeout, end_tls(stream_));
}

Task<> Connection::close(GoodbyeReason reason) {
    try {
        co_await part(reason);
    } catch (const system_error&) {  // NOLINT(bugprone-empty-catch): the end comes all the same
    }
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
    writer_.stop();
}

}  // namespace gradient::node
