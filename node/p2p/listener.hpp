#pragma once

#include "node/concurrency/event.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/p2p/handshake_slots.hpp"
#include "node/p2p/limits.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace gradient::node {

/// Rest after the system has failed to hand over a connection, for want of descriptors mostly.
inline constexpr std::chrono::milliseconds kAcceptPause{200};

/// The limits of a listener; node/p2p/limits.hpp says what each means.
struct ListenerLimits {
    std::size_t max_handshakes = kMaxHandshakes;
    std::size_t max_group_handshakes = kMaxGroupHandshakes;
    std::chrono::milliseconds accept_pause = kAcceptPause;
};

/// Takes the connections that others open. Use it from `executor` only, which must run one handler
/// at a time.
class Listener {
  public:
    /// TLS, hello and the handing over of a connection to whoever keeps it; ends within
    /// kHandshakeTimeout and some. What it throws is logged as the end of that connection.
    using Handshake = std::function<Task<>(asio::ip::tcp::socket)>;

    struct Figures {
        std::uint64_t accepted = 0;  ///< connections whose handshake has begun
        std::uint64_t refused = 0;   ///< closed at once: too many handshakes of one network group
        std::uint64_t failures = 0;  ///< times that the system failed
    };

    /// Binds and listens; port 0: any free one. `::` takes IPv4 as well. Throws Failure(network)
    /// with a sentence naming the address.
    Listener(const asio::any_io_executor& executor, const asio::ip::tcp::endpoint& endpoint,
             const ListenerLimits& limits = {});

    /// Where it listens, with the real port.
    [[nodiscard]] asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

    /// Accepts until cancelled. At max_handshakes that have not ended, further connections wait in
    /// the system's queue.
    Task<> run(Handshake handshake);

    /// Ends the handshakes and waits for them; call after run() has ended.
    Task<> close();

    [[nodiscard]] const Figures& figures() const noexcept { return figures_; }

  private:
    void take(asio::ip::tcp::socket socket);
    Task<> shake_hands(asio::ip::tcp::socket socket, asio::ip::address from);

    ListenerLimits limits_;
    asio::ip::tcp::acceptor acceptor_;
    Handshake handshake_;
    HandshakeSlots slots_;
    Event ended_;  // a handshake has
    Figures figures_;
    TaskGroup handshakes_;  // last: they use everything above
};

}  // namespace gradient::node
