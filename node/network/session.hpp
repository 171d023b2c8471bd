#pragma once

#include "node/concurrency/event.hpp"
#include "node/p2p/connection.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/peer_id.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gradient::node {

/// One connection whose hellos have been exchanged.
struct Session {
    using Time = std::chrono::steady_clock::time_point;

    Session(PeerId peer, std::unique_ptr<Connection> its_connection, Hello its_hello,
            const asio::any_io_executor& executor)
        : id(peer),
          connection(std::move(its_connection)),
          hello(std::move(its_hello)),
          since(std::chrono::steady_clock::now()),
          ended(executor) {}

    /// Asks the session to end; the first reason counts.
    void end(GoodbyeReason why) {
        if (!reason) reason = why;
        ended.notify_all();
    }

    PeerId id;
    std::unique_ptr<Connection> connection;
    Hello hello;
    Time since;
    Event ended;
    std::optional<GoodbyeReason> reason;  ///< why it is to end
    // ping
    std::uint64_t ping_nonce = 0;
    std::optional<Time> ping_sent;
    std::optional<std::chrono::milliseconds> ping;  ///< of the last answer
    std::map<std::string, Time> logged;             ///< offences, when they were last told
    std::size_t message_bytes = 0;  ///< of the message being handled, until it is charged for
};

}  // namespace gradient::node
