#include "node/p2p/handshake.hpp"

#include "node/concurrency/join.hpp"

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

namespace gradient::node {

namespace {

Task<> swap_hellos(Connection& connection, const Hello& ours, std::optional<Message>& first) {
    connection.send(ours);
    co_await connection.flush();
    first = co_await connection.receive();
}

bool same_network(const Hello& a, const Hello& b) {
    return a.protocol_version == b.protocol_version && a.network_id == b.network_id &&
           a.genesis == b.genesis;
}

}  // namespace

Task<Hello> exchange_hello(Connection& connection, const Hello& ours) {
    using By = HandshakeEnded::By;
    if (connection.node_id() == connection.own_id()) {
        co_await connection.close(GoodbyeReason::self);
        throw HandshakeEnded(By::us, GoodbyeReason::self);
    }
    std::optional<Message> first;
    const auto left = connection.handshake_deadline() - std::chrono::steady_clock::now();
    co_await wait_any(swap_hellos(connection, ours, first), sleep_for(left));
    if (!first) {
        co_await connection.close(GoodbyeReason::timeout);
        throw HandshakeEnded(By::us, GoodbyeReason::timeout);
    }
    if (const auto* const goodbye = std::get_if<Goodbye>(&*first)) {
        throw HandshakeEnded(By::peer, goodbye->reason);
    }
    auto* const hello = std::get_if<Hello>(&*first);
    if (hello == nullptr) throw PeerFault(ProtocolOffence::hello_expected);
    if (!same_network(*hello, ours)) {
        co_await connection.close(GoodbyeReason::wrong_network);
        throw PeerFault(ProtocolOffence::wrong_network);
    }
    co_return std::move(*hello);
}

}  // namespace gradient::node
