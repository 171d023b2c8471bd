#pragma once

#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <utility>

namespace gradient::node {

/// A value to come, for all who wait for it. Use it from `executor` only, which must run one
/// handler at a time; must outlive its waiters.
template <class T>
class Promised {
  public:
    explicit Promised(asio::any_io_executor executor) : set_(std::move(executor)) {}

    /// Call once.
    void set(T value) {
        value_ = std::move(value);
        set_.notify_all();
    }

    /// Nothing before set().
    [[nodiscard]] const std::optional<T>& value() const noexcept { return value_; }

    /// The value; waits for it.
    Task<T> get() {
        while (!value_) co_await set_.wait_until(Event::Deadline::max());
        co_return *value_;
    }

  private:
    Event set_;
    std::optional<T> value_;
};

}  // namespace gradient::node
