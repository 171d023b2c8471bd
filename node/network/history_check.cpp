#include "node/network/history_check.hpp"

#include "chain/pruning.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "node/concurrency/join.hpp"
#include "node/setup/failure.hpp"
#include "node/setup/files.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <system_error>
#include <utility>

namespace gradient::node {

namespace {

std::unique_ptr<chain::Ledger> open_history(const std::shared_ptr<const chain::Network>& network,
                                            const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        throw Failure(ExitCode::storage,
                      fmt::format("Cannot make {}: {}", folder.string(), error.message()));
    }
    auto store =
        chain::LevelDbStore::open((folder / "chain").string(), chain::OpenMode::create_if_missing);
    if (!store) throw store_failure(store.error());
    auto ledger = chain::Ledger::open(network, *std::move(store));
    if (!ledger) throw store_failure(ledger.error());
    return *std::move(ledger);
}

// It calls the same peers, takes no calls, and serves nobody.
PeerSettings caller_only(const PeerSettings& settings) {
    PeerSettings caller = settings;
    caller.listen_address.clear();
    caller.snapshot_interval = 0;
    return caller;
}

}  // namespace

std::optional<std::pair<std::uint64_t, chain::Hash256>> snapshot_origin(
    const chain::Ledger& ledger) {
    const auto kept = require(ledger.kept());
    if (kept.stubs == 0) return std::nullopt;
    const auto id = require(ledger.id_at(kept.stubs - 1));
    if (!id) return std::nullopt;
    return std::pair(kept.stubs - 1, *id);
}

HistoryCheck::HistoryCheck(const asio::any_io_executor& executor,
                           const std::shared_ptr<const chain::Network>& network, WorkerPool& pool,
                           TrainerPool& trainers, const Settings& settings,
                           std::filesystem::path folder, std::uint64_t height,
                           const chain::Hash256& block, FailureListener failed)
    : folder_(std::move(folder)),
      height_(height),
      block_(block),
      failed_(std::move(failed)),
      ledger_(executor, open_history(network, folder_), pool, trainers),
      moved_(executor) {
    auto key = chain::SecretKey::generate();
    if (!key) throw Failure(ExitCode::failure, "The system gives no random numbers.");
    peers_.emplace(ledger_, pool, *key, caller_only(settings.peers),
                   PeerService::Files{folder_ / "addresses.json", folder_ / "bans.json",
                                      folder_ / "snapshots"});
    status_.of = height_;
    status_.height = ledger_.tip()->height();
    ledger_.on_tip([this](const chain::TipChange& change) {
        status_.height = change.tip->height();
        moved_.notify_all();
    });
    ledger_.on_store_failure(failed_);
    ledger_.set_prune(chain::prune_floor(network->params()));
}

Task<> HistoryCheck::run() {
    ledger_.start();
    auto sync = [this]() -> Task<> {
        co_await asio::co_spawn(ledger_.strand(), peers_->run(), asio::use_awaitable);
    };
    co_await wait_any(sync(), wait_for_height());
    if (status_.height >= height_) compare();
}

Task<> HistoryCheck::wait_for_height() {
    while (status_.height < height_ && !stopping_)
        co_await moved_.wait_until(Event::Deadline::max());
}

void HistoryCheck::compare() {
    const auto id = require(ledger_.ledger().id_at(height_));
    if (id != block_) {
        failed_(Failure(ExitCode::invalid_chain,
                        fmt::format("The snapshot of height {} that this node started from is not "
                                    "of the chain that the history leads to: remove the data "
                                    "directory's chain and start again.",
                                    height_)));
        return;
    }
    status_.is_done = true;
    write_file_atomically(folder_.string() + "_verified", block_.to_hex() + "\n", 0644);
    spdlog::info("the history up to the snapshot's height {} is verified", height_);
}

Task<> HistoryCheck::close() {
    co_await asio::co_spawn(ledger_.strand(), peers_->close(), asio::use_awaitable);
    co_await ledger_.close();
    if (!status_.is_done) co_return;
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);  // LevelDB's files go when they are closed
}

}  // namespace gradient::node
