#include "node/ledger/ledger_service.hpp"

#include "chain/block_verifier.hpp"
#include "chain/types/header.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/setup/clock.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <variant>

namespace gradient::node {

namespace {

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
      evaluator_(strand_, pool, trainers,
                 [this] {
                     changed_.notify_all();
                     if (on_scored_) on_scored_();
                 }),
      submissions_(strand_, kMaxSubmissions),
      shares_(strand_, *ledger_, pool, trainers,
              [this] {
                  changed_.notify_all();
                  if (on_share_judged_) on_share_judged_();
              }),
      transactions_(strand_, *ledger_, pool, trainers) {
    ledger_->on_tip_change([this](const chain::TipChange& change) { tip_changed(change); });
}

void LedgerService::start() {
    const std::uint64_t first = std::max<std::uint64_t>(1, require(ledger_->kept()).headers);
    for (std::uint64_t height = first; height <= tip()->height(); ++height) {
        const auto id = require(ledger_->id_at(height));
        const auto index = id ? require(ledger_->index(*id)) : std::nullopt;
        if (index) figures_.add(*index, network());
    }
    evaluator_.tip_changed(tip());
    prune_later();
}

void LedgerService::prune_later() {
    if (prune_.keep_bodies == 0 || pruning_ || closing_) return;
    pruning_ = true;
    asio::post(strand_, [this] { prune(); });
}

// One step at a time, so that blocks and queries come in between.
void LedgerService::prune() {
    pruning_ = false;
    if (closing_) return;
    const auto step = ledger_->prune(prune_);
    if (!step) {
        store_failed(store_failure(step.error()));
        return;
    }
    if (step->bodies + step->undo + step->side_blocks > 0) {
        spdlog::debug("pruned {} bodies, {} undo diffs, {} blocks of side branches", step->bodies,
                      step->undo, step->side_blocks);
    }
    if (!step->finished) prune_later();
}

Task<LedgerService::SubmitResult> LedgerService::submit(std::shared_ptr<const chain::Block> block,
                                                        const chain::U256& branch_work) {
    auto submit = [this, block = std::move(block), branch_work]() -> Task<SubmitResult> {
        const auto submission = start_submission(block, branch_work);
        co_return co_await submission->result.get();
    };
    co_return co_await asio::co_spawn(strand_, std::move(submit), asio::use_awaitable);
}

void LedgerService::submit_later(std::shared_ptr<const chain::Block> block,
                                 std::function<void(const SubmitResult&)> done,
                                 const chain::U256& branch_work) {
    asio::post(strand_, [this, block = std::move(block), done = std::move(done), branch_work] {
        const auto submission = start_submission(block, branch_work);
        if (const auto& result = submission->result.value()) {
            done(*result);
        } else {
            submission->done.push_back(done);
        }
    });
}

bool LedgerService::is_judging(const chain::Hash256& block_id) const {
    return std::ranges::any_of(judging_, [&](const auto& one) { return one->id == block_id; });
}

// One block is verified once, however many hand it in. Another body under the same header is
// another submission: whoever has forged it must not get the good one refused.
LedgerService::Submitted LedgerService::start_submission(std::shared_ptr<const chain::Block> block,
                                                         const chain::U256& branch_work) {
    const chain::Hash256 id = chain::header_id(block->header);
    const auto same = std::ranges::find_if(judging_, [&](const Submitted& one) {
        return one->id == id && (one->block == block || *one->block == *block);
    });
    if (same != judging_.end()) return *same;
    const auto submission = std::make_shared<Submission>(strand_, id, std::move(block));
    if (submissions_.full()) {
        submission->result.set(not_judged(closing_ ? "the node is stopping"
                                                   : "too many blocks are being verified already"));
        return submission;
    }
    judging_.push_back(submission);
    submissions_.spawn(run_submission(submission, branch_work));
    return submission;
}

Task<> LedgerService::run_submission(Submitted submission, chain::U256 branch_work) {
    auto result = co_await verify_and_commit(submission->block, branch_work);
    judging_.remove(submission);
    submission->result.set(result);
    for (const auto& done : submission->done) done(result);
}

Task<LedgerService::SubmitResult> LedgerService::verify_and_commit(
    std::shared_ptr<const chain::Block> block, const chain::U256& branch_work) {
    // Nobody above could tell an exception from a block that is still being verified.
    try {
        auto result = co_await try_verify_and_commit(std::move(block), branch_work);
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
    std::shared_ptr<const chain::Block> block, const chain::U256& branch_work) {
    auto candidate = ledger_->admit(std::move(block), now_ms(), branch_work);
    if (!candidate) co_return chain::fail(candidate.error());
    const chain::Hash256 id = candidate->id();
    auto verified = co_await verify(*std::move(candidate));
    if (!verified) {
        ledger_->condemn(id, verified.error());
        co_return chain::fail(verified.error());
    }
    if (losses_.size() >= kMaxLosses) losses_.clear();
    if (const auto loss = training_loss(verified->block.block(), network())) losses_[id] = *loss;
    const auto outcome = ledger_->commit(verified->block);
    if (outcome && on_segments_) on_segments_(verified->block.index().height(), verified->segments);
    co_return outcome;
}

// All stages between admit and commit; one job of the pool for each replay.
Task<chain::Result<LedgerService::Judged, chain::SubmitError>> LedgerService::verify(
    chain::Candidate candidate) {
    using Verified = chain::Result<Judged, chain::SubmitError>;
    using Jobs = chain::Result<std::vector<chain::ReplayJob>, chain::ApplyFailure>;
    using Replay = chain::Result<chain::ReplayedUnit, chain::SegmentError>;
    using Taken = chain::Result<void, chain::ApplyFailure>;
    // Used by one job at a time, whichever thread runs it.
    const auto trainers = std::make_shared<LeasedTrainers>(trainers_);
    const auto verifier = std::make_shared<chain::BlockVerifier>(
        candidate.block(), candidate.header(), candidate.context(*trainers),
        shares_.known_of(*candidate.block()));
    bool was_proven = false;
    for (;;) {
        auto next = [verifier](const std::stop_token&) -> Jobs { return verifier->next(); };
        auto jobs = co_await run_on(pool_, Priority::verify, {}, std::move(next));
        if (!jobs) co_return chain::fail(chain::submit_error(jobs.error()));
        if (jobs->empty()) break;
        auto replay = [this, &jobs](std::size_t index, const std::stop_token&) -> Replay {
            const chain::ReplayJob& job = (*jobs)[index];
            const auto trainer = trainers_.lease(job.task);
            return chain::replay_opening(job.segment, job.opening, *trainer);
        };
        auto results =
            co_await run_all_on(pool_, Priority::verify, {}, jobs->size(), std::move(replay));
        block_replays_ += results.size();
        std::vector<chain::ReplayedUnit> replays;
        for (std::size_t i = 0; i < results.size(); ++i) {
            if (!results[i]) {
                co_return chain::fail(chain::SubmitError((*jobs)[i].failure(results[i].error())));
            }
            replays.push_back(*std::move(results[i]));
        }
        auto take = [verifier, &replays](const std::stop_token&) -> Taken {
            return verifier->take(std::move(replays));
        };
        const auto taken = co_await run_on(pool_, Priority::verify, {}, std::move(take));
        if (!taken) co_return chain::fail(chain::submit_error(taken.error()));
        if (!was_proven && verifier->is_work_proven()) {
            was_proven = true;
            if (on_block_proven_) on_block_proven_(candidate.block());
        }
    }
    auto finish = [candidate, verifier, trainers](const std::stop_token&) -> Verified {
        auto judged = verifier->finish();
        if (!judged) return chain::fail(chain::submit_error(judged.error()));
        auto block = chain::finish_candidate(candidate, *std::move(judged));
        if (!block) return chain::fail(block.error());
        return Judged{*std::move(block), verifier->proven()};
    };
    co_return co_await run_on(pool_, Priority::verify, {}, std::move(finish));
}

Task<ShareVerdict> LedgerService::submit_share(std::shared_ptr<const chain::Segment> segment) {
    auto submit = [this, segment = std::move(segment)]() -> Task<ShareVerdict> {
        const auto told = shares_.submit(segment, ShareOrigin::peer);
        co_return co_await told->get();
    };
    co_return co_await asio::co_spawn(strand_, std::move(submit), asio::use_awaitable);
}

void LedgerService::submit_own_share(std::shared_ptr<const chain::Segment> segment) {
    asio::post(strand_,
               [this, segment = std::move(segment)] { shares_.submit(segment, ShareOrigin::own); });
}

chain::TemplateContents LedgerService::template_contents() {
    chain::TemplateContents contents;
    const auto& params = network().params();
    const std::size_t reserved = std::size_t{params.work.max_segment_bytes} + kReservedBytes;
    std::size_t bytes =
        params.max_block_bytes - std::min<std::size_t>(reserved, params.max_block_bytes);
    shares_.add_to(contents, bytes);
    transactions_.add_to(contents, bytes + kReservedBytes / 2);
    return contents;
}

Task<LedgerService::TransactionResult> LedgerService::submit_transaction(
    std::shared_ptr<const chain::SignedTransaction> transaction) {
    auto submit = [this, transaction = std::move(transaction)]() -> Task<TransactionResult> {
        try {
            co_return transactions_.submit(transaction);
        } catch (const Failure& failure) {
            store_failed(failure);
            co_return chain::fail(
                chain::PoolError(chain::StoreError{chain::StoreFault::failed, failure.what()}));
        }
    };
    co_return co_await asio::co_spawn(strand_, std::move(submit), asio::use_awaitable);
}

// The new tip's block is in memory; on a change of branch the others are read, once for all.
MovedBlocks LedgerService::load_moved(const chain::TipChange& change) const {
    MovedBlocks moved;
    const auto load = [&](const chain::Hash256& id, std::vector<MovedBlocks::One>& blocks) {
        if (id == change.tip->id()) {
            blocks.push_back({id, change.block});
        } else if (auto block = require(ledger_->block(id))) {
            blocks.push_back({id, std::make_shared<const chain::Block>(*std::move(block))});
        }
    };
    for (const auto& id : change.undone) load(id, moved.undone);
    for (const auto& id : change.redone) load(id, moved.redone);
    return moved;
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
    const MovedBlocks moved = load_moved(change);
    transactions_.tip_changed(moved);
    shares_.tip_changed(moved);
    evaluator_.tip_changed(change.tip);
    for (const auto& listener : on_tip_) listener(change);
    prune_later();
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
        co_await shares_.close();
        co_await transactions_.close();
    };
    co_await asio::co_spawn(strand_, end(), asio::use_awaitable);
}

}  // namespace gradient::node
