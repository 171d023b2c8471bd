#pragma once

#include "node/concurrency/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <utility>

namespace gradient::node {

/// Runs both until one completes, by returning or throwing; cancels the other and waits for it.
/// Rethrows the first's exception, else returns its index. (Asio's own || waits for the first
/// *success* and so lets a timeout that throws pass unnoticed.)
inline Task<std::size_t> wait_any(Task<> first, Task<> second) {
    const auto executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(first), asio::deferred),
        asio::co_spawn(executor, std::move(second), asio::deferred));
    auto [order, first_error, second_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto& error = order[0] == 0 ? first_error : second_error;
    if (error) std::rethrow_exception(error);
    co_return order[0];
}

/// Completes after `duration`.
inline Task<> sleep_for(std::chrono::steady_clock::duration duration) {
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace gradient::node
