#pragma once

#include "node/concurrency/task.hpp"
#include "node/concurrency/worker_pool.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <type_traits>
#include <utility>

namespace gradient::node {

/// What a job that was stopped before it began throws at whoever awaits it.
class Cancelled : public std::runtime_error {
  public:
    Cancelled() : std::runtime_error("cancelled") {}
};

/// Runs `work(stop_token)` on the pool and returns its value, or throws its exception, on the
/// awaiting coroutine's executor. `work` must be copyable and return a value.
template <class Work>
Task<std::invoke_result_t<Work, std::stop_token>> run_on(WorkerPool& pool, Priority priority,
                                                         std::stop_token stop, Work work) {
    using Value = std::invoke_result_t<Work, std::stop_token>;
    static_assert(!std::is_void_v<Value>);
    struct Outcome {
        std::exception_ptr error;
        std::optional<Value> value;
    };
    auto outcome = std::make_shared<Outcome>();

    auto start = [&](auto handler) {
        auto executor = asio::prefer(asio::get_associated_executor(handler),
                                     asio::execution::outstanding_work.tracked);
        // std::function wants copies; a handler can only be moved.
        auto shared_handler = std::make_shared<decltype(handler)>(std::move(handler));
        pool.post(priority, std::move(stop),
                  [outcome, executor, shared_handler,
                   work = std::move(work)](const std::stop_token& token) mutable {
                      try {
                          if (token.stop_requested()) throw Cancelled();
                          outcome->value.emplace(work(token));
                      } catch (...) {
                          outcome->error = std::current_exception();
                      }
                      asio::post(executor, [handler = std::move(*shared_handler)]() mutable {
                          std::move(handler)();
                      });
                  });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start,
                                                                         asio::use_awaitable);
    if (outcome->error) std::rethrow_exception(outcome->error);
    co_return std::move(*outcome->value);
}

}  // namespace gradient::node
