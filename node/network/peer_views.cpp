// What the peer service tells its user, and does for him.
#include "node/network/peer_service.hpp"
#include "node/network/stuck_report.hpp"
#include "node/setup/clock.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace gradient::node {

namespace {

std::uint64_t total(const std::array<std::uint64_t, kMessageTypes>& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::string direction_of(PeerKind kind) {
    switch (kind) {
        case PeerKind::inbound:
            return "inbound";
        case PeerKind::outbound:
            return "outbound";
        case PeerKind::feeler:
            return "feeler";
        case PeerKind::fixed:
            return "fixed";
    }
    return "unknown";
}

}  // namespace

std::vector<PeerFigures> PeerService::peers() const {
    std::vector<PeerFigures> list;
    const Moment now = moment();
    for (const auto& [id, session] : sessions_) {
        const Peer* const peer = set_->find(id);
        if (peer == nullptr) continue;  // it is about to go
        PeerFigures figures;
        figures.peer = id;
        figures.node = peer->node;
        figures.address = format_endpoint(peer->address);
        figures.direction = direction_of(peer->kind);
        figures.agent = peer->hello.agent;
        figures.connected_s = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::seconds>(now.steady - session->since).count());
        if (session->ping) figures.ping_ms = static_cast<std::uint64_t>(session->ping->count());
        figures.height = peer->tip.height;
        figures.tip = peer->tip.id;
        figures.work = peer->tip.cumulative_work;
        figures.bytes_sent = total(session->connection->sent().bytes);
        figures.bytes_received = total(session->connection->received().bytes);
        figures.queued_bytes = session->connection->queued_bytes();
        figures.score =
            static_cast<std::uint32_t>(std::lround(penalties_.score(peer->node, now.steady)));
        list.push_back(std::move(figures));
    }
    return list;
}

NetworkFigures PeerService::figures() const {
    NetworkFigures figures;
    figures.node = identity_.node_id();
    if (listener_) figures.listening = format_endpoint(listener_->endpoint());
    figures.inbound = set_->count(PeerKind::inbound);
    figures.outbound = set_->count(PeerKind::outbound) + set_->count(PeerKind::fixed);
    figures.known_addresses = book_->size();
    figures.bans = bans_.all().size();
    Traffic received = gone_received_;
    figures.bytes_sent = total(gone_sent_.bytes);
    for (const auto& [id, session] : sessions_) {
        figures.bytes_sent += total(session->connection->sent().bytes);
        for (std::size_t type = 0; type < kMessageTypes; ++type) {
            received.messages[type] += session->connection->received().messages[type];
            received.bytes[type] += session->connection->received().bytes[type];
        }
    }
    figures.bytes_received = total(received.bytes);
    for (std::size_t type = 0; type < kMessageTypes; ++type) {
        if (received.messages[type] == 0) continue;
        figures.messages_received[std::string(message_name(static_cast<std::uint8_t>(type)))] =
            received.messages[type];
    }
    figures.penalties = offences_;
    return figures;
}

StuckReport PeerService::why_stuck() const {
    const Moment now = moment();
    StuckFacts facts;
    facts.sync = sync_.status(now.steady);
    facts.tip_height = ledger_.tip()->height();
    facts.tip_age_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - tip_since_).count());
    if (last_news_) {
        facts.news_age_ms = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now.steady - *last_news_)
                .count());
    }
    facts.interval_ms = ledger_.network().params().interval_ms;
    facts.peers = sessions_.size();
    facts.known_addresses = book_->size();
    facts.is_calling = !plan_->fixed().empty() || calls_.size() > 0 || book_->size() > 0 ||
                       !settings_.seeds.empty();
    facts.is_mining = is_mining_ && is_mining_();
    facts.is_waiting_to_mine = !caught_up_.is_done();
    facts.now = now.steady;
    return explain(facts);
}

std::vector<PeerService::BanView> PeerService::bans() const {
    std::vector<BanView> list;
    for (const auto& [target, ban] : bans_.all()) {
        list.push_back({format_ban_target(target), ban.until_s, ban.reason});
    }
    return list;
}

bool PeerService::connect(const std::string& host_port) {
    const auto parsed = parse_host_port(host_port);
    if (!parsed) return false;
    plan_->add_fixed(*parsed);
    return true;
}

bool PeerService::disconnect(PeerId peer) {
    Session* const session = find(peer);
    if (session == nullptr) return false;
    session->end(GoodbyeReason::shutdown);
    return true;
}

bool PeerService::ban(const std::string& who, std::chrono::seconds duration) {
    const auto target = parse_ban_target(who);
    if (!target) return false;
    const std::uint64_t now = moment().unix_s;
    const auto until = now + static_cast<std::uint64_t>(duration.count());
    bans_.add(*target, {BanOrigin::node_operator, now, until, "by the operator"}, now);
    for (const Departure& departure : set_->drop_banned(now)) end(departure);
    save();
    return true;
}

bool PeerService::unban(const std::string& who) {
    const auto target = parse_ban_target(who);
    if (!target || !bans_.lift(*target)) return false;
    if (const auto* node = std::get_if<NodeId>(&*target)) penalties_.forgive(*node);
    save();
    return true;
}

}  // namespace gradient::node
