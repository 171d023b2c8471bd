#include "node/ledger/ledger_service.hpp"

#include "node/concurrency/run_on.hpp"
#include "node/setup/clock.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <variant>

namespace gradient::node {

namespace {

// A value that the ledger needs of its store; damage ends the node.
template <class T>
T require(chain::Result<T, chain::StoreError> result) {
    if (!result) throw store_failure(result.error());
    return *std::move(result);
}

// A block of which nothing is known but that the node could not judge it.
LedgerService::SubmitResult not_judged(const std::string& why) {
    return chain::fail(
        chain::SubmitError(chain::StoreError{chain::StoreFault::failed, "not judged: " + why}));
}

}  // namespace

LedgerService::LedgerService(const asio::any_io_executor& executor,
                             std::unique_ptr<chain::Ledger> ledger, WorkerPool& pool,
                             TrainerPool& trainers)
    : strand_(executor),
      ledger_(std::move(ledger)),
      pool_(pool),
      trainers_(trainers),
      changed_(strand_),
      evaluator_(strand_, pool, trainers, [this] { changed_.notify_all(); }),
      submissions_(strand_, kMaxSubmissions) {
    ledger_->on_tip_change([this](const chain::TipChange& change) { tip_changed(change); });
}

void LedgerService::start() {
    for (std::uint64_t height = 1; height <= tip()->height(); ++height) {
        const auto id = require(ledger_->id_at(height));
        const auto index = id ? require(ledger_->index(*id)) : std::nullopt;
        if (index) figures_.add(*index, network());
    }
    evaluator_.tip_changed(tip());
}

Task<LedgerService::SubmitResult> LedgerService::submit(std::shared_ptr<const chain::Block> block) {
    co_return co_await asio::co_spawn(strand_, verify_and_commit(std::move(block)),
                                      asio::use_awaitable);
}

void LedgerService::submit_later(std::shared_ptr<const chain::Block> block,
                                 std::function<void(const SubmitResult&)> done) {
    asio::post(strand_, [this, block = std::move(block), done = std::move(done)] {
        const auto task = [](LedgerService& self, auto its_block, auto its_done) -> Task<> {
            its_done(co_await self.verify_and_commit(std::move(its_block)));
        };
        if (!submissions_.spawn(task(*this, block, done))) {
            done(not_judged(closing_ ? "the node is stopping"
                                     : "too many blocks are being verified already"));
        }
    });
}

Task<LedgerService::SubmitResult> LedgerService::verify_and_commit(
    std::shared_ptr<const chain::Block> block) {
    // Nobody above could tell an exception from a block that is still being verified.
    try {
        auto result = co_await try_verify_and_commit(std::move(block));
        if (!result) {
            if (const auto* const error = std::get_if<chain::StoreError>(&result.error()))
                store_failed(store_failure(*error));
        }
        co_return result;
    } catch (const Failure& failure) {
        store_failed(failure);
        co_return not_judged(failure.what());
    } catch (const std::exception& error) {
        if (!closing_) spdlog::error("verifying a block failed: {}", error.what());
        co_return not_judged(closing_ ? "the node is stopping" : error.what());
    }
}

void LedgerService::store_failed(const Failure& failure) {
    if (on_store_failure_) on_store_failure_(failure);
}

Task<LedgerService::SubmitResult> LedgerService::try_verify_and_commit(
    std::shared_ptr<const chain::Block> block) {
    auto candidate = ledger_->admit(std::move(block), now_ms());
    if (!candidate) co_return chain::fail(candidate.error());
    const chain::Hash256 id = candidate->id();
    auto verified = co_await verify(*std::move(candidate));
    if (!verified) {
        ledger_->condemn(id, verified.error());
        co_return chain::fail(verified.error());
    }
    if (losses_.size() >= kMaxLosses) losses_.clear();
    if (const auto loss = training_loss(verified->block(), network())) losses_[id] = *loss;
    co_return ledger_->commit(*verified);
}

// All stages between admit and commit; one job of the pool for each replay.
Task<chain::Result<chain::VerifiedBlock, chain::SubmitError>> LedgerService::verify(
    chain::Candidate candidate) {
    using Verified = chain::Result<chain::VerifiedBlock, chain::SubmitError>;
    auto check = [candidate](const std::stop_token&) { return chain::check_candidate(candidate); };
    const auto checked = co_await run_on(pool_, Priority::verify, {}, std::move(check));
    if (!checked) co_return chain::fail(chain::SubmitError(checked.error()));

    const auto& winner = checked->winner();
    const std::size_t last = winner.opening_count() - 1;
    using Replay = chain::Result<chain::ReplayedUnit, chain::SegmentError>;
    const auto replay = [this, winner](std::size_t opening) -> Replay {
        const auto trainer = trainers_.lease();
        return chain::replay_opening(winner, opening, *trainer);
    };
    // Unit K's replay first and alone: it is what a forger lacks.
    auto replay_last = [replay, last](const std::stop_token&) { return replay(last); };
    std::vector<Replay> results;
    results.push_back(co_await run_on(pool_, Priority::verify, {}, std::move(replay_last)));
    if (results.front()) {
        auto replay_other = [replay](std::size_t opening, const std::stop_token&) {
            return replay(opening);
        };
        auto others =
            co_await run_all_on(pool_, Priority::verify, {}, last, std::move(replay_other));
        for (auto& other : others) results.push_back(std::move(other));
    }
    std::vector<chain::ReplayedUnit> replays;
    for (auto& result : results) {
        if (!result) co_return chain::fail(chain::SubmitError(chain::RuleError(result.error())));
        replays.push_back(*std::move(result));
    }
    auto finish = [candidate, checked, replays](const std::stop_token&) -> Verified {
        auto proven = chain::prove_block(*checked, replays);
        if (!proven) return chain::fail(chain::SubmitError(proven.error()));
        return chain::finish_candidate(candidate, *proven);
    };
    co_return co_await run_on(pool_, Priority::verify, {}, std::move(finish));
}

void LedgerService::tip_changed(const chain::TipChange& change) {
    for (const auto& id : change.undone) {
        if (const auto index = require(ledger_->index(id))) figures_.remove(*index, network());
    }
    for (const auto& id : change.redone) {
        if (const auto index = require(ledger_->index(id))) figures_.add(*index, network());
    }
    spdlog::info("height {}: block {} with {} units, {} hits", change.tip->height(),
                 change.tip->id().to_hex(), change.tip->index().header.units,
                 change.tip->index().hits);
    evaluator_.tip_changed(change.tip);
    if (on_tip_) on_tip_(change.tip);
    changed_.notify_all();
}

std::optional<double> LedgerService::loss_of(const chain::Hash256& id) const {
    const auto found = losses_.find(id);
    if (found == losses_.end()) return std::nullopt;
    return found->second;
}

Task<bool> LedgerService::wait_for_height(std::uint64_t height, bool evaluated,
                                          Event::Deadline deadline) {
    const auto ready = [this, height, evaluated] {
        return tip()->height() >= height && (!evaluated || evaluator_.settled(height));
    };
    const auto wait = [this, ready, deadline]() -> Task<bool> {
        while (!ready() && !closing_ && std::chrono::steady_clock::now() < deadline) {
            co_await changed_.wait_until(deadline);
        }
        co_return ready();
    };
    co_return co_await asio::co_spawn(strand_, wait(), asio::use_awaitable);
}

Task<> LedgerService::close() {
    const auto end = [this]() -> Task<> {
        closing_ = true;
        changed_.notify_all();
        co_await submissions_.wait_idle(std::chrono::steady_clock::now() + kClosingTime);
        if (submissions_.size() > 0)
            spdlog::warn("blocks dropped while being verified: {}", submissions_.size());
        co_await submissions_.close();
    };
    co_await asio::co_spawn(strand_, end(), asio::use_awaitable);
}

}  // namespace gradient::node
