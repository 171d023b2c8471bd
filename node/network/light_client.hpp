#pragma once

#include "chain/light/history_judge.hpp"
#include "chain/network.hpp"
#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/p2p/connection.hpp"
#include "node/p2p/identity.hpp"
#include "node/p2p/net_address.hpp"
#include "node/sync/history_sampler.hpp"
#include "node/sync/snapshot_download.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradient::node {

/// What one peer's chain was found to be.
struct JudgedPeer {
    PeerId peer{};
    std::string address;  ///< HOST:PORT
    TipClaim claim;
    std::uint32_t services = 0;
    bool is_believed = false;
    std::string verdict;             ///< one sentence
    chain::BelievedHistory history;  ///< if it is believed
    std::uint64_t bytes = 0;         ///< received for it
    std::size_t replays = 0;
    std::chrono::milliseconds time{};
};

/// Somebody without a chain who asks others for theirs: judges what they claim from headers,
/// samples and work evidence, and fetches a snapshot that a believed chain commits to. For a light
/// client, and for a node that starts from a snapshot. Lives on one strand.
class LightClient {
  public:
    /// Longest that judging one peer takes.
    static constexpr std::chrono::minutes kMaxJudging{10};
    /// How often timeouts are looked at.
    static constexpr std::chrono::milliseconds kTick{200};

    /// Called with what is being done and how far it has come: done, of all (0: not known).
    using Progress =
        std::function<void(const std::string& what, std::uint64_t done, std::uint64_t of)>;

    /// References must outlive this.
    LightClient(const asio::any_io_executor& strand, std::shared_ptr<const chain::Network> network,
                WorkerPool& pool, TrainerPool& trainers, Identity& identity, Progress progress);

    /// Judges what is claimed at these addresses, all at once. Connections to believed peers stay
    /// open. In the order of proven work, most first; those that are not believed last.
    Task<std::vector<JudgedPeer>> judge(std::vector<HostPort> addresses);

    /// Fetches the snapshot that believed peers on the best chain offer into `file`. Returns the
    /// state root that the chain commits to, which the snapshot must have, or nothing if none is
    /// offered whose state root is known. After judge().
    struct Fetched {
        SnapshotOffer offer;
        std::uint64_t bytes = 0;
    };
    Task<std::optional<Fetched>> fetch_snapshot(const std::vector<JudgedPeer>& judged,
                                                std::filesystem::path file);

    /// Ends all connections. Call before destruction.
    Task<> close();

  private:
    struct Link {
        PeerId id{};
        std::unique_ptr<Connection> connection;
        Hello hello;
        std::optional<HistorySampler> sampler;
        std::optional<SnapshotOffer> offer;
        bool is_gone = false;
    };
    using SharedLink = std::shared_ptr<Link>;

    Task<> judge_one(HostPort address, JudgedPeer& result);
    Task<SharedLink> connect(HostPort address, std::string& failure);
    Task<> serve(SharedLink link);
    Task<> read(Link& link);
    void dispatch(Link& link, Message message);
    void run_job(const SharedLink& link, chain::LightJob job);
    void send(PeerId peer, const Message& message);
    void report(PeerId peer, const Offence& offence);
    [[nodiscard]] Hello our_hello() const;

    asio::any_io_executor strand_;
    std::shared_ptr<const chain::Network> network_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    Identity& identity_;
    Progress progress_;
    std::map<PeerId, SharedLink> links_;
    std::optional<SnapshotDownload> download_;
    Event changed_;
    TaskGroup tasks_;
    std::uint64_t next_peer_ = 1;
};

}  // namespace gradient::node
