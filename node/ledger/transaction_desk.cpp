#include "node/ledger/transaction_desk.hpp"

#include "chain/state/entries.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/setup/clock.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <stop_token>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {

namespace {

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

}  // namespace

TransactionDesk::TransactionDesk(const asio::any_io_executor& strand, chain::Ledger& ledger,
                                 WorkerPool& pool, TrainerPool& trainers)
    : ledger_(ledger), workers_(pool), trainers_(trainers), strand_(strand), syncing_(strand, 1) {}

void TransactionDesk::use_journal(const std::filesystem::path& file) {
    journal_.emplace(file);
    if (journal_->torn_bytes() > 0)
        spdlog::warn("{}: {} torn bytes cut off", file.string(), journal_->torn_bytes());
    const auto read = journal_->take_read();
    const std::uint64_t now = now_ms();
    for (const auto& one : read)
        static_cast<void>(add(one.transaction, std::min(one.time_ms, now)));
    pool_.expire(now);
    if (!read.empty()) {
        spdlog::info("transactions read back: {} wait again, {} do not any more", pool_.size(),
                     read.size() - pool_.size());
    }
    shrink_journal();
}

TransactionDesk::Result TransactionDesk::submit(
    const std::shared_ptr<const chain::SignedTransaction>& transaction) {
    const std::uint64_t now = now_ms();
    auto added = add(transaction, now);
    if (!added) return added;
    write_down({now, transaction});
    shrink_journal();
    for (const auto& listener : on_kept_) listener(*added);
    return added;
}

TransactionDesk::Result TransactionDesk::add(
    const std::shared_ptr<const chain::SignedTransaction>& transaction, std::uint64_t time_ms) {
    auto tasks = proof_tasks_;
    const auto task = chain::required_task(*transaction);
    if (task && tasks.size() < kMaxProofTasks) tasks.insert(*task);
    PoolContext context(ledger_, trainers_, tasks);
    const auto checked = chain::check_transaction(transaction, context.get());
    if (!checked) return chain::fail(chain::PoolError(checked.error()));
    const auto added = pool_.add(*checked, ledger_.tip()->state(), context.get(), time_ms);
    if (!added) return chain::fail(added.error());
    proof_tasks_ = std::move(tasks);
    return checked->id();
}

void TransactionDesk::tip_changed(const MovedBlocks& moved) {
    PoolContext context(ledger_, trainers_, proof_tasks_);
    std::vector<chain::UndoneBlock> undone;
    for (const auto& one : moved.undone)
        undone.push_back(chain::undone_block(*one.block, context.get()));
    std::vector<chain::RedoneBlock> redone;
    for (const auto& one : moved.redone) redone.push_back(chain::redone_block(*one.block));
    const std::uint64_t now = now_ms();
    static_cast<void>(
        require(pool_.tip_changed(undone, redone, ledger_.tip()->state(), context.get(), now)));
    pool_.expire(now);
    if (pool_.size() == 0) proof_tasks_.clear();
    // The journal may have forgotten what a block held that has left the chain.
    for (const auto& block : undone) {
        for (const auto& one : block.transactions) {
            if (auto transaction = pool_.find(one.id())) write_down({now, std::move(transaction)});
        }
    }
    shrink_journal();
}

void TransactionDesk::add_to(chain::TemplateContents& contents, std::size_t bytes) {
    PoolContext context(ledger_, trainers_, proof_tasks_);
    const auto selected = require(
        pool_.select(ledger_.tip()->state(), context.get(), {bytes, chain::kMaxTransactions / 2}));
    for (const auto& transaction : selected.transactions)
        contents.transactions.push_back({*transaction});
}

void TransactionDesk::write_down(const JournaledTransaction& one) {
    if (!journal_) return;
    journal_->append(one);
    is_synced_ = false;
    if (syncing_.size() == 0) syncing_.spawn(sync_later());
}

// Writes the journal anew once most of it is of transactions that wait no more.
void TransactionDesk::shrink_journal() {
    if (!journal_ || journal_->size_bytes() <= 2 * pool_.size_bytes() + kJournalSlackBytes) return;
    std::vector<JournaledTransaction> all;
    for (const auto& [time_ms, transaction] : pool_.by_arrival())
        all.push_back({time_ms, transaction});
    journal_->rewrite(all);
}

// Whoever appends meanwhile finds this running: it goes on until nothing new has come.
Task<> TransactionDesk::sync_later() {
    asio::steady_timer timer(strand_);
    while (!is_synced_) {
        timer.expires_after(kSyncInterval);
        co_await timer.async_wait(asio::use_awaitable);
        is_synced_ = true;
        auto sync = [job = journal_->sync_job()](const std::stop_token&) {
            job();
            return true;
        };
        try {
            co_await run_on(workers_, Priority::verify, {}, std::move(sync));
        } catch (const std::exception& error) {
            spdlog::error("transactions may be lost in a power cut: {}", error.what());
        }
    }
}

Task<> TransactionDesk::close() {
    co_await syncing_.close();
    if (journal_) journal_->sync_job()();
}

}  // namespace gradient::node
