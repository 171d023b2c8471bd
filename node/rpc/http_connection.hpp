#pragma once

#include "node/rpc/http_service.hpp"
#include "node/rpc/rpc_limits.hpp"
#include "node/rpc/rpc_socket.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace gradient::node {

using PlainStream = boost::beast::tcp_stream;
using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

/// One connection to the HTTP server, plain or TLS: requests one after another, or a WebSocket.
template <class Stream>
class HttpConnection {
  public:
    /// Serves until the other side ends it, a time limit does, or this is cancelled.
    static Task<> serve(HttpService& service, Stream stream) {
        HttpConnection connection(service, std::move(stream));
        co_await connection.run();
    }

  private:
    static constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
    static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

    HttpConnection(HttpService& service, Stream stream)
        : service_(service), stream_(std::move(stream)) {
        stranger_.emplace(service_.strangers, tcp());
    }

    PlainStream& tcp() { return boost::beast::get_lowest_layer(stream_); }

    Task<> run() {
        tcp().expires_after(kRpcFirstRequestTimeout);
        if constexpr (kIsTls) {
            const auto [error] =
                co_await stream_.async_handshake(asio::ssl::stream_base::server, kResult);
            if (error) co_return;
        }
        for (bool first = true; co_await serve_one(first); first = false) {
        }
        if (!upgraded_) co_await shut_down();
    }

    // One request and its answer; false when the connection is to end, as it is after a request
    // without the credentials.
    Task<bool> serve_one(bool first) {
        namespace http = boost::beast::http;
        http::request_parser<http::string_body> parser;
        parser.body_limit(kRpcBodyLimitBytes);
        parser.header_limit(kRpcHeaderLimitBytes);
        if (buffer_.size() == 0) {
            if (!first) tcp().expires_after(kRpcIdleTimeout);
            const Listed resting(service_.idle, tcp());
            const auto [error, size] =
                co_await stream_.async_read_some(buffer_.prepare(kRpcHeaderLimitBytes), kResult);
            if (error) co_return false;
            buffer_.commit(size);
        }
        if (!first) tcp().expires_after(kRpcTransferTimeout);
        const auto [error, size] = co_await http::async_read(stream_, buffer_, parser, kResult);
        static_cast<void>(size);
        if (error) {
            auto response = refusal_of(error);
            if (!response) co_return false;
            co_return co_await send(*std::move(response));
        }
        tcp().expires_never();  // a method sets its own limit
        busy_.emplace(service_.answering);
        HttpMessage request = parser.release();
        const bool goes_on = co_await respond(std::move(request));
        busy_.reset();
        co_return goes_on;
    }

    Task<bool> respond(HttpMessage request) {
        auto admitted = service_.admit(request);
        if (auto* const refused = std::get_if<HttpResponse>(&admitted))
            co_return co_await send(std::move(*refused));
        stranger_.reset();
        auto caller = std::get<RpcCaller>(std::move(admitted));
        if (request.target() == kSocketPath && boost::beast::websocket::is_upgrade(request)) {
            if (service_.sockets < kRpcMaxSockets)
                co_return co_await become_socket(std::move(request), std::move(caller));
            auto too_many =
                refusal(boost::beast::http::status::service_unavailable,
                        {RpcErrorCode::unavailable, "As many WebSockets are open as may be."});
            co_return co_await send(std::move(too_many));
        }
        auto response = co_await service_.answer(std::move(request), std::move(caller));
        co_return co_await send(std::move(response));
    }

    Task<bool> send(HttpResponse response) {
        tcp().expires_after(kRpcTransferTimeout);
        const auto [error, size] =
            co_await boost::beast::http::async_write(stream_, response, kResult);
        static_cast<void>(size);
        co_return !error && response.keep_alive();
    }

    Task<bool> become_socket(HttpMessage request, RpcCaller caller) {
        upgraded_ = true;
        busy_.reset();  // it is no request that the end of the node waits for
        const Counted one_more(service_.sockets);
        RpcSocket<Stream> socket(std::move(stream_), co_await asio::this_coro::executor,
                                 service_.dispatcher, service_.events, std::move(caller));
        co_await socket.run(std::move(request));
        co_return false;
    }

    // Lets the peer read the last answer even if it was still sending a body that we refused.
    Task<> shut_down() {
        constexpr std::size_t kDrainBytes = 4U << 20U;
        constexpr std::chrono::seconds kDrainTime{2};
        constexpr std::size_t kDrainStepBytes = 4096;
        if (!tcp().socket().is_open()) co_return;
        tcp().expires_after(kDrainTime);
        if constexpr (kIsTls) {
            static_cast<void>(co_await stream_.async_shutdown(kResult));
            if (!tcp().socket().is_open()) co_return;
        }
        boost::beast::error_code ignored;
        tcp().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
        for (std::size_t drained = 0; drained < kDrainBytes;) {
            buffer_.clear();
            const auto [error, size] =
                co_await tcp().async_read_some(buffer_.prepare(kDrainStepBytes), kResult);
            if (error) break;
            drained += size;
        }
    }

    HttpService& service_;
    Stream stream_;
    boost::beast::flat_buffer buffer_{kRpcHeaderLimitBytes + kRpcBodyLimitBytes};
    std::optional<Listed> stranger_;  // until it has shown credentials
    std::optional<Counted> busy_;     // while it has a request and not yet sent its answer
    bool upgraded_ = false;
};

}  // namespace gradient::node
