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
#include <optional>

namespace gradient::node {

/// Keeps the miner at work. At each new tip its lanes stop, and start again as soon as there is a
/// template, which lists what shares there are: hardly any, as the round's lanes end with its tip
/// everywhere. So the work is renewed when the own shares are in, and once more when those of
/// others should be, each time only if that lists more. Use it from the ledger's strand only; the
/// miner's outlet `handed_in` may come from any thread, through lanes_handed_in().
class WorkSource {
  public:
    /// Part of a block interval after which the work takes up the shares that have come late: half
    /// a second of ten. Later ones come into a block late, at three quarters of their pay.
    static constexpr unsigned kWaitPart = 20;
    /// Pause before a template is tried again that could not be made.
    static constexpr std::chrono::seconds kRetryPause{1};

    /// References must outlive this.
    WorkSource(LedgerService& ledger, Miner& miner, WorkerPool& pool, TrainerPool& trainers,
               const chain::PublicKey& key);

    /// Whether lanes run at all.
    void set_mining(bool on);
    [[nodiscard]] bool is_mining() const noexcept { return mining_; }

    /// The tip has changed.
    void tip_changed();

    /// The last work has come to nothing.
    void renew();

    /// A share has been judged.
    void share_judged() { changed_.notify_all(); }

    /// The miner's outlet `handed_in`. From any thread.
    void lanes_handed_in(std::uint64_t work);

    /// Ends all lanes for good.
    Task<> close();

  private:
    using Clock = Miner::Clock;

    Task<> run();
    Task<> make_work(std::uint64_t wanted);
    Task<> take_up_shares(std::uint64_t wanted);
    Task<> give_work(chain::TemplateContents contents, std::uint64_t wanted);
    void set_work(Miner::Work work);
    [[nodiscard]] bool overtaken(std::uint64_t wanted) const noexcept;
    [[nodiscard]] bool own_shares_are_in() const noexcept;

    LedgerService& ledger_;
    Miner& miner_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    chain::PublicKey key_;
    Event changed_;
    TaskGroup tasks_;
    bool mining_ = false;
    std::uint64_t wanted_ = 0;                      // counts renewals asked for
    std::uint64_t done_ = 0;                        // the last one that was carried out
    std::uint64_t work_number_ = 0;                 // of the miner's work
    std::uint64_t handed_in_ = 0;                   // the last work that the miner has told so of
    std::optional<Clock::time_point> tip_changed_;  // until there is work on the new tip
};

}  // namespace gradient::node
