#include "node/p2p/listener.hpp"

#include "node/concurrency/join.hpp"
#include "node/p2p/net_address.hpp"
#include "node/setup/failure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <limits>
#include <utility>

namespace gradient::node {

using asio::ip::tcp;

Listener::Listener(const asio::any_io_executor& executor, const tcp::endpoint& endpoint,
                   const ListenerLimits& limits)
    : limits_(limits),
      acceptor_(executor),
      slots_(limits.max_handshakes, limits.max_group_handshakes),
      ended_(executor),
      handshakes_(executor, std::numeric_limits<std::size_t>::max()) {
    try {
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        if (endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(false));
        acceptor_.bind(endpoint);
        acceptor_.listen();
    } catch (const boost::system::system_error& error) {
        throw Failure(ExitCode::network,
                      fmt::format("Cannot listen for peers on {}: {}.", format_endpoint(endpoint),
                                  error.code().message()));
    }
}

Task<> Listener::shake_hands(tcp::socket socket, asio::ip::address from) {
    try {
        co_await handshake_(std::move(socket));
    } catch (const std::exception& error) {
        spdlog::debug("Peers: an inbound connection ends: {}", error.what());
    }
    slots_.leave(from);
    ended_.notify_all();
}

void Listener::take(tcp::socket socket) {
    boost::system::error_code gone;
    const auto remote = socket.remote_endpoint(gone);
    if (gone) return;
    if (!slots_.enter(remote.address())) {
        ++figures_.refused;
        return;  // the socket's end closes it
    }
    ++figures_.accepted;
    handshakes_.spawn(shake_hands(std::move(socket), remote.address()));
}

Task<> Listener::run(Handshake handshake) {
    handshake_ = std::move(handshake);
    constexpr auto kResult = asio::as_tuple(asio::use_awaitable);
    while (true) {
        while (slots_.full()) co_await ended_.wait_until(Event::Deadline::max());
        auto [error, socket] = co_await acceptor_.async_accept(kResult);
        if (error == asio::error::operation_aborted) co_return;
        if (error) {
            ++figures_.failures;
            spdlog::warn("Peers: cannot accept a connection: {}", error.message());
            co_await sleep_for(limits_.accept_pause);
            continue;
        }
        take(std::move(socket));
    }
}

Task<> Listener::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    co_await handshakes_.close();
}

}  // namespace gradient::node
