#pragma once

#include "chain/base/check.hpp"
#include "node/concurrency/task.hpp"
#include "node/p2p/connection.hpp"
#include "node/p2p/identity.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace gradient::node {

inline chain::SecretKey key_number(std::uint8_t number) {
    std::array<std::uint8_t, chain::SecretKey::kSeedSize> seed{};
    seed[0] = number;
    return chain::SecretKey::from_seed(seed);
}

/// The two ends of one connection; `client` has opened it.
struct ConnectedPair {
    std::unique_ptr<Connection> client;
    std::unique_ptr<Connection> server;
};

/// An I/O context, two identities and a port of 127.0.0.1 for tests over real sockets.
class LoopbackPeers : public ::testing::Test {
  protected:
    using tcp = asio::ip::tcp;

    /// Far beyond what any test takes; only a broken one gets there.
    static constexpr std::chrono::seconds kPatience{30};

    /// Runs all tasks to their ends and rethrows the first exception of the first that has one.
    template <class... Tasks>
    void run(Tasks... tasks) {
        std::vector<std::exception_ptr> errors(sizeof...(tasks));
        std::size_t left = sizeof...(tasks);
        std::size_t index = 0;
        const auto start = [&](Task<> task) {
            asio::co_spawn(context_, std::move(task), [&, i = index++](std::exception_ptr error) {
                errors[i] = std::move(error);
                --left;
            });
        };
        (start(std::move(tasks)), ...);
        context_.restart();
        const auto end = std::chrono::steady_clock::now() + kPatience;
        while (left > 0 && context_.run_one_until(end) > 0) {
        }
        CHECK(left == 0);
        for (const auto& error : errors) {
            if (error) std::rethrow_exception(error);
        }
    }

    Task<> accept_into(std::unique_ptr<Connection>& out, ConnectionLimits limits = {}) {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        out = co_await Connection::accept(std::move(socket), bob_, limits);
    }

    Task<> connect_into(std::unique_ptr<Connection>& out, ConnectionLimits limits = {}) {
        out = co_await Connection::connect(context_.get_executor(), alice_,
                                           acceptor_.local_endpoint(), limits);
    }

    /// Alice calls Bob.
    ConnectedPair connect(ConnectionLimits client = {}, ConnectionLimits server = {}) {
        ConnectedPair pair;
        run(accept_into(pair.server, server), connect_into(pair.client, client));
        return pair;
    }

    asio::io_context context_{1};
    Identity alice_{key_number(1)};
    Identity bob_{key_number(2)};
    tcp::acceptor acceptor_{context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

}  // namespace gradient::node
