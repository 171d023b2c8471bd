#pragma once

#include "node/concurrency/event.hpp"
#include "node/concurrency/join.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/rpc/events.hpp"
#include "node/rpc/json_rpc.hpp"
#include "node/rpc/outbox.hpp"
#include "node/rpc/rpc_limits.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/json.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace gradient::node {

/// One WebSocket: JSON-RPC in text messages both ways, and the events that it subscribes to. Its
/// requests are answered side by side.
template <class Stream>
class RpcSocket {
  public:
    RpcSocket(Stream stream, const asio::any_io_executor& executor, const RpcDispatcher& dispatcher,
              EventHub& events, RpcCaller caller)
        : socket_(std::move(stream)),
          dispatcher_(dispatcher),
          caller_(std::move(caller)),
          subscriber_(
              events, [this](const Subscriber::Message& message) { post(message); },
              [this] { close(boost::beast::websocket::close_code::going_away, "the node ends"); }),
          news_(executor),
          requests_(executor, kRpcMaxSocketRequests) {
        caller_.subscriber = &subscriber_;
    }

    /// Answers the upgrade and serves until the socket is closed or this is cancelled.
    Task<> run(boost::beast::http::request<boost::beast::http::string_body> upgrade) {
        namespace websocket = boost::beast::websocket;
        boost::beast::get_lowest_layer(socket_).expires_never();  // it has its own times
        socket_.set_option(websocket::stream_base::timeout{
            kRpcSocketCloseTimeout, kRpcSocketIdleTimeout, /*keep_alive_pings=*/true});
        socket_.read_message_max(kRpcBodyLimitBytes);
        socket_.text(true);
        socket_.auto_fragment(false);
        const auto [error] = co_await socket_.async_accept(upgrade, kResult);
        if (error) co_return;
        try {
            co_await wait_any(talk(), guard());
        } catch (const std::exception& failure) {  // that it is cancelled among them
            spdlog::debug("an RPC socket ended: {}", failure.what());
        }
        co_await asio::this_coro::reset_cancellation_state();
        co_await requests_.close();
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto kResult = asio::as_tuple(asio::use_awaitable);

    Task<> talk() { co_await wait_any(read(), write()); }

    Task<> read() {
        boost::beast::flat_buffer buffer;
        while (true) {
            const auto [error, size] = co_await socket_.async_read(buffer, kResult);
            if (error) co_return;  // closed, silent for too long, or a message that is too large
            std::string text(static_cast<const char*>(buffer.data().data()), size);
            buffer.consume(size);
            if (requests_.spawn(answer(std::move(text)))) continue;
            post(json::serialize(error_answer(
                {RpcErrorCode::unavailable, "Too many requests of this socket are under way."})));
        }
    }

    Task<> answer(std::string text) {
        auto reply = co_await dispatcher_.handle(std::move(text), caller_);
        if (reply) post(*std::move(reply));
    }

    void post(std::string text) { post(std::make_shared<const std::string>(std::move(text))); }

    void post(const Outbox::Message& message) {
        if (closing_since_) return;
        if (!outbox_.push(message)) {
            outbox_.clear();
            close(boost::beast::websocket::close_code::policy_error,
                  "too slow: too much waits to be read");
        }
        news_.notify_all();
    }

    // Once what is being sent has gone.
    void close(boost::beast::websocket::close_code code, const char* reason) {
        if (closing_since_) return;
        reason_ = {code, reason};
        closing_since_ = Clock::now();
        news_.notify_all();
    }

    Task<> write() {
        while (!closing_since_) {
            const auto message = outbox_.pop();
            if (!message) {
                co_await news_.wait_until(Event::Deadline::max());
                continue;
            }
            sending_since_ = Clock::now();
            const auto [error, size] =
                co_await socket_.async_write(asio::buffer(*message), kResult);
            static_cast<void>(size);
            sending_since_.reset();
            if (error) co_return;
        }
        static_cast<void>(co_await socket_.async_close(reason_, kResult));
    }

    // Ends a socket whose reader takes nothing at all, to whom no reason can be told.
    Task<> guard() {
        constexpr std::chrono::seconds kLook{1};
        while (true) {
            co_await sleep_for(kLook);
            const auto now = Clock::now();
            if (sending_since_ && now - *sending_since_ > kRpcSocketSendTimeout) co_return;
            if (closing_since_ && now - *closing_since_ > kRpcSocketCloseTimeout) co_return;
        }
    }

    boost::beast::websocket::stream<Stream> socket_;
    const RpcDispatcher& dispatcher_;
    RpcCaller caller_;
    Subscriber subscriber_;
    Outbox outbox_{Outbox::Limits{}};
    Event news_;
    TaskGroup requests_;
    std::optional<Clock::time_point> sending_since_;
    std::optional<Clock::time_point> closing_since_;
    boost::beast::websocket::close_reason reason_;
};

}  // namespace gradient::node
