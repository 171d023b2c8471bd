#include "node/network/light_run.hpp"

#include "chain/snapshot.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "node/setup/failure.hpp"
#include "node/setup/store_failure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

namespace gradient::node {

namespace {

std::vector<HostPort> parse_peers(const std::vector<std::string>& texts) {
    std::vector<HostPort> peers;
    for (const std::string& text : texts) {
        const auto peer = parse_host_port(text);
        if (!peer) throw Failure(ExitCode::usage, fmt::format("{} is not HOST:PORT.", text));
        peers.push_back(*peer);
    }
    return peers;
}

// Nobody needs to know a light client again: it has a new identity each time.
chain::SecretKey fresh_key() {
    auto key = chain::SecretKey::generate();
    if (!key) throw Failure(ExitCode::failure, "The system gives no random numbers.");
    return *std::move(key);
}

// A file that goes with the object.
class TemporaryFile {
  public:
    explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace

LightResult run_light(const LightRun& run) {
    auto addresses = parse_peers(run.peers);
    Identity identity(fresh_key());
    TrainerPool trainers(run.network->task, engine_named(run.engine));
    WorkerPool pool(run.threads > 0 ? run.threads
                                    : std::max(1U, std::thread::hardware_concurrency()));
    asio::io_context context{1};
    LightClient client(context.get_executor(), run.network, pool, trainers, identity, run.progress);
    LightResult result;
    std::exception_ptr error;
    auto work = [&]() -> Task<> {
        try {
            result.peers = co_await client.judge(std::move(addresses));
            if (run.snapshot)
                result.snapshot = co_await client.fetch_snapshot(result.peers, *run.snapshot);
        } catch (...) {
            error = std::current_exception();
        }
        co_await client.close();
    };
    asio::co_spawn(context, work(), [&](const std::exception_ptr& ended) {
        if (ended && !error) error = ended;
    });
    context.run();
    if (error) std::rethrow_exception(error);
    return result;
}

void start_from_snapshot(const std::shared_ptr<const chain::Network>& network,
                         const Settings& settings, const std::filesystem::path& database) {
    auto store = chain::LevelDbStore::open(database.string(), chain::OpenMode::create_if_missing);
    if (!store) throw store_failure(store.error());
    const auto info = chain::BlockReader(**store).info();
    if (!info) throw store_failure(info.error());
    if (*info) return;
    LightRun run;
    run.network = network;
    run.peers = settings.peers.fixed;
    run.peers.insert(run.peers.end(), settings.peers.seeds.begin(), settings.peers.seeds.end());
    run.engine = settings.engine;
    run.threads = settings.threads;
    const TemporaryFile file(database.parent_path() / "snapshot.part");
    run.snapshot = file.path();
    run.progress = [](const std::string& what, std::uint64_t done, std::uint64_t of) {
        spdlog::debug("{} {} of {}", what, done, of);
    };
    spdlog::info("judging the chains of {} peers for a snapshot", run.peers.size());
    const LightResult result = run_light(run);
    for (const JudgedPeer& peer : result.peers) {
        spdlog::info("{}: {} ({} bytes, {} units replayed, {} ms)", peer.address, peer.verdict,
                     peer.bytes, peer.replays, peer.time.count());
    }
    if (!result.snapshot) {
        throw Failure(ExitCode::network,
                      "No peer offers a snapshot that a believed chain commits to: name peers with "
                      "--connect that make some (--snapshot-every), or start without "
                      "--from-snapshot to verify the whole history.");
    }
    std::ifstream in(file.path(), std::ios::binary);
    const auto imported =
        chain::import_snapshot(*network, **store, in, result.snapshot->offer.state_root);
    if (!imported) {
        throw Failure(
            ExitCode::network,
            fmt::format("The snapshot of height {} that peers serve is refused: {}",
                        result.snapshot->offer.height, chain::describe(imported.error())));
    }
    spdlog::info("started from a snapshot of height {} ({} bytes)", imported->height,
                 imported->size_bytes);
}

}  // namespace gradient::node
