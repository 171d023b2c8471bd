#pragma once

#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "chain/pool/mempool.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/mempool_journal.hpp"
#include "node/ledger/moved_blocks.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace gradient::node {

/// Where signed transactions come in: checks them, keeps them in the pool and in its journal. Use
/// it from the ledger's strand only.
class TransactionDesk {
  public:
    /// The id of a transaction that the pool has taken, or why it does not take it.
    using Result = chain::Result<chain::Hash256, chain::PoolError>;
    using KeptListener = std::function<void(const chain::Hash256& id)>;

    /// Tasks of fraud proofs that are remembered, so that proofs against ended tasks are judged.
    static constexpr std::size_t kMaxProofTasks = 64;
    /// Bytes by which the journal may exceed twice the pool before it is written anew.
    static constexpr std::size_t kJournalSlackBytes = std::size_t{1} << 20U;
    /// A power cut takes back what was acknowledged within this time at most.
    static constexpr std::chrono::seconds kSyncInterval{1};

    /// References must outlive the desk.
    TransactionDesk(const asio::any_io_executor& strand, chain::Ledger& ledger, WorkerPool& pool,
                    TrainerPool& trainers);

    // Before the executor runs; see LedgerService.
    void on_kept(KeptListener listener) { on_kept_.push_back(std::move(listener)); }
    void use_journal(const std::filesystem::path& file);

    /// Checks a transaction and takes it into the pool. When this returns, it outlives the process.
    /// Throws Failure(storage) if it can't be written down; the node must end then.
    [[nodiscard]] Result submit(const std::shared_ptr<const chain::SignedTransaction>& transaction);

    /// Follows the chain: what is included goes, what blocks left behind comes back. Throws Failure
    /// if the store or the journal fails.
    void tip_changed(const MovedBlocks& moved);

    /// Adds transactions to a template on the tip.
    void add_to(chain::TemplateContents& contents, std::size_t bytes);

    [[nodiscard]] const chain::Mempool& pool() const noexcept { return pool_; }

    /// Makes the journal durable.
    Task<> close();

  private:
    Result add(const std::shared_ptr<const chain::SignedTransaction>& transaction,
               std::uint64_t time_ms);
    void write_down(const JournaledTransaction& one);
    void shrink_journal();
    Task<> sync_later();

    chain::Ledger& ledger_;
    WorkerPool& workers_;
    TrainerPool& trainers_;
    asio::any_io_executor strand_;
    std::vector<KeptListener> on_kept_;
    chain::Mempool pool_;
    std::set<std::uint32_t> proof_tasks_;  // ended ones among them: of fraud proofs in the pool
    std::optional<MempoolJournal> journal_;
    bool is_synced_ = true;
    TaskGroup syncing_;
};

}  // namespace gradient::node
