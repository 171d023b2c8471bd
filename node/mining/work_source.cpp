#include "node/mining/work_source.hpp"

#include "node/concurrency/run_on.hpp"
#include "node/setup/clock.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <utility>

namespace gradient::node {

WorkSource::WorkSource(LedgerService& ledger, Miner& miner, WorkerPool& pool, TrainerPool& trainers,
                       const chain::PublicKey& key)
    : ledger_(ledger),
      miner_(miner),
      pool_(pool),
      trainers_(trainers),
      key_(key),
      changed_(ledger.strand()),
      tasks_(ledger.strand(), 1) {}

void WorkSource::set_mining(bool on) {
    if (mining_ == on) return;
    mining_ = on;
    renew();
}

void WorkSource::renew() {
    ++wanted_;
    changed_.notify_all();
    if (tasks_.size() == 0) tasks_.spawn(run());
}

void WorkSource::lanes_rest() {
    boost::asio::post(ledger_.strand(), [this] {
        resting_ = true;
        changed_.notify_all();
    });
}

Task<> WorkSource::run() {
    while (done_ != wanted_) {
        const std::uint64_t wanted = wanted_;
        bool failed = false;
        try {
            co_await make_work(wanted);
        } catch (const std::exception& error) {
            spdlog::error("no work for the lanes: {}", error.what());
            failed = true;
        }
        if (failed) {
            co_await changed_.wait_until(std::chrono::steady_clock::now() + kRetryPause);
        } else {
            done_ = wanted;
        }
    }
}

// Ends the lanes, waits for their shares, and gives them new work. Gives up when it is overtaken.
Task<> WorkSource::make_work(std::uint64_t wanted) {
    resting_ = miner_.lanes() == 0;
    miner_.set_work(nullptr);
    while (!resting_) co_await changed_.wait_until(Event::Deadline::max());
    if (!mining_ || wanted != wanted_) co_return;
    const std::chrono::milliseconds interval(ledger_.network().params().interval_ms);
    co_await ledger_.wait_for_shares(std::chrono::steady_clock::now() + interval / kWaitPart);
    if (wanted != wanted_) co_return;
    using Made = chain::Result<chain::BlockTemplate, chain::StoreError>;
    auto make = [this, parent = ledger_.tip(),
                 contents = ledger_.template_contents()](const std::stop_token&) -> Made {
        LeasedTrainers trainers(trainers_);
        return chain::make_template(parent, contents, key_, now_ms(), trainers);
    };
    auto work = co_await run_on(pool_, Priority::verify, {}, std::move(make));
    if (!work) throw std::runtime_error(work.error().message);
    if (!mining_ || wanted != wanted_) co_return;
    resting_ = false;
    miner_.set_work(std::make_shared<const chain::BlockTemplate>(*std::move(work)));
}

Task<> WorkSource::close() {
    mining_ = false;
    miner_.set_work(nullptr);
    co_await tasks_.close();
}

}  // namespace gradient::node
