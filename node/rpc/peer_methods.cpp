#include "node/rpc/peer_methods.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace gradient::node {

namespace {

/// Longest ban that can be asked for (seconds): ten years.
constexpr std::uint64_t kMaxBanS = std::uint64_t{10} * 365 * 86'400;
/// Of an address or a node id as text.
constexpr std::uint64_t kMaxAddressBytes = 300;

// Peers choose these bytes; what is not ASCII might not even be UTF-8.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

json::object peer_view(const PeerFigures& peer) {
    return {{"peer", number_of(peer.peer)},
            {"node", peer.node.to_hex()},
            {"address", peer.address},
            {"direction", peer.direction},
            {"agent", printable(peer.agent)},
            {"connected_s", peer.connected_s},
            {"ping_ms", peer.ping_ms ? json::value(*peer.ping_ms) : json::value(nullptr)},
            {"height", peer.height},
            {"tip", peer.tip.to_hex()},
            {"work", peer.work.to_hex()},
            {"bytes_sent", peer.bytes_sent},
            {"bytes_received", peer.bytes_received},
            {"bytes_waiting", peer.queued_bytes},
            {"score", peer.score}};
}

Schema peer_schema() {
    return schema::object({
        {"peer", schema::whole(), "its number in this run"},
        {"node", schema::hash(), "its identity"},
        {"address", schema::text(), "HOST:PORT of the connection"},
        {"direction", schema::one_of({"inbound", "outbound", "fixed", "feeler"})},
        {"agent", schema::text(), "the program that it says it is"},
        {"connected_s", schema::whole()},
        {"ping_ms", schema::nullable(schema::whole())},
        {"height", schema::whole(), "of the tip that it claims"},
        {"tip", schema::hash()},
        {"work", schema::text(), "that it claims, 64 hexadecimal digits"},
        {"bytes_sent", schema::whole()},
        {"bytes_received", schema::whole()},
        {"bytes_waiting", schema::whole(), "to be sent"},
        {"score", schema::whole(), "what is held against it; at 100 it goes"},
    });
}

json::object counts_view(const std::map<std::string, std::uint64_t>& counts) {
    json::object view;
    for (const auto& [name, count] : counts) view[name] = count;
    return view;
}

json::object network_view(const NetworkFigures& figures) {
    return {{"node", figures.node.to_hex()},
            {"listening", figures.listening},
            {"inbound", figures.inbound},
            {"outbound", figures.outbound},
            {"known_addresses", figures.known_addresses},
            {"bans", figures.bans},
            {"bytes_sent", figures.bytes_sent},
            {"bytes_received", figures.bytes_received},
            {"messages", counts_view(figures.messages_received)},
            {"penalties", counts_view(figures.penalties)}};
}

Schema network_schema() {
    return schema::object({
        {"node", schema::hash(), "this node's identity"},
        {"listening", schema::text(), "HOST:PORT; empty: it takes no connections"},
        {"inbound", schema::whole()},
        {"outbound", schema::whole(), "fixed ones among them"},
        {"known_addresses", schema::whole()},
        {"bans", schema::whole()},
        {"bytes_sent", schema::whole()},
        {"bytes_received", schema::whole()},
        {"messages", schema::map(schema::whole()), "received, by name"},
        {"penalties", schema::map(schema::whole()), "faults held against peers, by name"},
    });
}

// Runs a query on the strand that owns the service.
template <class Query>
Task<json::value> ask(PeerService& service, Query query) {
    auto run = [&service, its_query = std::move(query)](LedgerService&) -> json::value {
        return its_query(service);
    };
    co_return co_await service.ledger().on_strand(std::move(run));
}

void add_queries(RpcDispatcher& dispatcher, PeerService& service) {
    dispatcher.add({
        .name = "peers",
        .summary = "The connected peers.",
        .permission = RpcPermission::read,
        .result = schema::list(peer_schema()),
        .call =
            [&service](RpcParams) {
                return ask(service, [](PeerService& its) -> json::value {
                    json::array list;
                    for (const auto& peer : its.peers()) list.push_back(peer_view(peer));
                    return list;
                });
            },
    });
    dispatcher.add({
        .name = "network",
        .summary = "All connections together.",
        .permission = RpcPermission::read,
        .result = network_schema(),
        .call =
            [&service](RpcParams) {
                return ask(service, [](PeerService& its) -> json::value {
                    return network_view(its.figures());
                });
            },
    });
    dispatcher.add({
        .name = "why_stuck",
        .summary = "What the node waits for, from whom, by which rule, and what to do.",
        .permission = RpcPermission::read,
        .result = stuck_schema(),
        .call =
            [&service](RpcParams) {
                return ask(service, [](PeerService& its) -> json::value {
                    return stuck_view(its.why_stuck());
                });
            },
    });
    dispatcher.add({
        .name = "bans",
        .summary = "Whom the node has no dealings with.",
        .permission = RpcPermission::read,
        .result = schema::list(schema::object({{"who", schema::text(), "node id or IP address"},
                                               {"until_s", schema::whole(), "seconds since 1970"},
                                               {"reason", schema::text()}})),
        .call =
            [&service](RpcParams) {
                return ask(service, [](PeerService& its) -> json::value {
                    json::array list;
                    for (const auto& ban : its.bans()) {
                        list.push_back(
                            {{"who", ban.who}, {"until_s", ban.until_s}, {"reason", ban.reason}});
                    }
                    return list;
                });
            },
    });
}

void add_connecting(RpcDispatcher& dispatcher, PeerService& service) {
    dispatcher.add({
        .name = "connect_peer",
        .summary = "Connects to a peer and keeps it until the node ends.",
        .permission = RpcPermission::control,
        .parameters = {required("address", schema::text(kMaxAddressBytes), "HOST:PORT")},
        .result = schema::object({{"address", schema::text()}}),
        .call =
            [&service](RpcParams params) {
                return ask(service,
                           [address = params.text("address")](PeerService& its) -> json::value {
                               if (!its.connect(address))
                                   throw invalid_parameter("address", "must be HOST:PORT");
                               return json::object{{"address", address}};
                           });
            },
    });
    dispatcher.add({
        .name = "disconnect_peer",
        .summary = "Ends the connection to a peer; it may come back.",
        .permission = RpcPermission::control,
        .parameters = {required("peer", schema::whole(), "number of the peer")},
        .result = schema::object({{"peer", schema::whole()}}),
        .errors = {RpcErrorCode::not_found},
        .call =
            [&service](RpcParams params) {
                return ask(service,
                           [peer = params.integer("peer")](PeerService& its) -> json::value {
                               if (!its.disconnect(PeerId{peer})) {
                                   throw RpcError(RpcErrorCode::not_found,
                                                  fmt::format("There is no peer {}.", peer));
                               }
                               return json::object{{"peer", peer}};
                           });
            },
    });
}

void add_banning(RpcDispatcher& dispatcher, PeerService& service) {
    const RpcParameter who = required("who", schema::text(kMaxAddressBytes),
                                      "node id of 64 hexadecimal digits, or IP address");
    dispatcher.add({
        .name = "ban",
        .summary = "Has no dealings with a node or address for a time.",
        .permission = RpcPermission::control,
        .parameters = {who, required("seconds", schema::whole(1, kMaxBanS), "for how long")},
        .result = schema::object({{"who", schema::text()}, {"seconds", schema::whole()}}),
        .call =
            [&service](RpcParams params) {
                return ask(service,
                           [who = params.text("who"),
                            seconds = params.integer("seconds")](PeerService& its) -> json::value {
                               if (!its.ban(who, std::chrono::seconds(seconds)))
                                   throw invalid_parameter("who",
                                                           "must be a node id or an IP address");
                               return json::object{{"who", who}, {"seconds", seconds}};
                           });
            },
    });
    dispatcher.add({
        .name = "unban",
        .summary = "Lifts a ban.",
        .permission = RpcPermission::control,
        .parameters = {who},
        .result = schema::object({{"who", schema::text()}}),
        .errors = {RpcErrorCode::not_found},
        .call =
            [&service](RpcParams params) {
                return ask(service, [who = params.text("who")](PeerService& its) -> json::value {
                    if (!its.unban(who))
                        throw RpcError(RpcErrorCode::not_found, who + " is not banned.");
                    return json::object{{"who", who}};
                });
            },
    });
}

}  // namespace

json::object stuck_view(const StuckReport& report) {
    return {{"state", report.state},
            {"stuck", report.is_stuck},
            {"waiting_for", report.waiting_for},
            {"peer", report.peer ? json::value(number_of(*report.peer)) : json::value(nullptr)},
            {"rule", report.rule},
            {"advice", report.advice}};
}

Schema stuck_schema() {
    return schema::object({
        {"state", schema::text(), "in one word or two: in_sync, downloading, no_peers, ..."},
        {"stuck", schema::boolean(), "nothing has moved for longer than is usual"},
        {"waiting_for", schema::text(), "a sentence"},
        {"peer", schema::nullable(schema::whole())},
        {"rule", schema::text(), "that has refused what came, if one did"},
        {"advice", schema::text(), "what to do about it"},
    });
}

void add_peer_methods(RpcDispatcher& dispatcher, PeerService& service) {
    add_queries(dispatcher, service);
    add_connecting(dispatcher, service);
    add_banning(dispatcher, service);
}

}  // namespace gradient::node
