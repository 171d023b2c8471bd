#include "node/network/peer_service.hpp"

#include "node/audit/secure_random.hpp"
#include "node/concurrency/join.hpp"
#include "node/concurrency/run_on.hpp"
#include "node/p2p/address_file.hpp"
#include "node/p2p/handshake.hpp"
#include "node/p2p/peer_fault.hpp"
#include "node/p2p/resolve.hpp"
#include "node/setup/clock.hpp"
#include "node/setup/failure.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace gradient::node {

namespace {

std::vector<HostPort> parse_all(const std::vector<std::string>& texts, std::string_view option) {
    std::vector<HostPort> parsed;
    for (const std::string& text : texts) {
        const auto one = parse_host_port(text);
        if (!one) {
            throw Failure(ExitCode::usage,
                          fmt::format("{} {}: this is not HOST:PORT.", option, text));
        }
        parsed.push_back(*one);
    }
    return parsed;
}

// What a file holds, or nothing and a line in the log: no file of peers is worth not starting.
template <class T>
T value_or_empty(chain::Result<T, std::string> loaded, T empty) {
    if (loaded) return *std::move(loaded);
    spdlog::warn("{} It is begun anew.", loaded.error());
    return empty;
}

chain::Hash256 random_hash() {
    chain::Hash256 hash;
    fill_random(hash.bytes);
    return hash;
}

DialOutcome outcome_of(GoodbyeReason reason) {
    switch (reason) {
        case GoodbyeReason::self:
            return DialOutcome::self;
        case GoodbyeReason::already_connected:
            return DialOutcome::already_connected;
        case GoodbyeReason::wrong_network:
            return DialOutcome::wrong_network;
        case GoodbyeReason::shutdown:
        case GoodbyeReason::too_many_peers:
        case GoodbyeReason::banned:
        case GoodbyeReason::misbehaviour:
        case GoodbyeReason::too_slow:
        case GoodbyeReason::timeout:
            return DialOutcome::refused;
    }
    return DialOutcome::refused;
}

}  // namespace

Moment PeerService::moment() {
    return {std::chrono::steady_clock::now(), now_ms() / 1000};
}

PeerService::PeerService(LedgerService& ledger, WorkerPool& pool, const chain::SecretKey& identity,
                         const PeerSettings& settings, Files files)
    : ledger_(ledger),
      pool_(pool),
      identity_(identity),
      settings_(settings),
      files_(std::move(files)),
      bans_(value_or_empty(load_bans(files_.bans, moment().unix_s), BanList())),
      view_{ledger.ledger(), ledger.mempool(), ledger.share_pool()},
      outlets_(outlets()),
      sync_(ledger.ledger(), outlets_),
      server_(ledger.ledger(), outlets_),
      history_(ledger.ledger(), outlets_),
      relay_(view_, outlets_),
      shelf_(files_.snapshots, settings.snapshot_interval),
      caught_up_(std::chrono::steady_clock::now()),
      tip_since_(std::chrono::steady_clock::now()),
      next_save_(std::chrono::steady_clock::now() + kSaveInterval),
      calls_(ledger.strand(), kMaxDials + kMaxFixedPeers + 1),
      held_(ledger.strand(), 2 * (settings.max_inbound + settings.max_outbound) + kMaxFixedPeers),
      judgements_(ledger.strand(), kMaxJudgements) {
    const Moment now = moment();
    const auto salt = random_hash();
    StoredAddresses empty{AddressBook(salt, random_hash()), {}};
    auto stored = value_or_empty(load_addresses(files_.addresses, salt, random_hash(), now.unix_s),
                                 std::move(empty));
    book_.emplace(std::move(stored.book));
    set_.emplace(
        identity_.node_id(), bans_, penalties_, random_hash(),
        PeerSet::Limits{settings.max_inbound, settings.discover ? settings.max_outbound : 0});
    DialPlan::Sources sources{parse_all(settings.fixed, "--connect"), {}, {}};
    if (settings.discover) {
        sources.anchors = std::move(stored.anchors);
        sources.seeds = parse_all(settings.seeds, "--seed");
    }
    plan_.emplace(std::move(sources), *book_, *set_, random_hash());
    if (!settings.listen_address.empty()) {
        boost::system::error_code error;
        const auto address = asio::ip::make_address(settings.listen_address, error);
        if (error) {
            throw Failure(ExitCode::usage, fmt::format("--listen {}: this is no IP address.",
                                                       settings.listen_address));
        }
        listener_.emplace(ledger.strand(), Endpoint(address, settings.port));
    }
    ledger_.on_tip([this](const chain::TipChange& change) { tip_changed(change); });
    ledger_.on_block_proven(
        [this](const std::shared_ptr<const chain::Block>& block) { relay_.block_proven(block); });
    ledger_.on_share_kept([this](const auto&, const chain::Hash256& id) {
        relay_.item_accepted({ItemKind::share, id}, std::nullopt, moment().steady);
    });
    ledger_.on_transaction_kept([this](const chain::Hash256& id) {
        relay_.item_accepted({ItemKind::transaction, id}, std::nullopt, moment().steady);
    });
}

std::optional<Endpoint> PeerService::endpoint() const {
    if (!listener_) return std::nullopt;
    return listener_->endpoint();
}

TipClaim PeerService::our_claim() const {
    const auto& tip = ledger_.tip();
    return {tip->height(), tip->id(), tip->index().cumulative_work};
}

Hello PeerService::our_hello() const {
    const chain::Network& network = ledger_.network();
    Hello hello;
    hello.network_id = network.spec.network_id;
    hello.genesis = network.genesis.id;
    const auto kept = ledger_.ledger().kept();
    if (kept && kept->bodies == 0) {
        hello.services |= static_cast<std::uint32_t>(Service::full_history) |
                          static_cast<std::uint32_t>(Service::evidence);
    }
    if (!shelf_.offer().parts.empty())
        hello.services |= static_cast<std::uint32_t>(Service::snapshot);
    hello.time_ms = now_ms();
    if (listener_) hello.listen_port = listener_->endpoint().port();
    hello.tip = our_claim();
    hello.agent = program_version("gradientd");
    return hello;
}

// ------------------------------------------------------------------------------------------------
// connections

Task<> PeerService::run() {
    co_await wait_any(listen(), keep_time());
}

Task<> PeerService::listen() {
    if (!listener_) co_return co_await sleep_for(std::chrono::hours(24 * 365));
    co_await listener_->run(
        [this](asio::ip::tcp::socket socket) { return take_call(std::move(socket)); });
}

Task<> PeerService::take_call(asio::ip::tcp::socket socket) {
    boost::system::error_code error;
    const auto remote = socket.remote_endpoint(error);
    if (error || closing_ || !set_->may_accept(remote.address(), moment().unix_s)) co_return;
    auto connection = co_await Connection::accept(std::move(socket), identity_);
    try {
        Hello hello = co_await exchange_hello(*connection, our_hello());
        static_cast<void>(
            co_await admit(std::move(connection), std::move(hello), PeerKind::inbound));
        co_return;
    } catch (const HandshakeEnded&) {
        co_return;
    } catch (const PeerFault& fault) {
        spdlog::debug("a caller at {} is turned away: {}", format_endpoint(remote),
                      describe(fault.offence()));
    }
    if (connection) co_await connection->close(GoodbyeReason::misbehaviour);
}

Task<> PeerService::call(DialOrder order) {
    std::vector<Endpoint> endpoints;
    if (const auto* known = std::get_if<Endpoint>(&order.target)) {
        endpoints.push_back(*known);
    } else {
        endpoints = co_await resolve(std::get<HostPort>(order.target));
    }
    Called called;
    for (const Endpoint& endpoint : endpoints) {
        called = co_await call_endpoint(order.kind, endpoint);
        if (called.outcome != DialOutcome::failed) break;
    }
    plan_->finished(order, called.outcome, called.node, called.services, moment());
}

Task<PeerService::Called> PeerService::call_endpoint(PeerKind kind, Endpoint endpoint) {
    Called called;
    std::unique_ptr<Connection> connection;
    try {
        connection = co_await Connection::connect(ledger_.strand(), identity_, endpoint);
        called.node = connection->node_id();
        Hello hello = co_await exchange_hello(*connection, our_hello());
        called.services = hello.services;
        const auto refused = co_await admit(std::move(connection), std::move(hello), kind);
        called.outcome = refused ? outcome_of(*refused) : DialOutcome::connected;
        co_return called;
    } catch (const HandshakeEnded& ended) {
        called.outcome = outcome_of(ended.reason());
        co_return called;
    } catch (const PeerFault& fault) {
        const auto* offence = std::get_if<ProtocolOffence>(&fault.offence());
        const bool other = offence != nullptr && *offence == ProtocolOffence::wrong_network;
        called.outcome = other ? DialOutcome::wrong_network : DialOutcome::failed;
    } catch (const boost::system::system_error& error) {
        spdlog::debug("no connection to {}: {}", format_endpoint(endpoint), error.what());
    }
    if (connection) co_await connection->close(GoodbyeReason::misbehaviour);
    co_return called;
}

Task<> PeerService::ask_seeds(std::vector<HostPort> seeds) {
    std::vector<Endpoint> endpoints;
    for (const HostPort& seed : seeds) {
        for (const Endpoint& endpoint : co_await resolve(seed)) endpoints.push_back(endpoint);
    }
    plan_->take_seeds(endpoints, moment());
}

// Takes a connection into the set and serves it from then on, or says why not.
Task<std::optional<GoodbyeReason>> PeerService::admit(std::unique_ptr<Connection> connection,
                                                      Hello hello, PeerKind kind) {
    const Moment now = moment();
    Peer peer;
    peer.id = PeerId{next_peer_++};
    peer.node = connection->node_id();
    peer.address = connection->remote_endpoint();
    peer.kind = kind;
    peer.since = now.steady;
    peer.heard = now.steady;
    peer.hello = hello;
    peer.tip = hello.tip;
    std::optional<GoodbyeReason> refused;
    if (closing_ || held_.full()) {
        refused = GoodbyeReason::too_many_peers;
    } else if (kind == PeerKind::feeler) {
        co_await connection->close(GoodbyeReason::shutdown);
        co_return std::nullopt;
    } else {
        Admission admission = set_->admit(std::move(peer), now);
        refused = admission.refused;
        end(admission.dropped);
    }
    if (refused) {
        co_await connection->close(*refused);
        co_return refused;
    }
    auto session = std::make_shared<Session>(PeerId{next_peer_ - 1}, std::move(connection),
                                             std::move(hello), ledger_.strand());
    sessions_.emplace(session->id, session);
    joined(*session, kind);
    held_.spawn(hold(session));
    co_return std::nullopt;
}

void PeerService::joined(Session& session, PeerKind kind) {
    const Endpoint& remote = session.connection->remote_endpoint();
    spdlog::info("peer {} is {} at {} ({}), height {}", number_of(session.id),
                 session.connection->node_id().to_hex().substr(0, 16), format_endpoint(remote),
                 session.hello.agent, session.hello.tip.height);
    const Moment now = moment();
    if (kind == PeerKind::inbound) {
        if (session.hello.listen_port != 0) {
            const AddressRecord record{ip_bytes(remote.address()), session.hello.listen_port,
                                       session.hello.services, now.unix_s};
            book_->add(remote.address(), std::span(&record, 1), now.unix_s);
        }
    } else if (settings_.discover) {
        set_->expect_addresses(session.id);
        send(session.id, GetAddresses{});
    }
    sync_.peer_joined(session.id, session.hello, now.steady);
    server_.peer_joined(session.id, now.steady);
    relay_.peer_joined(session.id, session.hello);
    tell(PeerChange::Kind::joined, session);
}

void PeerService::tell(PeerChange::Kind kind, const Session& session) const {
    if (!on_peer_) return;
    on_peer_({kind, session.id, session.connection->node_id(),
              format_endpoint(session.connection->remote_endpoint())});
}

Task<> PeerService::hold(std::shared_ptr<Session> session) {
    try {
        co_await wait_any(session->connection->run_writer(), converse(*session));
    } catch (const PeerFault& fault) {
        report(session->id, fault.offence());
        session->end(GoodbyeReason::misbehaviour);
    } catch (const boost::system::system_error& error) {
        spdlog::debug("peer {}: {}", number_of(session->id), error.what());
    } catch (const std::exception& error) {
        spdlog::error("peer {}: {}", number_of(session->id), error.what());
    }
    left(*session);
    co_await session->connection->close(session->reason.value_or(GoodbyeReason::shutdown));
}

Task<> PeerService::converse(Session& session) {
    co_await wait_any(read_messages(session), wait_for_end(session));
}

Task<> PeerService::wait_for_end(Session& session) {
    while (!session.reason) co_await session.ended.wait_until(Event::Deadline::max());
}

void PeerService::left(Session& session) {
    const PeerId peer = session.id;
    if (sessions_.erase(peer) == 0) return;
    const Moment now = moment();
    spdlog::info("peer {} is gone", number_of(peer));
    for (std::size_t type = 0; type < kMessageTypes; ++type) {
        gone_sent_.messages[type] += session.connection->sent().messages[type];
        gone_sent_.bytes[type] += session.connection->sent().bytes[type];
        gone_received_.messages[type] += session.connection->received().messages[type];
        gone_received_.bytes[type] += session.connection->received().bytes[type];
    }
    if (const auto removed = set_->remove(peer)) plan_->lost(*removed, now);
    sync_.peer_left(peer, now.steady);
    server_.peer_left(peer);
    history_.peer_left(peer);
    relay_.peer_left(peer, now.steady);
    tell(PeerChange::Kind::left, session);
}

// A peer that the set has let go.
void PeerService::end(const std::optional<Departure>& departure) {
    if (!departure) return;
    if (Session* const session = find(departure->peer)) session->end(departure->reason);
}

Session* PeerService::find(PeerId peer) const {
    const auto found = sessions_.find(peer);
    return found == sessions_.end() ? nullptr : found->second.get();
}

// ------------------------------------------------------------------------------------------------
// time

Task<> PeerService::keep_time() {
    for (;;) {
        tick();
        co_await sleep_for(kTick);
    }
}

void PeerService::tick() {
    const Moment now = moment();
    sync_.tick(now.steady);
    server_.tick(now.steady);
    history_.tick(now.steady);
    relay_.tick(now.steady);
    make_calls(now);
    ping_peers(now);
    look_whether_caught_up(now);
    end(set_->drop_laggard(ledger_.ledger().work_floor(), now.steady));
    if (now.steady < next_save_) return;
    next_save_ = now.steady + kSaveInterval;
    book_->expire(now.unix_s);
    bans_.expire(now.unix_s);
    save();
}

void PeerService::make_calls(Moment now) {
    while (!calls_.full()) {
        const auto order = plan_->next(now);
        if (!order) break;
        calls_.spawn(call(*order));
    }
    if (!settings_.discover || calls_.full()) return;
    if (auto seeds = plan_->seeds_to_ask(now); !seeds.empty())
        calls_.spawn(ask_seeds(std::move(seeds)));
}

void PeerService::ping_peers(Moment now) {
    for (const auto& [id, session] : sessions_) {
        if (now.steady - session->connection->last_receipt() > kPeerTimeout) {
            session->end(GoodbyeReason::timeout);
        } else if (!session->ping_sent || now.steady - *session->ping_sent > kPingInterval) {
            session->ping_sent = now.steady;
            send(id, Ping{++session->ping_nonce, our_claim()});
        }
    }
}

void PeerService::look_whether_caught_up(Moment now) {
    if (caught_up_.is_done()) return;
    CaughtUp::Facts facts;
    facts.expects_peers = !plan_->fixed().empty() ||
                          (settings_.discover && (!settings_.seeds.empty() || book_->size() > 0));
    for (const auto& [id, session] : sessions_) {
        if (!facts.first_peer_since || session->since < *facts.first_peer_since)
            facts.first_peer_since = session->since;
    }
    const auto state = sync_.status(now.steady).state;
    facts.in_sync = std::holds_alternative<sync_state::InSync>(state) ||
                    std::holds_alternative<sync_state::AllPeersRefused>(state);
    facts.tip_height = ledger_.tip()->height();
    facts.now = now.steady;
    if (caught_up_.look(facts) && on_caught_up_) on_caught_up_();
}

void PeerService::tip_changed(const chain::TipChange& change) {
    const SteadyTime now = moment().steady;
    tip_since_ = now;
    sync_.tip_changed(now);
    relay_.tip_changed(change, now, now_ms());
    shelve_snapshot();
}

void PeerService::shelve_snapshot() {
    const auto height = shelf_.due(ledger_.tip()->height());
    if (!height || shelving_ || closing_) return;
    const auto make = [](PeerService& self, std::uint64_t its_height) -> Task<> {
        auto job = [&store = self.ledger_.ledger().store(), folder = self.shelf_.folder(),
                    its_height](const std::stop_token&) {
            return SnapshotShelf::make(store, folder, its_height);
        };
        try {
            auto made = co_await run_on(self.pool_, Priority::audit, {}, std::move(job));
            self.shelf_.add(std::move(made));
            spdlog::info("a snapshot of height {} is served", its_height);
        } catch (const std::exception& error) {
            spdlog::warn("no snapshot of height {} is served: {}", its_height, error.what());
            self.shelf_.pass_over(its_height);
        }
        self.shelving_ = false;
    };
    shelving_ = judgements_.spawn(make(*this, *height));
}

void PeerService::save() {
    try {
        save_addresses(files_.addresses, *book_, set_->anchors(kMaxAnchors));
        save_bans(files_.bans, bans_);
    } catch (const Failure& failure) {
        spdlog::warn("{}", failure.what());
    }
}

Task<> PeerService::close() {
    closing_ = true;
    save();
    if (listener_) co_await listener_->close();
    co_await calls_.close();
    for (const auto& [id, session] : sessions_) session->end(GoodbyeReason::shutdown);
    co_await held_.wait_idle(std::chrono::steady_clock::now() + kClosingTime);
    co_await held_.close();
    co_await judgements_.close();
}

}  // namespace gradient::node
