#include "node/node.hpp"

#include "chain/consensus/genesis_spec.hpp"
#include "chain/ledger.hpp"
#include "chain/network.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "node/audit/audit_service.hpp"
#include "node/concurrency/join.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/mining/miner.hpp"
#include "node/mining/work_source.hpp"
#include "node/rpc/cookie.hpp"
#include "node/rpc/http_server.hpp"
#include "node/rpc/json_rpc.hpp"
#include "node/rpc/ledger_transaction_service.hpp"
#include "node/rpc/methods.hpp"
#include "node/rpc/pool_access.hpp"
#include "node/setup/data_directory.hpp"
#include "node/setup/key_file.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <variant>

namespace gradient::node {

namespace {

// The chain spec given, or the one stored in the directory; both must be of one network.
chain::ChainSpec choose_chain_spec(const Settings& settings, const DataDirectory& directory) {
    const auto load = [](const std::filesystem::path& file, ExitCode code) {
        auto spec = chain::load_chain_spec(file.string());
        if (!spec) throw Failure(code, spec.error().message);
        return *std::move(spec);
    };
    const bool stored = path_exists(directory.chain_spec());
    if (!stored && !settings.chain_spec) {
        throw Failure(ExitCode::chain_spec,
                      fmt::format("The data directory {} is new: name its chain spec with --chain "
                                  "(`gradient init` makes "
                                  "one).",
                                  directory.path().string()));
    }
    if (!settings.chain_spec) return load(directory.chain_spec(), ExitCode::data_directory);
    auto given = load(*settings.chain_spec, ExitCode::chain_spec);
    if (!stored) {
        write_file_atomically(directory.chain_spec(), chain::to_json(given), 0644);
    } else if (chain::spec_digest(load(directory.chain_spec(), ExitCode::data_directory)) !=
               chain::spec_digest(given)) {
        throw Failure(ExitCode::data_directory,
                      fmt::format("The data directory {} belongs to another network than {}: "
                                  "choose another directory "
                                  "with --data, or leave out --chain.",
                                  directory.path().string(), settings.chain_spec->string()));
    }
    return given;
}

std::unique_ptr<chain::Ledger> open_ledger(const DataDirectory& directory,
                                           std::shared_ptr<const chain::Network> network) {
    auto store = chain::LevelDbStore::open(directory.database().string(),
                                           chain::OpenMode::create_if_missing);
    if (!store) throw store_failure(store.error());
    auto ledger = chain::Ledger::open(std::move(network), *std::move(store));
    if (!ledger) throw store_failure(ledger.error());
    return *std::move(ledger);
}

std::shared_ptr<const chain::Network> open_network(const Settings& settings,
                                                   const DataDirectory& directory) {
    auto network = chain::make_network(choose_chain_spec(settings, directory));
    if (!network) throw Failure(ExitCode::chain_spec, network.error().message);
    return *std::move(network);
}

unsigned thread_count(const Settings& settings) {
    if (settings.threads > 0) return settings.threads;
    return std::max(std::thread::hardware_concurrency(), settings.lanes);
}

// Where clients find this run; gone when it ends.
class RunFiles {
  public:
    explicit RunFiles(std::filesystem::path directory) : directory_(std::move(directory)) {
        remove();
    }
    ~RunFiles() { remove(); }
    RunFiles(const RunFiles&) = delete;
    RunFiles& operator=(const RunFiles&) = delete;

    void announce(const asio::ip::tcp::endpoint& endpoint) const {
        write_file_atomically(
            endpoint_file(directory_),
            fmt::format("{}:{}\n", endpoint.address().to_string(), endpoint.port()), 0644);
    }

  private:
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(endpoint_file(directory_), ignored);
        std::filesystem::remove(cookie_file(directory_), ignored);
    }
    std::filesystem::path directory_;
};

/// The parts of a running node, in the order of their making. The pool ends before what its jobs
/// use.
class Node {
  public:
    explicit Node(const Settings& settings)
        : settings_(settings),
          directory_(DataDirectory::open(settings.data_directory)),
          network_(open_network(settings, directory_)),
          key_(load_or_create_key(directory_.miner_key())),
          trainers_(network_->task, engine_named(settings.engine)),
          run_files_(directory_.path()),
          cookie_(Cookie::create(cookie_file(directory_.path()))),
          pool_(std::make_unique<WorkerPool>(thread_count(settings), settings.audit_share)),
          ledger_(context_.get_executor(), open_ledger(directory_, network_), *pool_, trainers_),
          audits_(ledger_, *pool_, trainers_, key_, directory_.fraud_proofs(),
                  {settings.audit, AuditQueue::kMaxBytes, {}}),
          miner_(*pool_, trainers_, key_, settings.lanes,
                 {[this](chain::Block block) { take_won_block(std::move(block)); },
                  [this](chain::Segment segment) {
                      ledger_.submit_own_share(
                          std::make_shared<const chain::Segment>(std::move(segment)));
                  },
                  [this](std::uint64_t work) { work_.lanes_handed_in(work); }}),
          work_(ledger_, miner_, *pool_, trainers_, key_.public_key()),
          server_(
              context_.get_executor(), settings.rpc_address, settings.rpc_port,
              [this](std::string_view header) { return cookie_.accepts(header); },
              [this](std::string body) { return dispatcher_.handle(std::move(body)); }),
          stop_asked_(context_.get_executor()) {}
    // First the pool: its jobs use everything else.
    ~Node() { pool_.reset(); }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    void run();

  private:
    Task<> main();
    Task<> wait_for_end();
    Task<> wait_for_signal();
    Task<> wait_for_stop();
    void ask_to_stop();
    void take_won_block(chain::Block block);
    void block_settled(const chain::Block& block, const LedgerService::SubmitResult& result);

    Settings settings_;
    DataDirectory directory_;
    std::shared_ptr<const chain::Network> network_;
    chain::SecretKey key_;
    TrainerPool trainers_;
    RunFiles run_files_;
    Cookie cookie_;
    asio::io_context context_{1};
    asio::signal_set signals_{context_, SIGINT, SIGTERM};  // before anything that takes long
    std::unique_ptr<WorkerPool> pool_;
    LedgerService ledger_;
    AuditService audits_;
    LedgerTransactionService transactions_{ledger_, pool_access(ledger_)};
    Miner miner_;
    WorkSource work_;
    RpcDispatcher dispatcher_;
    HttpServer server_;
    Event stop_asked_;
    bool stopping_ = false;
    std::optional<Failure> failure_;
};

void Node::run() {
    ledger_.on_tip([this](const auto&) {
        audits_.tip_changed();
        work_.tip_changed();
    });
    ledger_.on_share_judged([this] { work_.share_judged(); });
    ledger_.on_share(
        [this](const chain::Hash256& lane, SegmentFate fate) { miner_.settle(lane, fate); });
    ledger_.on_segments(
        [this](std::uint64_t height, const auto& segments) { audits_.take(height, segments); });
    ledger_.on_store_failure([this](const Failure& failure) {
        if (!failure_) failure_.emplace(failure);
        ask_to_stop();
    });
    add_methods(dispatcher_, {ledger_, miner_, audits_, transactions_,
                              std::string(model::engine_name(trainers_.engine())), pool_->size(),
                              [this](bool on) { work_.set_mining(on); },
                              [this] { return work_.is_mining(); }, [this] { ask_to_stop(); }});
    ledger_.set_prune(settings_.prune);
    ledger_.set_own_miner(key_.public_key());
    ledger_.set_journal(directory_.mempool_journal());
    ledger_.start();
    audits_.start();
    run_files_.announce(server_.endpoint());
    spdlog::info("{}: network {}, height {}, RPC on {}:{}", program_version("gradientd"),
                 network_->spec.name, ledger_.tip()->height(),
                 server_.endpoint().address().to_string(), server_.endpoint().port());
    asio::post(ledger_.strand(), [this] { work_.set_mining(settings_.mine); });

    std::exception_ptr error;
    asio::co_spawn(context_, main(), [&](const std::exception_ptr& ended) {
        error = ended;
        context_.stop();
    });
    context_.run();
    pool_.reset();
    if (failure_) throw Failure(*failure_);
    if (error) std::rethrow_exception(error);
    spdlog::info("stopped at height {}", ledger_.tip()->height());
}

Task<> Node::main() {
    std::exception_ptr error;
    try {
        co_await wait_any(server_.run(), wait_for_end());
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::co_spawn(ledger_.strand(), work_.close(), asio::use_awaitable);
    co_await asio::co_spawn(ledger_.strand(), audits_.close(), asio::use_awaitable);
    co_await ledger_.close();
    co_await server_.close();
    if (error) std::rethrow_exception(error);
}

Task<> Node::wait_for_end() {
    co_await wait_any(wait_for_signal(), wait_for_stop());
}

Task<> Node::wait_for_signal() {
    const int signal = co_await signals_.async_wait(asio::use_awaitable);
    spdlog::info("stopping on signal {}", signal);
}

Task<> Node::wait_for_stop() {
    while (!stopping_) co_await stop_asked_.wait_until(Event::Deadline::max());
}

void Node::ask_to_stop() {
    stopping_ = true;
    stop_asked_.notify_all();
}

void Node::take_won_block(chain::Block block) {
    auto shared = std::make_shared<const chain::Block>(std::move(block));
    ledger_.submit_later(shared,
                         [this, shared](const auto& result) { block_settled(*shared, result); });
}

// One that joins the chain is told by the ledger.
void Node::block_settled(const chain::Block& block, const LedgerService::SubmitResult& result) {
    if (result && *result != chain::CommitOutcome::side_branch) return;
    miner_.settle(chain::template_hash(block.header.tmpl), SegmentFate::given_up);
    if (result) return;
    if (failure_) return;  // the node ends and says why
    spdlog::error("own block {} was lost: {}", chain::header_id(block.header).to_hex(),
                  chain::describe(result.error()));
    // The lane that won rests until it gets other work.
    if (work_.is_mining() && !stopping_) work_.renew();
}

}  // namespace

void run_node(const Settings& settings) {
    Node(settings).run();
}

}  // namespace gradient::node
