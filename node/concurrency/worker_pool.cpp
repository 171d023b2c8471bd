#include "node/concurrency/worker_pool.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace gradient::node {

WorkerPool::WorkerPool(unsigned threads, double audit_share) : audit_share_(audit_share) {
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

// Whose first job is the next to start.
std::optional<Priority> WorkerPool::next() const noexcept {
    if (waits(Priority::verify)) return Priority::verify;
    const bool audits = waits(Priority::audit);
    if (waits(Priority::mine) && !(audits && audit_credit_ > 0)) return Priority::mine;
    if (audits) return Priority::audit;
    return std::nullopt;
}

void WorkerPool::run(const std::stop_token& closing) {
    std::unique_lock lock(mutex_);
    while (true) {
        // Returns at once when the pool closes; jobs still waiting then run with a stopped token.
        changed_.wait(lock, closing, [&] { return next().has_value(); });
        const auto priority = next();
        if (!priority) return;
        const bool overtakes = *priority == Priority::audit && waits(Priority::mine);
        auto& queue = queues_.at(static_cast<std::size_t>(*priority));
        const Waiting waiting = std::move(queue.front());
        queue.pop_front();
        lock.unlock();
        const auto began = std::chrono::steady_clock::now();
        execute(closing, waiting);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
        lock.lock();
        if (overtakes) audit_credit_ -= taken.count();
        if (*priority == Priority::mine) {
            audit_credit_ = std::min(audit_credit_ + audit_share_ * taken.count(), kMaxAuditCredit);
        }
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
