#include "node/mining/work_source.hpp"

#include "node/concurrency/run_on.hpp"
#include "node/setup/clock.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
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
    if (!on) set_work(nullptr);
    renew();
}

void WorkSource::tip_changed() {
    if (!mining_) return;
    tip_changed_ = Clock::now();
    set_work(nullptr);
    renew();
}

void WorkSource::renew() {
    ++wanted_;
    changed_.notify_all();
    if (tasks_.size() == 0) tasks_.spawn(run());
}

void WorkSource::lanes_handed_in(std::uint64_t work) {
    boost::asio::post(ledger_.strand(), [this, work] {
        handed_in_ = std::max(handed_in_, work);
        changed_.notify_all();
    });
}

Task<> WorkSource::run() {
    while (done_ != wanted_) {
        const std::uint64_t wanted = wanted_;
        std::optional<std::string> failure;
        try {
            co_await make_work(wanted);
        } catch (const std::exception& error) {
            failure = error.what();
        }
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        if (state.cancelled() != boost::asio::cancellation_type::none) co_return;  // closed
        if (failure) {
            spdlog::error("no work for the lanes: {}", *failure);
            co_await changed_.wait_until(Clock::now() + kRetryPause);
        } else {
            done_ = wanted;
        }
    }
}

// Work on the tip at once, and again as shares come in. Gives up when it is overtaken.
Task<> WorkSource::make_work(std::uint64_t wanted) {
    if (!mining_) co_return;
    const std::chrono::milliseconds interval(ledger_.network().params().interval_ms);
    const auto deadline = Clock::now() + interval / kWaitPart;
    co_await give_work(ledger_.template_contents(), wanted);
    while (!overtaken(wanted) && !own_shares_are_in() && Clock::now() < deadline)
        co_await changed_.wait_until(deadline);
    co_await take_up_shares(wanted);
    while (!overtaken(wanted) && Clock::now() < deadline) co_await changed_.wait_until(deadline);
    co_await take_up_shares(wanted);
}

// Renews the work if that lists a share more.
Task<> WorkSource::take_up_shares(std::uint64_t wanted) {
    const Miner::Work work = miner_.work();
    if (overtaken(wanted) || !work) co_return;
    auto contents = ledger_.template_contents();
    const auto is_listed = [&](const chain::VerifiedShare& share) {
        return std::ranges::find(work->listed, share.outcome.id) != work->listed.end();
    };
    if (std::ranges::all_of(contents.shares, is_listed)) co_return;
    co_await give_work(std::move(contents), wanted);
}

Task<> WorkSource::give_work(chain::TemplateContents contents, std::uint64_t wanted) {
    using Made = chain::Result<chain::BlockTemplate, chain::StoreError>;
    auto make = [this, parent = ledger_.tip(),
                 contents = std::move(contents)](const std::stop_token&) -> Made {
        LeasedTrainers trainers(trainers_);
        return chain::make_template(parent, contents, key_, now_ms(), trainers);
    };
    auto work = co_await run_on(pool_, Priority::verify, {}, std::move(make));
    if (!work) throw std::runtime_error(work.error().message);
    if (overtaken(wanted)) co_return;
    set_work(std::make_shared<const chain::BlockTemplate>(*std::move(work)));
}

void WorkSource::set_work(Miner::Work work) {
    const auto asked = work ? std::exchange(tip_changed_, std::nullopt) : std::nullopt;
    work_number_ = miner_.set_work(std::move(work), asked);
}

bool WorkSource::overtaken(std::uint64_t wanted) const noexcept {
    return !mining_ || wanted != wanted_;
}

// A share is submitted before its lane is told to be handed in.
bool WorkSource::own_shares_are_in() const noexcept {
    return handed_in_ == work_number_ && ledger_.shares_in_judgement() == 0;
}

Task<> WorkSource::close() {
    mining_ = false;
    set_work(nullptr);
    co_await tasks_.close();
}

}  // namespace gradient::node
