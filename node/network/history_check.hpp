#pragma once

#include "chain/network.hpp"
#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/network/peer_service.hpp"
#include "node/setup/settings.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace gradient::node {

/// Verifies in the background what a node that has started from a snapshot took on trust: fetches
/// the history from peers into a second ledger, block by block from genesis, and compares. It is a
/// node of its own, with an identity of its own, that keeps no more than it must and ends at the
/// snapshot's height.
class HistoryCheck {
  public:
    /// How far it has come.
    struct Status {
        std::uint64_t height = 0;  ///< verified
        std::uint64_t of = 0;      ///< the snapshot's
        bool is_done = false;
    };
    /// Called when the history leads to another block than the snapshot's.
    using FailureListener = std::function<void(const Failure&)>;

    /// `block`: of the snapshot. `folder` holds the second ledger until it is done. References
    /// must outlive this.
    HistoryCheck(const asio::any_io_executor& executor,
                 const std::shared_ptr<const chain::Network>& network, WorkerPool& pool,
                 TrainerPool& trainers, const Settings& settings, std::filesystem::path folder,
                 std::uint64_t height, const chain::Hash256& block, FailureListener failed);

    /// Runs until it is done or stopped.
    Task<> run();
    /// Has run() end.
    void stop() {
        stopping_ = true;
        moved_.notify_all();
    }
    /// Ends it; what it has verified is kept for the next run. After run() has ended.
    Task<> close();

    [[nodiscard]] Status status() const noexcept { return status_; }

  private:
    Task<> wait_for_height();
    void compare();

    std::filesystem::path folder_;
    std::uint64_t height_;
    chain::Hash256 block_;
    FailureListener failed_;
    LedgerService ledger_;
    std::optional<PeerService> peers_;
    Status status_;
    Event moved_;
    bool stopping_ = false;
};

/// The height and block of the snapshot that a chain came from, if it did.
[[nodiscard]] std::optional<std::pair<std::uint64_t, chain::Hash256>> snapshot_origin(
    const chain::Ledger& ledger);

}  // namespace gradient::node
