#pragma once

#include "node/concurrency/task.hpp"
#include "node/concurrency/worker_pool.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

namespace gradient::node {

/// What a job that was stopped before it began throws at whoever awaits it.
class Cancelled : public std::runtime_error {
  public:
    Cancelled() : std::runtime_error("cancelled") {}
};

namespace detail {

/// Suspends until `start(resume)` has led to a call of `resume()`, from any thread; goes on where
/// it was.
template <class Start>
Task<> suspend_until_resumed(Start start) {
    auto initiate = [&](auto handler) {
        auto executor = asio::prefer(asio::get_associated_executor(handler),
                                     asio::execution::outstanding_work.tracked);
        // Jobs are std::functions, which want copies; a handler can only be moved.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start([executor, shared] {
            asio::post(executor,
                       [handler = std::move(*shared)]() mutable { std::move(handler)(); });
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate,
                                                                         asio::use_awaitable);
}

}  // namespace detail

/// Runs `work(index, stop_token)` for each index below `count` as jobs of the pool and returns the
/// values by index, or throws the first exception, on the awaiting coroutine's executor. After an
/// exception, jobs that have not begun do nothing.
template <class Work>
Task<std::vector<std::invoke_result_t<Work, std::size_t, std::stop_token>>> run_all_on(
    WorkerPool& pool, Priority priority, std::stop_token stop, std::size_t count, Work work) {
    using Value = std::invoke_result_t<Work, std::size_t, std::stop_token>;
    struct Shared {
        Shared(std::size_t jobs, Work body) : work(std::move(body)), values(jobs), left(jobs) {}
        Work work;
        std::vector<std::optional<Value>> values;
        std::atomic<std::size_t> left;
        std::stop_source failed;
        std::mutex mutex;
        std::exception_ptr error;  // under mutex
    };
    if (count == 0) co_return std::vector<Value>();
    auto shared = std::make_shared<Shared>(count, std::move(work));
    // Closures are named, here and elsewhere: g++ 12 destroys one twice that is a temporary of a
    // co_await expression.
    auto start = [&](auto resume) {
        for (std::size_t index = 0; index < count; ++index) {
            pool.post(priority, stop, [shared, index, resume](const std::stop_token& token) {
                try {
                    if (token.stop_requested()) throw Cancelled();
                    if (!shared->failed.stop_requested()) {
                        shared->values[index].emplace(shared->work(index, token));
                    }
                } catch (...) {
                    const std::lock_guard lock(shared->mutex);
                    if (!shared->error) shared->error = std::current_exception();
                    shared->failed.request_stop();
                }
                if (shared->left.fetch_sub(1) == 1) resume();
            });
        }
    };
    co_await detail::suspend_until_resumed(std::move(start));
    if (shared->error) std::rethrow_exception(shared->error);
    std::vector<Value> values;
    values.reserve(count);
    for (auto& value : shared->values) values.push_back(std::move(*value));
    co_return values;
}

/// Runs `work(stop_token)` on the pool and returns its value, or throws its exception, on the
/// awaiting coroutine's executor.
template <class Work>
Task<std::invoke_result_t<Work, std::stop_token>> run_on(WorkerPool& pool, Priority priority,
                                                         std::stop_token stop, Work work) {
    auto job = [body = std::move(work)](std::size_t, const std::stop_token& token) {
        return body(token);
    };
    auto values = co_await run_all_on(pool, priority, std::move(stop), 1, std::move(job));
    co_return std::move(values.front());
}

}  // namespace gradient::node
