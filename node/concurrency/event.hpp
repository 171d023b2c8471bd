#pragma once

#include "node/concurrency/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <list>

namespace gradient::node {

/// Something that coroutines wait for to happen. Use it from `executor` only, which must run one
/// handler at a time; must outlive its waiters.
class Event {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    explicit Event(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Wakes everybody who waits now.
    void notify_all() {
        for (auto& timer : waiting_) timer.cancel();
    }

    /// Waits for the next notify_all, the deadline or cancellation, whichever comes first; the
    /// caller looks at the state it waits for.
    Task<> wait_until(Deadline deadline) {
        const auto timer = waiting_.emplace(waiting_.end(), executor_, deadline);
        boost::system::error_code ignored;
        co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        waiting_.erase(timer);
    }

  private:
    asio::any_io_executor executor_;
    std::list<asio::steady_timer> waiting_;
};

}  // namespace gradient::node
