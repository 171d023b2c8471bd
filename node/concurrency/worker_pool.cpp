#include "node/concurrency/worker_pool.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace gradient::node {

WorkerPool::WorkerPool(unsigned threads) {
    const unsigned count = std::max(threads, 1U);
    threads_.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
        threads_.emplace_back([this, token = closing_.get_token()] { run(token); });
    }
}

WorkerPool::~WorkerPool() {
    closing_.request_stop();
    changed_.notify_all();
    threads_.clear();  // joins
}

void WorkerPool::post(Priority priority, std::stop_token stop, Job job) {
    {
        const std::lock_guard lock(mutex_);
        queues_.at(static_cast<std::size_t>(priority)).push_back({std::move(stop), std::move(job)});
    }
    changed_.notify_one();
}

std::size_t WorkerPool::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

void WorkerPool::run(const std::stop_token& closing) {
    std::unique_lock lock(mutex_);
    const auto next = [this] {
        return std::ranges::find_if(queues_, [](const auto& q) { return !q.empty(); });
    };
    while (true) {
        // Returns at once when the pool closes; jobs still waiting then run with a stopped token.
        changed_.wait(lock, closing, [&] { return next() != queues_.end(); });
        const auto queue = next();
        if (queue == queues_.end()) return;
        const Waiting waiting = std::move(queue->front());
        queue->pop_front();
        lock.unlock();
        execute(closing, waiting);
        lock.lock();
    }
}

void WorkerPool::execute(const std::stop_token& closing, const Waiting& waiting) noexcept {
    const auto count_failure = [this] {
        const std::lock_guard lock(mutex_);
        ++failures_;
    };
    try {
        std::stop_source either;
        const std::stop_callback by_caller(waiting.stop, [&] { either.request_stop(); });
        const std::stop_callback by_pool(closing, [&] { either.request_stop(); });
        waiting.job(either.get_token());
    } catch (const std::exception& error) {
        count_failure();
        spdlog::error("a job of the worker pool failed: {}", error.what());
    } catch (...) {
        count_failure();
        spdlog::error("a job of the worker pool failed with an unknown exception");
    }
}

}  // namespace gradient::node
