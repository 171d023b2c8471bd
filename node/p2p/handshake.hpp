#pragma once

#include "node/concurrency/task.hpp"
#include "node/p2p/connection.hpp"
#include "node/p2p/messages.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>

namespace gradient::node {

/// Thrown where a connection ends in order before both hellos were exchanged; nobody is to blame.
class HandshakeEnded : public std::runtime_error {
  public:
    enum class By : std::uint8_t { us, peer };

    HandshakeEnded(By by, GoodbyeReason reason)
        : std::runtime_error("the handshake has ended with goodbye"), by_(by), reason_(reason) {}

    /// Who has said goodbye, and why.
    [[nodiscard]] By by() const noexcept { return by_; }
    [[nodiscard]] GoodbyeReason reason() const noexcept { return reason_; }

  private:
    By by_;
    GoodbyeReason reason_;
};

/// Sends our hello and returns the peer's, before run_writer() and receive(); until the
/// connection's handshake deadline. Throws
/// - HandshakeEnded if the peer says goodbye, is this node itself, or is silent;
/// - PeerFault for another version, network or genesis (wrong_network), and for anything else than
///   hello;
/// - boost::system::system_error if the stream fails.
/// Where this node parts as self, timeout or wrong_network, it has said so and closed; else the
/// caller closes.
Task<Hello> exchange_hello(Connection& connection, const Hello& ours);

}  // namespace gradient::node
