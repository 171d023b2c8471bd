#include "node/node.hpp"

#include "chain/consensus/genesis_spec.hpp"
#include "chain/ledger.hpp"
#include "chain/network.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "node/audit/audit_service.hpp"
#include "node/concurrency/join.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/metrics/metrics_route.hpp"
#include "node/mining/miner.hpp"
#include "node/mining/work_source.hpp"
#include "node/network/history_check.hpp"
#include "node/network/light_run.hpp"
#include "node/network/peer_service.hpp"
#include "node/rpc/access.hpp"
#include "node/rpc/cookie.hpp"
#include "node/rpc/event_source.hpp"
#include "node/rpc/http_server.hpp"
#include "node/rpc/json_rpc.hpp"
#include "node/rpc/ledger_transaction_service.hpp"
#include "node/rpc/methods.hpp"
#include "node/rpc/pool_access.hpp"
#include "node/rpc/rpc_setup.hpp"
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

std::unique_ptr<chain::Ledger> open_ledger(const Settings& settings, const DataDirectory& directory,
                                           std::shared_ptr<const chain::Network> network) {
    if (settings.from_snapshot) start_from_snapshot(network, settings, directory.database());
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

    void announce(const asio::ip::tcp::endpoint& rpc, const std::optional<TlsFiles>& tls,
                  const std::optional<Endpoint>& peers) const {
        if (peers) {
            write_file_atomically(peer_endpoint_file(directory_), format_endpoint(*peers) + "\n",
                                  0644);
        }
        if (tls) {
            write_file_atomically(rpc_certificate_file(directory_),
                                  read_file(tls->certificate, kMaxTlsFileBytes, ExitCode::usage),
                                  0644);
        }
        write_file_atomically(endpoint_file(directory_), format_endpoint(rpc) + "\n", 0644);
    }

  private:
    void remove() const {
        std::error_code ignored;
        std::filesystem::remove(endpoint_file(directory_), ignored);
        std::filesystem::remove(peer_endpoint_file(directory_), ignored);
        std::filesystem::remove(rpc_certificate_file(directory_), ignored);
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
          rpc_place_(rpc_place(settings.rpc)),
          directory_(DataDirectory::open(settings.data_directory)),
          network_(open_network(settings, directory_)),
          key_(load_or_create_key(directory_.miner_key())),
          trainers_(network_->task, engine_named(settings.engine)),
          run_files_(directory_.path()),
          access_(Cookie::create(cookie_file(directory_.path())), rpc_users(settings.rpc)),
          pool_(std::make_unique<WorkerPool>(thread_count(settings), settings.audit_share)),
          ledger_(context_.get_executor(), open_ledger(settings, directory_, network_), *pool_,
                  trainers_),
          audits_(ledger_, *pool_, trainers_, key_, directory_.fraud_proofs(),
                  {settings.audit, AuditQueue::kMaxBytes, {}}),
          miner_(*pool_, trainers_, key_, settings.lanes,
                 {[this](chain::Block block) { take_won_block(std::move(block)); },
                  [this](chain::Segment segment) {
                      events_.hit(segment);
                      ledger_.submit_own_share(
                          std::make_shared<const chain::Segment>(std::move(segment)));
                  },
                  [this](std::uint64_t work) { work_.lanes_handed_in(work); }}),
          work_(ledger_, miner_, *pool_, trainers_, key_.public_key()),
          peers_(ledger_, *pool_, load_or_create_key(directory_.node_key()), settings.peers,
                 {directory_.addresses(), directory_.bans(), directory_.snapshots()}),
          server_(context_.get_executor(), rpc_place_, access_, routes(), dispatcher_, event_hub_),
          stop_asked_(context_.get_executor()) {}
    // First the pool: its jobs use everything else.
    ~Node() { pool_.reset(); }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    void run();

  private:
    [[nodiscard]] HttpRoutes routes();
    Task<> main();
    Task<> serve();
    void start_history_check();
    Task<> check_history();
    Task<> wait_for_end();
    Task<> wait_for_signal();
    Task<> wait_for_stop();
    void ask_to_stop();
    void take_won_block(chain::Block block);
    void block_settled(const chain::Block& block, const LedgerService::SubmitResult& result);

    Settings settings_;
    HttpPlace rpc_place_;
    DataDirectory directory_;
    std::shared_ptr<const chain::Network> network_;
    chain::SecretKey key_;
    TrainerPool trainers_;
    RunFiles run_files_;
    Access access_;
    asio::io_context context_{1};
    asio::signal_set signals_{context_, SIGINT, SIGTERM};  // before anything that takes long
    std::unique_ptr<WorkerPool> pool_;
    LedgerService ledger_;
    AuditService audits_;
    EventHub event_hub_;
    EventSource events_{event_hub_, ledger_};
    LedgerTransactionService transactions_{ledger_, pool_access(ledger_)};
    Miner miner_;
    WorkSource work_;
    PeerService peers_;
    std::optional<HistoryCheck> history_;
    TaskGroup history_task_{context_.get_executor(), 1};
    RpcDispatcher dispatcher_;
    HttpServer server_;
    Event stop_asked_;
    bool stopping_ = false;
    std::optional<Failure> failure_;
};

HttpRoutes Node::routes() {
    auto routes = rpc_routes(dispatcher_);
    routes.add(metrics_route({ledger_, miner_, audits_, peers_,
                              [this] { return work_.is_mining(); }, program_version("gradientd"),
                              std::string(model::engine_name(trainers_.engine())),
                              directory_.database()}));
    return routes;
}

void Node::run() {
    ledger_.on_tip([this](const auto& change) {
        audits_.tip_changed();
        work_.tip_changed();
        events_.tip_changed(change);
    });
    ledger_.on_scored([this] { events_.scored(); });
    ledger_.on_transaction_kept([this](const chain::Hash256& id) { events_.transaction_kept(id); });
    peers_.on_peer([this](const PeerChange& change) { events_.peer_changed(change); });
    ledger_.on_share_judged([this] { work_.share_judged(); });
    ledger_.on_share(
        [this](const chain::Hash256& lane, SegmentFate fate) { miner_.settle(lane, fate); });
    ledger_.on_segments(
        [this](std::uint64_t height, const auto& segments) { audits_.take(height, segments); });
    ledger_.on_store_failure([this](const Failure& failure) {
        if (!failure_) failure_.emplace(failure);
        ask_to_stop();
    });
    add_methods(dispatcher_,
                {ledger_, miner_, audits_, transactions_, peers_,
                 std::string(model::engine_name(trainers_.engine())), pool_->size(),
                 [this](bool on) { work_.set_mining(on); }, [this] { return work_.is_mining(); },
                 [this] { ask_to_stop(); },
                 [this] { return history_ ? std::optional(history_->status()) : std::nullopt; }});
    // Work on an old tip is work for nothing: lanes start when the node has caught up.
    peers_.on_caught_up([this] { work_.set_mining(settings_.mine); });
    peers_.ask_mining([this] { return work_.is_mining(); });
    ledger_.set_prune(settings_.prune);
    ledger_.set_own_miner(key_.public_key());
    ledger_.set_journal(directory_.mempool_journal());
    start_history_check();
    ledger_.start();
    audits_.start();
    run_files_.announce(server_.endpoint(), rpc_place_.tls, peers_.endpoint());
    spdlog::info("{}: network {}, height {}, RPC on {}{}", program_version("gradientd"),
                 network_->spec.name, ledger_.tip()->height(), format_endpoint(server_.endpoint()),
                 rpc_place_.tls ? " with TLS" : "");
    if (const auto endpoint = peers_.endpoint())
        spdlog::info("peers are met on {}", format_endpoint(*endpoint));

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
        co_await wait_any(serve(), wait_for_end());
    } catch (...) {
        error = std::current_exception();
    }
    co_await asio::co_spawn(ledger_.strand(), work_.close(), asio::use_awaitable);
    co_await asio::co_spawn(ledger_.strand(), peers_.close(), asio::use_awaitable);
    if (history_) history_->stop();
    co_await history_task_.wait_idle(Event::Deadline::max());
    co_await asio::co_spawn(ledger_.strand(), audits_.close(), asio::use_awaitable);
    co_await ledger_.close();
    co_await server_.close();
    if (error) std::rethrow_exception(error);
}

// What a snapshot's node took on trust, it verifies behind its work.
void Node::start_history_check() {
    const auto origin = snapshot_origin(ledger_.ledger());
    if (!origin || path_exists(directory_.history_verified())) return;
    history_.emplace(context_.get_executor(), network_, *pool_, trainers_, settings_,
                     directory_.history(), origin->first, origin->second,
                     [this](const Failure& failure) {
                         if (!failure_) failure_.emplace(failure);
                         ask_to_stop();
                     });
    history_task_.spawn(check_history());
}

Task<> Node::check_history() {
    try {
        co_await history_->run();
    } catch (const std::exception& error) {
        if (!stopping_) spdlog::error("verifying the history has failed: {}", error.what());
    }
    co_await history_->close();
}

Task<> Node::serve() {
    auto meet = [this]() -> Task<> {
        co_await asio::co_spawn(ledger_.strand(), peers_.run(), asio::use_awaitable);
    };
    co_await wait_any(server_.run(), meet());
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
    events_.won(block);
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
