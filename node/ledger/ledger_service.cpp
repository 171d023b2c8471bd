#include "node/ledger/ledger_service.hpp"

#include "chain/block_verifier.hpp"
#include "chain/state/entries.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/setup/clock.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <span>
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

// What the transaction rules take beside the state, kept together while it is used.
class PoolContext {
  public:
    PoolContext(chain::Ledger& ledger, TrainerPool& trainers,
                const std::set<std::uint32_t>& proof_tasks)
        : trainers_(trainers),
          context_{ledger.network().params(),
                   ledger.network().genesis.id,
                   ledger.network().spec.network_id,
                   ledger.tip()->height() + 1,
                   ledger.tip()->id(),
                   &tasks_,
                   &trainers_} {
        const auto& state = ledger.tip()->state();
        std::vector<std::uint32_t> needed{chain::kGenesisTask};
        const auto list =
            require(chain::read_entry<chain::TaskList>(state, chain::task_list_key()));
        if (list) needed.insert(needed.end(), list->active.begin(), list->active.end());
        needed.insert(needed.end(), proof_tasks.begin(), proof_tasks.end());
        for (const std::uint32_t id : needed) {
            if (auto task = require(ledger.task(id))) tasks_.add(std::move(task));
        }
    }
    PoolContext(const PoolContext&) = delete;
    PoolContext& operator=(const PoolContext&) = delete;

    [[nodiscard]] const chain::TransactionContext& get() const noexcept { return context_; }

  private:
    chain::TaskSet tasks_;
    LeasedTrainers trainers_;
    chain::TransactionContext context_;
};

// A share that started from a segment which this branch lacks may be judged once that has come
// late.
bool waits_for_others(const chain::SubmitError& error) {
    const auto* rule = std::get_if<chain::RuleError>(&error);
    return rule != nullptr && *rule == chain::RuleError(chain::SegmentError::list_not_on_branch);
}

// The lanes of a block that joins the chain, and what that makes of their segments.
std::vector<std::pair<chain::Hash256, SegmentFate>> fates_in(const chain::Block& block) {
    std::vector<std::pair<chain::Hash256, SegmentFate>> fates{
        {chain::template_hash(block.header.tmpl), SegmentFate::ended_block}};
    for (const auto& segment : block.listed)
        fates.emplace_back(chain::template_hash(segment.tmpl), SegmentFate::included);
    for (const auto& transaction : block.transactions) {
        const auto* late = std::get_if<chain::ShareTransaction>(&transaction.content);
        if (late)
            fates.emplace_back(chain::template_hash(late->segment.tmpl), SegmentFate::included);
    }
    return fates;
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
      submissions_(strand_, kMaxSubmissions),
      share_checks_(strand_, kMaxShareChecks) {
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
        candidate.block(), candidate.header(), candidate.context(*trainers));
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
    }
    auto finish = [candidate, verifier, trainers](const std::stop_token&) -> Verified {
        auto judged = verifier->finish();
        if (!judged) return chain::fail(chain::submit_error(judged.error()));
        auto block = chain::finish_candidate(candidate, *std::move(judged));
        if (!block) return chain::fail(block.error());
        std::vector<chain::CheckedSegment> segments;
        for (const auto& proven : verifier->proven()) segments.push_back(proven.checked());
        return Judged{*std::move(block), std::move(segments)};
    };
    co_return co_await run_on(pool_, Priority::verify, {}, std::move(finish));
}

void LedgerService::submit_share(std::shared_ptr<const chain::Segment> segment) {
    asio::post(strand_, [this, segment = std::move(segment)] {
        if (segment->tmpl.parent == tip()->id()) {
            if (early_shares_.size() >= kMaxShareChecks) return give_up(*segment);
            early_shares_.push_back(segment);
            return;
        }
        check_share(segment);
    });
}

void LedgerService::check_share(std::shared_ptr<const chain::Segment> segment) {
    ++judging_;
    if (share_checks_.spawn(verify_share(segment))) return;
    --judging_;
    give_up(*segment);
}

void LedgerService::tell_fate(const chain::Hash256& lane, SegmentFate fate) {
    if (on_share_) on_share_(lane, fate);
}

void LedgerService::give_up(const chain::Segment& share) {
    tell_fate(chain::template_hash(share.tmpl), SegmentFate::given_up);
}

Task<> LedgerService::verify_share(std::shared_ptr<const chain::Segment> segment) {
    try {
        co_await judge_share(segment);
    } catch (const std::exception& error) {
        if (!closing_) spdlog::error("verifying a share failed: {}", error.what());
        give_up(*segment);
    }
    --judging_;
    if (on_share_judged_) on_share_judged_();
    changed_.notify_all();
}

Task<> LedgerService::judge_share(std::shared_ptr<const chain::Segment> segment) {
    auto candidate = ledger_->admit_share(segment);
    if (!candidate) co_return give_up(*segment);
    auto judge = [this, share = *candidate](const std::stop_token&) -> ShareResult {
        LeasedTrainers trainers(trainers_);
        return chain::verify_share(share, trainers);
    };
    auto verified = co_await run_on(pool_, Priority::verify, {}, std::move(judge));
    if (verified) {
        keep_share(*std::move(verified));
    } else if (waits_for_others(verified.error()) && is_open(segment->tmpl.height) &&
               early_shares_.size() < kMaxShareChecks) {
        early_shares_.push_back(segment);
    } else {
        spdlog::info("a share was refused: {}", chain::describe(verified.error()));
        give_up(*segment);
    }
}

// Whether a block after the next one may still include a share of that round.
bool LedgerService::is_open(std::uint64_t round) const {
    return tip()->height() < round + chain::kMaxLateness;
}

Task<> LedgerService::wait_for_shares(Event::Deadline deadline) {
    while (share_checks_.size() > 0 && !closing_ && std::chrono::steady_clock::now() < deadline) {
        co_await changed_.wait_until(deadline);
    }
}

void LedgerService::keep_share(chain::VerifiedShare share) {
    const chain::SegmentOutcome& outcome = share.outcome;
    chain::PooledShare pooled;
    pooled.id = outcome.id;
    pooled.template_hash = outcome.template_hash;
    pooled.parent = share.segment->tmpl.parent;
    pooled.round = outcome.round;
    pooled.miner = outcome.miner;
    pooled.hits = outcome.hits;
    pooled.paid_units = outcome.paid_units;
    pooled.units = outcome.units;
    pooled.size_bytes = outcome.size_bytes;
    pooled.segment = share.segment;
    const auto removed = share_pool_.add(std::move(pooled));
    if (!removed) {
        spdlog::info("a share was not kept: {}", chain::describe(removed.error()));
        // In the other cases a share of the lane is in the pool.
        if (removed.error() != chain::ShareRefusal::already_pooled &&
            removed.error() != chain::ShareRefusal::lane_taken) {
            give_up(*share.segment);
        }
        return;
    }
    for (const auto& gone : *removed) {
        if (const auto evicted = shares_.extract(gone.id)) give_up(*evicted.mapped().segment);
    }
    shares_.insert_or_assign(outcome.id, std::move(share));
}

// The rounds whose shares the next block may include, the one that it settles first.
std::vector<chain::OpenRound> LedgerService::open_rounds() const {
    std::vector<chain::OpenRound> rounds;
    const std::uint64_t height = tip()->height();
    for (std::uint64_t late = 0; late <= chain::kMaxLateness && late < height; ++late) {
        const std::uint64_t number = height - late;
        const auto entry =
            require(chain::read_entry<chain::Round>(tip()->state(), chain::round_key(number)));
        if (!entry) continue;
        chain::OpenRound round{number, entry->parent, {}};
        for (const auto& segment : entry->segments) round.included.insert(segment.template_hash);
        rounds.push_back(std::move(round));
    }
    return rounds;
}

void LedgerService::add_shares(chain::TemplateContents& contents, std::size_t& bytes) {
    const auto rounds = open_rounds();
    const auto pending =
        require(chain::read_entry<chain::PendingRound>(tip()->state(), chain::pending_round_key()));
    const auto budget = [&](std::size_t most) {
        return chain::ShareBudget{std::min(bytes, most), chain::kMaxListedSegments};
    };
    const auto take = [&](const chain::SharePool::Share& share, bool late) {
        const auto found = shares_.find(share->id);
        if (found == shares_.end()) return;
        bytes -= std::min(bytes, share->size_bytes);
        if (late) {
            contents.transactions.push_back({chain::ShareTransaction{*share->segment}});
        } else {
            contents.shares.push_back(found->second);
        }
    };
    if (!rounds.empty() && pending && pending->round == rounds.front().round) {
        for (const auto& share : share_pool_.listed(rounds.front(), budget(bytes)))
            take(share, false);
    }
    if (rounds.size() < 2) return;
    const std::span<const chain::OpenRound> earlier(rounds.begin() + 1, rounds.end());
    for (const auto& share : share_pool_.late(earlier, budget(kReservedBytes * 4)))
        take(share, true);
}

void LedgerService::add_transactions(chain::TemplateContents& contents, std::size_t bytes) {
    PoolContext context(*ledger_, trainers_, proof_tasks_);
    const auto selected = require(
        mempool_.select(tip()->state(), context.get(), {bytes, chain::kMaxTransactions / 2}));
    for (const auto& transaction : selected.transactions)
        contents.transactions.push_back({*transaction});
}

chain::TemplateContents LedgerService::template_contents() {
    chain::TemplateContents contents;
    const auto& params = network().params();
    const std::size_t reserved = std::size_t{params.work.max_segment_bytes} + kReservedBytes;
    std::size_t bytes =
        params.max_block_bytes - std::min<std::size_t>(reserved, params.max_block_bytes);
    add_shares(contents, bytes);
    add_transactions(contents, bytes + kReservedBytes / 2);
    return contents;
}

Task<LedgerService::TransactionResult> LedgerService::submit_transaction(
    std::shared_ptr<const chain::SignedTransaction> transaction) {
    auto submit = [this, transaction = std::move(transaction)]() -> Task<TransactionResult> {
        auto tasks = proof_tasks_;
        const auto task = chain::required_task(*transaction);
        if (task && tasks.size() < kMaxProofTasks) tasks.insert(*task);
        PoolContext context(*ledger_, trainers_, tasks);
        const auto checked = chain::check_transaction(transaction, context.get());
        if (!checked) co_return chain::fail(chain::PoolError(checked.error()));
        const auto added = mempool_.add(*checked, tip()->state(), context.get(), now_ms());
        if (!added) co_return chain::fail(added.error());
        proof_tasks_ = std::move(tasks);
        co_return checked->id();
    };
    co_return co_await asio::co_spawn(strand_, std::move(submit), asio::use_awaitable);
}

// The pool follows the chain: what is included goes, what blocks left behind comes back.
void LedgerService::renew_mempool(const chain::TipChange& change) {
    PoolContext context(*ledger_, trainers_, proof_tasks_);
    std::vector<chain::UndoneBlock> undone;
    for (const auto& id : change.undone) {
        if (const auto block = require(ledger_->block(id)))
            undone.push_back(chain::undone_block(*block, context.get()));
    }
    std::vector<chain::RedoneBlock> redone;
    for (const auto& id : change.redone) {
        if (const auto block = require(ledger_->block(id)))
            redone.push_back(chain::redone_block(*block));
    }
    static_cast<void>(
        require(mempool_.tip_changed(undone, redone, tip()->state(), context.get(), now_ms())));
    mempool_.expire(now_ms());
    if (mempool_.size() == 0) proof_tasks_.clear();
}

// Shares that the chain has included now, or that are too late, go. After a change of branch all
// are judged anew, those of the blocks that were undone among them.
void LedgerService::renew_shares(const chain::TipChange& change) {
    std::vector<std::shared_ptr<const chain::Segment>> again = std::move(early_shares_);
    early_shares_.clear();
    for (const auto& id : change.undone) {
        const auto block = require(ledger_->block(id));
        if (!block) continue;
        for (const auto& [lane, fate] : fates_in(*block)) tell_fate(lane, SegmentFate::waiting);
    }
    for (const auto& id : change.redone) {
        const auto block = require(ledger_->block(id));
        if (!block) continue;
        for (const auto& [lane, fate] : fates_in(*block)) {
            tell_fate(lane, fate);
            if (const auto pooled = share_pool_.find_lane(lane)) shares_.erase(pooled->id);
        }
    }
    for (const auto& gone : share_pool_.tip_changed(tip()->height() + 1)) {
        // One that the chain has included is in the pool alone.
        if (const auto late = shares_.extract(gone.id)) give_up(*late.mapped().segment);
    }
    if (!change.undone.empty()) {
        for (auto& [id, share] : shares_) again.push_back(share.segment);
        shares_.clear();
        share_pool_ = chain::SharePool();
        static_cast<void>(share_pool_.tip_changed(tip()->height() + 1));  // it is empty
        for (const auto& id : change.undone) {
            for (auto& segment : segments_of_undone(id)) again.push_back(std::move(segment));
        }
    }
    for (auto& segment : again) check_share(std::move(segment));
}

// Every segment of a block that left the active chain, its winner's among them: all of them may be
// shares on the new branch.
std::vector<std::shared_ptr<const chain::Segment>> LedgerService::segments_of_undone(
    const chain::Hash256& id) {
    std::vector<std::shared_ptr<const chain::Segment>> segments;
    const auto block = require(ledger_->block(id));
    if (!block) return segments;
    const auto after = require(ledger_->state_after(id));
    std::vector<chain::Hash256> listed;
    if (!block->listed.empty()) {
        const auto round = require(chain::require_entry<chain::Round>(
            after->state(), chain::round_key(block->header.tmpl.height - 1)));
        for (const auto& segment : block->listed) {
            const auto lane = chain::template_hash(segment.tmpl);
            const auto found =
                std::ranges::find(round.segments, lane, &chain::RoundSegment::template_hash);
            if (found != round.segments.end()) listed.push_back(found->segment);
            segments.push_back(std::make_shared<const chain::Segment>(segment));
        }
    }
    for (const auto& transaction : block->transactions) {
        const auto* late = std::get_if<chain::ShareTransaction>(&transaction.content);
        if (late) segments.push_back(std::make_shared<const chain::Segment>(late->segment));
    }
    segments.push_back(std::make_shared<const chain::Segment>(
        chain::Segment{block->header.tmpl, std::move(listed), block->winner}));
    return segments;
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
    renew_mempool(change);
    renew_shares(change);
    evaluator_.tip_changed(change.tip);
    if (on_tip_) on_tip_(change.tip);
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
    };
    co_await asio::co_spawn(strand_, end(), asio::use_awaitable);
}

}  // namespace gradient::node
