#pragma once

#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/mining/miner.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstdint>

namespace gradient::node {

/// Keeps the miner at work: at each new tip its lanes end, hand in their shares, and start again on
/// a template that lists what shares there are. Use it from the ledger's strand only; the miner's
/// outlet `rest` may come from any thread, through lanes_rest().
class WorkSource {
  public:
    /// Share of a block interval that the lanes wait for shares to be verified at most:
    /// 1/kWaitPart.
    static constexpr unsigned kWaitPart = 20;
    /// Pause before a template is tried again that could not be made.
    static constexpr std::chrono::seconds kRetryPause{1};

    /// References must outlive this.
    WorkSource(LedgerService& ledger, Miner& miner, WorkerPool& pool, TrainerPool& trainers,
               const chain::PublicKey& key);

    /// Whether lanes run at all.
    void set_mining(bool on);
    [[nodiscard]] bool is_mining() const noexcept { return mining_; }

    /// The tip has changed, or the last work has come to nothing.
    void renew();

    /// No lane runs any more. From any thread.
    void lanes_rest();

    /// Ends all lanes for good.
    Task<> close();

  private:
    Task<> run();
    Task<> make_work(std::uint64_t wanted);

    LedgerService& ledger_;
    Miner& miner_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    chain::PublicKey key_;
    Event changed_;
    TaskGroup tasks_;
    bool mining_ = false;
    bool resting_ = true;       // no lane runs
    std::uint64_t wanted_ = 0;  // counts renewals asked for
    std::uint64_t done_ = 0;    // the last one that was carried out
};

}  // namespace gradient::node
