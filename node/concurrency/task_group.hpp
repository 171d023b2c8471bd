#pragma once

#include "node/concurrency/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <list>
#include <utility>

namespace gradient::node {

/// At most `limit` tasks at a time, all of which have ended when close() returns. A task's
/// exception is its own business: catch it inside. Not thread-safe: use it from `executor` only,
/// which must run one handler at a time.
class TaskGroup {
  public:
    TaskGroup(const asio::any_io_executor& executor, std::size_t limit)
        : executor_(executor), limit_(limit), idle_(executor) {}

    /// Tasks that have not ended.
    [[nodiscard]] std::size_t size() const noexcept { return signals_.size(); }

    /// Whether spawn would refuse.
    [[nodiscard]] bool full() const noexcept { return closing_ || signals_.size() >= limit_; }

    /// Starts the task, or drops it and returns false when the group is full or closing.
    bool spawn(Task<> task) {
        if (full()) return false;
        const auto signal = signals_.emplace(signals_.end());
        asio::co_spawn(
            executor_, std::move(task),
            asio::bind_cancellation_slot(signal->slot(), [this, signal](const std::exception_ptr&) {
                signals_.erase(signal);
                if (signals_.empty()) idle_.cancel();
            }));
        return true;
    }

    /// Waits until no task runs, but not longer than that.
    Task<> wait_idle(std::chrono::steady_clock::time_point deadline) {
        while (!signals_.empty() && std::chrono::steady_clock::now() < deadline) {
            idle_.expires_at(deadline);
            boost::system::error_code ignored;
            co_await idle_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
    }

    /// Cancels all tasks and waits for them.
    Task<> close() {
        closing_ = true;
        for (auto signal = signals_.begin(); signal != signals_.end();) {
            (signal++)->emit(asio::cancellation_type::terminal);
        }
        co_await wait_idle(std::chrono::steady_clock::time_point::max());
    }

  private:
    asio::any_io_executor executor_;
    std::size_t limit_;
    std::list<asio::cancellation_signal> signals_;
    asio::steady_timer idle_;
    bool closing_ = false;
};

}  // namespace gradient::node
