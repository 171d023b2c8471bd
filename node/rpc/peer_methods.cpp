#include "node/rpc/peer_methods.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>

namespace gradient::node {

namespace {

/// Longest ban that can be asked for (seconds): ten years.
constexpr std::uint64_t kMaxBanS = std::uint64_t{10} * 365 * 86'400;

json::object peer_view(const PeerFigures& peer) {
    return {{"peer", number_of(peer.peer)},
            {"node", peer.node.to_hex()},
            {"address", peer.address},
            {"direction", peer.direction},
            {"agent", peer.agent},
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

// Runs a query on the strand that owns the service.
template <class Query>
Task<json::value> ask(PeerService& service, Query query) {
    auto run = [&service, its_query = std::move(query)](LedgerService&) -> json::value {
        return its_query(service);
    };
    co_return co_await service.ledger().on_strand(std::move(run));
}

[[noreturn]] void refuse(const std::string& sentence) {
    throw RpcError(RpcErrorCode::invalid_params, sentence);
}

void add_queries(RpcDispatcher& dispatcher, PeerService& service) {
    dispatcher.add({"peers", "The connected peers.", {}, [&service](RpcParams) {
                        return ask(service, [](PeerService& its) -> json::value {
                            json::array list;
                            for (const auto& peer : its.peers()) list.push_back(peer_view(peer));
                            return list;
                        });
                    }});
    dispatcher.add({"network", "All connections together.", {}, [&service](RpcParams) {
                        return ask(service, [](PeerService& its) -> json::value {
                            return network_view(its.figures());
                        });
                    }});
    dispatcher.add({"why_stuck",
                    "What the node waits for, from whom, by which rule, and what to do.",
                    {},
                    [&service](RpcParams) {
                        return ask(service, [](PeerService& its) -> json::value {
                            return stuck_view(its.why_stuck());
                        });
                    }});
    dispatcher.add({"bans", "Whom the node has no dealings with.", {}, [&service](RpcParams) {
                        return ask(service, [](PeerService& its) -> json::value {
                            json::array list;
                            for (const auto& ban : its.bans()) {
                                list.push_back({{"who", ban.who},
                                                {"until_s", ban.until_s},
                                                {"reason", ban.reason}});
                            }
                            return list;
                        });
                    }});
}

void add_control(RpcDispatcher& dispatcher, PeerService& service) {
    dispatcher.add({"connect_peer",
                    "Connects to a peer and keeps it until the node ends.",
                    {{"address", RpcType::text, true, "HOST:PORT"}},
                    [&service](RpcParams params) {
                        return ask(
                            service,
                            [address = params.text("address")](PeerService& its) -> json::value {
                                if (!its.connect(address))
                                    refuse(fmt::format("{} is not HOST:PORT.", address));
                                return json::object{{"address", address}};
                            });
                    }});
    dispatcher.add(
        {"disconnect_peer",
         "Ends the connection to a peer; it may come back.",
         {{"peer", RpcType::integer, true, "number of the peer"}},
         [&service](RpcParams params) {
             return ask(service, [peer = params.integer("peer")](PeerService& its) -> json::value {
                 if (!its.disconnect(PeerId{peer})) {
                     throw RpcError(RpcErrorCode::not_found,
                                    fmt::format("There is no peer {}.", peer));
                 }
                 return json::object{{"peer", peer}};
             });
         }});
    const RpcParameter who{"who", RpcType::text, true,
                           "node id of 64 hexadecimal digits, or IP address"};
    dispatcher.add({"ban",
                    "Has no dealings with a node or address for a time.",
                    {who, {"seconds", RpcType::integer, true, "for how long"}},
                    [&service](RpcParams params) {
                        const std::uint64_t seconds = params.integer("seconds");
                        if (seconds == 0 || seconds > kMaxBanS)
                            refuse(fmt::format("seconds must be 1 to {}.", kMaxBanS));
                        return ask(
                            service,
                            [who = params.text("who"), seconds](PeerService& its) -> json::value {
                                if (!its.ban(who, std::chrono::seconds(seconds)))
                                    refuse(who + " is neither a node id nor an IP address.");
                                return json::object{{"who", who}, {"seconds", seconds}};
                            });
                    }});
    dispatcher.add(
        {"unban", "Lifts a ban.", {who}, [&service](RpcParams params) {
             return ask(service, [who = params.text("who")](PeerService& its) -> json::value {
                 if (!its.unban(who))
                     throw RpcError(RpcErrorCode::not_found, who + " is not banned.");
                 return json::object{{"who", who}};
             });
         }});
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

void add_peer_methods(RpcDispatcher& dispatcher, PeerService& service) {
    add_queries(dispatcher, service);
    add_control(dispatcher, service);
}

}  // namespace gradient::node
