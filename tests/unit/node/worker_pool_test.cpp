#include "node/concurrency/worker_pool.hpp"

#include "node/concurrency/join.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/concurrency/task_group.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <latch>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

namespace gradient::node {
namespace {

using namespace std::chrono_literals;

// Runs a coroutine to its end and rethrows what it throws.
template <class T>
T run(Task<T> task) {
    asio::io_context context;
    auto result = asio::co_spawn(context, std::move(task), asio::use_future);
    context.run();
    return result.get();
}

TEST(WorkerPool, verifies_before_it_mines) {
    std::vector<int> order;
    std::latch done(4);
    {
        WorkerPool pool(1);
        std::promise<void> gate;
        pool.post(Priority::verify, {}, [&](auto) { gate.get_future().wait(); });
        const auto job = [&](int name) {
            return [&order, &done, name](const std::stop_token&) {
                order.push_back(name);
                done.count_down();
            };
        };
        pool.post(Priority::mine, {}, job(10));
        pool.post(Priority::mine, {}, job(11));
        pool.post(Priority::verify, {}, job(1));
        pool.post(Priority::verify, {}, job(2));
        gate.set_value();
        done.wait();
    }
    EXPECT_EQ(order, (std::vector{1, 2, 10, 11}));
}

TEST(WorkerPool, audits_when_nothing_else_waits) {
    std::vector<int> order;
    std::latch done(6);
    {
        WorkerPool pool(1, 0);
        std::promise<void> gate;
        pool.post(Priority::verify, {}, [&](auto) { gate.get_future().wait(); });
        const auto job = [&](int name) {
            return [&order, &done, name](const std::stop_token&) {
                order.push_back(name);
                done.count_down();
            };
        };
        pool.post(Priority::audit, {}, job(20));
        pool.post(Priority::audit, {}, job(21));
        pool.post(Priority::mine, {}, job(10));
        pool.post(Priority::mine, {}, job(11));
        pool.post(Priority::verify, {}, job(1));
        pool.post(Priority::verify, {}, job(2));
        gate.set_value();
        done.wait();
    }
    EXPECT_EQ(order, (std::vector{1, 2, 10, 11, 20, 21}));
}

// Threads that lanes fill, and audits that never end.
double audits_share(double allowed) {
    WorkerPool pool(1, allowed);
    std::array<std::atomic<int>, 2> jobs{};
    std::latch done(2);
    std::array<std::function<void(std::stop_token)>, 2> again;
    for (const std::size_t kind : {0U, 1U}) {
        const auto priority = kind == 0 ? Priority::mine : Priority::audit;
        again.at(kind) = [&, kind, priority](const std::stop_token&) {
            std::this_thread::sleep_for(1ms);
            ++jobs.at(kind);
            if (jobs[0] < 200) return pool.post(priority, {}, again.at(kind));
            done.count_down();
        };
        pool.post(priority, {}, again.at(kind));
    }
    done.wait();
    return static_cast<double>(jobs[1]) / jobs[0];
}

TEST(WorkerPool, audits_have_their_share_beside_lanes_that_fill_all_threads) {
    EXPECT_LE(audits_share(0), 0.01);
    const double tenth = audits_share(0.1);
    EXPECT_GE(tenth, 0.05);
    EXPECT_LE(tenth, 0.2);
}

TEST(WorkerPool, a_verification_waits_for_no_audit_that_has_not_begun) {
    WorkerPool pool(1, 1);
    std::atomic<int> audits = 0;
    std::promise<void> begun;
    std::promise<void> gate;
    pool.post(Priority::audit, {}, [&](auto) {
        begun.set_value();
        gate.get_future().wait();
        ++audits;
    });
    for (int i = 0; i < 50; ++i) pool.post(Priority::audit, {}, [&](auto) { ++audits; });
    begun.get_future().wait();
    std::promise<int> seen;
    pool.post(Priority::verify, {}, [&](auto) { seen.set_value(audits); });
    gate.set_value();
    EXPECT_EQ(seen.get_future().get(), 1);
}

TEST(WorkerPool, shows_a_job_that_its_caller_stopped_it) {
    WorkerPool pool(1);
    std::stop_source stop;
    std::promise<bool> seen;
    std::latch started(1);
    pool.post(Priority::mine, stop.get_token(), [&](const std::stop_token& token) {
        started.count_down();
        while (!token.stop_requested()) std::this_thread::yield();
        seen.set_value(true);
    });
    started.wait();
    stop.request_stop();
    EXPECT_TRUE(seen.get_future().get());
}

TEST(WorkerPool, calls_waiting_jobs_with_a_stopped_token_when_it_closes) {
    std::atomic<int> stopped = 0;
    {
        WorkerPool pool(1);
        std::promise<void> gate;
        auto opened = gate.get_future().share();
        pool.post(Priority::verify, {}, [opened](auto) { opened.wait(); });
        for (int i = 0; i < 3; ++i) {
            pool.post(Priority::mine, {}, [&](const std::stop_token& token) {
                stopped += token.stop_requested() ? 1 : 0;
            });
        }
        pool.post(Priority::verify, {}, [](const std::stop_token& token) {
            while (!token.stop_requested()) std::this_thread::yield();
        });
        gate.set_value();
    }
    EXPECT_EQ(stopped, 3);
}

TEST(WorkerPool, outlives_an_exception_of_a_job) {
    spdlog::set_level(spdlog::level::off);
    WorkerPool pool(1);
    pool.post(Priority::mine, {}, [](auto) { throw std::runtime_error("on purpose"); });
    std::promise<int> next;
    pool.post(Priority::mine, {}, [&](auto) { next.set_value(7); });
    EXPECT_EQ(next.get_future().get(), 7);
    EXPECT_EQ(pool.failures(), 1U);
}

TEST(RunOn, brings_value_and_exception_back) {
    WorkerPool pool(2);
    EXPECT_EQ(run(run_on(pool, Priority::verify, {}, [](const std::stop_token&) { return 42; })),
              42);
    const auto failing = [](const std::stop_token&) -> int {
        throw std::out_of_range("on purpose");
    };
    EXPECT_THROW(run(run_on(pool, Priority::verify, {}, failing)), std::out_of_range);
}

TEST(RunOn, throws_cancelled_if_stopped_before_it_began) {
    WorkerPool pool(1);
    std::stop_source stop;
    stop.request_stop();
    const auto work = [](const std::stop_token&) { return 1; };
    EXPECT_THROW(run(run_on(pool, Priority::verify, stop.get_token(), work)), Cancelled);
}

TEST(WaitAny, gives_the_index_of_the_first_and_cancels_the_other) {
    EXPECT_EQ(run(wait_any(sleep_for(1h), sleep_for(1ms))), 1U);
    EXPECT_EQ(run(wait_any(sleep_for(1ms), sleep_for(1h))), 0U);
}

TEST(WaitAny, rethrows_the_exception_of_the_first) {
    const auto failing = []() -> Task<> {
        co_await sleep_for(1ms);
        throw std::runtime_error("on purpose");
    };
    EXPECT_THROW(run(wait_any(sleep_for(1h), failing())), std::runtime_error);
}

TEST(TaskGroup, refuses_beyond_its_limit_and_ends_all_on_close) {
    const auto body = []() -> Task<int> {
        TaskGroup group(co_await asio::this_coro::executor, 2);
        EXPECT_TRUE(group.spawn(sleep_for(1h)));
        EXPECT_TRUE(group.spawn(sleep_for(1h)));
        EXPECT_FALSE(group.spawn(sleep_for(1h)));
        co_await sleep_for(1ms);
        co_await group.close();
        EXPECT_FALSE(group.spawn(sleep_for(1h)));
        co_return static_cast<int>(group.size());
    };
    EXPECT_EQ(run(body()), 0);
}

}  // namespace
}  // namespace gradient::node
