#include "node/network/light_client.hpp"

#include "node/audit/secure_random.hpp"
#include "node/concurrency/join.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/p2p/handshake.hpp"
#include "node/p2p/peer_fault.hpp"
#include "node/p2p/resolve.hpp"
#include "node/setup/clock.hpp"
#include "node/setup/settings.hpp"

#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace gradient::node {

namespace {

constexpr std::size_t kMaxTasks = 512;

SteadyTime now() {
    return std::chrono::steady_clock::now();
}

// The state root after a block, as the header above it in a believed tail commits to it.
std::optional<chain::Hash256> state_root_after(const chain::BelievedHistory& history,
                                               const chain::Hash256& block) {
    for (const chain::Header& header : history.tail) {
        if (header.tmpl.parent == block) return header.tmpl.state_root;
    }
    return std::nullopt;
}

}  // namespace

LightClient::LightClient(const asio::any_io_executor& strand,
                         std::shared_ptr<const chain::Network> network, WorkerPool& pool,
                         TrainerPool& trainers, Identity& identity, Progress progress)
    : strand_(strand),
      network_(std::move(network)),
      pool_(pool),
      trainers_(trainers),
      identity_(identity),
      progress_(std::move(progress)),
      changed_(strand),
      tasks_(strand, kMaxTasks) {}

Hello LightClient::our_hello() const {
    Hello hello;
    hello.network_id = network_->spec.network_id;
    hello.genesis = network_->genesis.id;
    hello.time_ms = now_ms();
    hello.tip.id = network_->genesis.id;
    hello.agent = program_version("gradient-light");
    return hello;
}

Task<std::vector<JudgedPeer>> LightClient::judge(std::vector<HostPort> addresses) {
    std::vector<JudgedPeer> judged(addresses.size());
    std::size_t left = addresses.size();
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto one = [](LightClient& self, HostPort address, JudgedPeer& result,
                            std::size_t& its_left) -> Task<> {
            co_await self.judge_one(std::move(address), result);
            --its_left;
            self.changed_.notify_all();
        };
        if (!tasks_.spawn(one(*this, addresses[i], judged[i], left))) --left;
    }
    while (left > 0) {
        SamplingStatus all;
        for (const auto& [id, link] : links_) {
            if (!link->sampler) continue;
            link->sampler->tick(now());
            all.jobs += link->sampler->status().jobs;
        }
        progress_("judging claims: units replayed", all.jobs, 0);
        co_await changed_.wait_until(now() + kTick);
    }
    std::ranges::stable_sort(judged, [](const JudgedPeer& a, const JudgedPeer& b) {
        if (a.is_believed != b.is_believed) return a.is_believed;
        return b.history.cumulative_work < a.history.cumulative_work;
    });
    co_return judged;
}

Task<LightClient::SharedLink> LightClient::connect(HostPort address, std::string& failure) {
    const auto endpoints = co_await resolve(std::move(address));
    failure = "its name has no address";
    for (const auto& endpoint : endpoints) {
        try {
            auto link = std::make_shared<Link>();
            link->id = PeerId{next_peer_++};
            link->connection = co_await Connection::connect(strand_, identity_, endpoint);
            link->hello = co_await exchange_hello(*link->connection, our_hello());
            co_return link;
        } catch (const PeerFault& fault) {
            failure = describe(fault.offence());
        } catch (const std::exception& error) {
            failure = error.what();
        }
    }
    co_return nullptr;
}

Task<> LightClient::judge_one(HostPort address, JudgedPeer& result) {
    const auto started = now();
    result.address = format_host_port(address);
    std::string failure;
    const SharedLink link = co_await connect(std::move(address), failure);
    if (!link) {
        result.verdict = "No connection: " + failure;
        co_return;
    }
    result.peer = link->id;
    result.claim = link->hello.tip;
    result.services = link->hello.services;
    std::optional<SamplingVerdict> verdict;
    chain::Hash256 seed;
    fill_random(seed.bytes);
    SamplerOutlets outlets;
    outlets.send = [this](PeerId peer, const Message& message) { send(peer, message); };
    outlets.report = [this](PeerId peer, const Offence& offence) { report(peer, offence); };
    outlets.run = [this, link](chain::LightJob job) { run_job(link, std::move(job)); };
    outlets.finished = [this, &verdict](const SamplingVerdict& told) {
        verdict = told;
        changed_.notify_all();
    };
    const chain::HistoryClaim claim{result.claim.height, result.claim.id,
                                    result.claim.cumulative_work};
    link->sampler.emplace(
        chain::LightNetwork{network_->params(), network_->genesis.header, network_->task}, link->id,
        claim, seed, now_ms(), std::move(outlets));
    links_.emplace(link->id, link);
    tasks_.spawn(serve(link));
    link->sampler->start(now());
    while (!verdict) co_await changed_.wait_until(now() + kMaxJudging);
    result.time = std::chrono::duration_cast<std::chrono::milliseconds>(now() - started);
    result.bytes = link->sampler->status().bytes;
    result.replays = link->sampler->status().jobs;
    result.is_believed = verdict->is_believed();
    result.verdict = describe(*verdict);
    if (result.is_believed) result.history = std::get<chain::BelievedHistory>(verdict->result);
}

Task<> LightClient::serve(SharedLink link) {
    try {
        co_await wait_any(link->connection->run_writer(), read(*link));
    } catch (const PeerFault& fault) {
        spdlog::info("a peer breaks the protocol: {}", describe(fault.offence()));
    } catch (const boost::system::system_error& error) {
        spdlog::debug("a connection has ended: {}", error.what());
    }
    link->is_gone = true;
    links_.erase(link->id);
    if (link->sampler) link->sampler->peer_left(link->id);
    if (download_) download_->remove_peer(link->id, now());
    changed_.notify_all();
    co_await link->connection->close(GoodbyeReason::shutdown);
}

Task<> LightClient::read(Link& link) {
    while (!link.is_gone) {
        Message message = co_await link.connection->receive();
        dispatch(link, std::move(message));
    }
}

// What does not concern somebody without a chain is passed over: peers announce and tell of items.
void LightClient::dispatch(Link& link, Message message) {
    auto& sampler = link.sampler;
    const auto time = now();
    if (const auto* ping = std::get_if<Ping>(&message)) return send(link.id, Pong{ping->nonce});
    if (auto* part = std::get_if<SnapshotPart>(&message)) {
        if (download_) download_->on_part(link.id, *part, time);
        return changed_.notify_all();
    }
    if (auto* offer = std::get_if<SnapshotOffer>(&message)) {
        link.offer = std::move(*offer);
        return changed_.notify_all();
    }
    if (std::holds_alternative<Goodbye>(message)) {
        link.is_gone = true;
        return;
    }
    if (!sampler) return;
    if (const auto* tail = std::get_if<Tail>(&message)) sampler->on_tail(link.id, *tail, time);
    if (const auto* samples = std::get_if<Samples>(&message))
        sampler->on_samples(link.id, *samples, time);
    if (auto* evidence = std::get_if<Evidence>(&message))
        sampler->on_evidence(link.id, std::move(*evidence), time);
    if (const auto* data = std::get_if<TaskData>(&message))
        sampler->on_task_data(link.id, *data, time);
    if (const auto* missing = std::get_if<NotFound>(&message))
        sampler->on_not_found(link.id, *missing, time);
}

void LightClient::run_job(const SharedLink& link, chain::LightJob job) {
    const auto run = [](LightClient& self, SharedLink its_link, chain::LightJob its_job) -> Task<> {
        auto work = [&self, &its_job](const std::stop_token&) {
            LeasedTrainers trainers(self.trainers_);
            return chain::run_light_job(its_job, self.network_->params(), trainers);
        };
        const auto result = co_await run_on(self.pool_, Priority::verify, {}, std::move(work));
        its_link->sampler->job_done(result, now());
    };
    tasks_.spawn(run(*this, link, std::move(job)));
}

Task<std::optional<LightClient::Fetched>> LightClient::fetch_snapshot(
    const std::vector<JudgedPeer>& judged, std::filesystem::path file) {
    constexpr std::chrono::seconds kOfferWait{10};
    if (judged.empty() || !judged.front().is_believed) co_return std::nullopt;
    const chain::BelievedHistory& best = judged.front().history;
    std::vector<SharedLink> sources;
    for (const JudgedPeer& peer : judged) {
        const auto found = links_.find(peer.peer);
        if (!peer.is_believed || found == links_.end()) continue;
        send(peer.peer, GetSnapshot{});
        sources.push_back(found->second);
    }
    const auto deadline = now() + kOfferWait;
    const auto answered = [](const SharedLink& link) { return link->offer || link->is_gone; };
    while (!std::ranges::all_of(sources, answered) && now() < deadline)
        co_await changed_.wait_until(deadline);
    // The newest one that the best chain commits to.
    const SnapshotOffer* chosen = nullptr;
    for (const SharedLink& link : sources) {
        if (!link->offer || !is_well_formed(*link->offer)) continue;
        if (state_root_after(best, link->offer->block) != link->offer->state_root) continue;
        if (chosen == nullptr || link->offer->height > chosen->height) chosen = &*link->offer;
    }
    if (chosen == nullptr) co_return std::nullopt;
    SyncOutlets outlets;
    outlets.send = [this](PeerId peer, const Message& message) { send(peer, message); };
    outlets.report = [this](PeerId peer, const Offence& offence) { report(peer, offence); };
    download_.emplace(*chosen, file, std::move(outlets));
    for (const SharedLink& link : sources) {
        if (!link->is_gone && link->offer && link->offer->parts == chosen->parts)
            download_->add_peer(link->id, now());
    }
    while (!download_->is_done() && download_->has_peers()) {
        download_->tick(now());
        progress_("fetching the snapshot: parts", download_->parts_written(),
                  download_->offer().parts.size());
        co_await changed_.wait_until(now() + kTick);
    }
    if (!download_->is_done()) co_return std::nullopt;
    Fetched fetched{download_->offer(), download_->offer().size_bytes};
    download_.reset();
    co_return fetched;
}

void LightClient::send(PeerId peer, const Message& message) {
    const auto found = links_.find(peer);
    if (found != links_.end()) static_cast<void>(found->second->connection->send(message));
}

void LightClient::report(PeerId peer, const Offence& offence) {
    spdlog::info("a peer is no source: {}", describe(offence));
    const auto found = links_.find(peer);
    if (found != links_.end()) found->second->is_gone = true;
}

Task<> LightClient::close() {
    co_await tasks_.close();
}

}  // namespace gradient::node
