#pragma once

#include "chain/ledger.hpp"
#include "node/sync/outlets.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <variant>

namespace gradient::node {

/// What serving one peer may cost. Tests make it smaller.
struct ServeLimits {
    /// Requests that wait while the peer's send queue is busy; more is an offence. An honest node
    /// has a handful in flight.
    std::size_t max_waiting = 16;
    /// Bytes that may be served at once, and how many more a second. What lies beyond waits.
    std::size_t burst_bytes = std::size_t{128} << 20U;
    std::size_t bytes_per_second = std::size_t{32} << 20U;
};

/// Serves headers and blocks of the active chain, and blocks of stored side branches. One answer
/// after the other, and none while the peer is slow to read those before.
///
/// Lives on the ledger's strand; see SyncOutlets.
class ChainServer {
  public:
    ChainServer(const chain::Ledger& ledger, SyncOutlets outlets, const ServeLimits& limits = {});

    void peer_joined(PeerId peer, SteadyTime now);
    void peer_left(PeerId peer);

    void on_get_headers(PeerId peer, const GetHeaders& request, SteadyTime now);
    void on_get_block(PeerId peer, const GetBlock& request, SteadyTime now);

    /// Serves what waits, as far as that peer has read what it asked for before.
    void serve(PeerId peer, SteadyTime now);
    /// The same for all. To be called a few times a second.
    void tick(SteadyTime now);

    /// Requests that wait, of all peers.
    [[nodiscard]] std::size_t waiting() const;

  private:
    using Request = std::variant<GetHeaders, GetBlock>;
    struct Peer {
        std::deque<Request> waiting;
        double credit_bytes = 0;
        SteadyTime credit_at;
    };

    void take(PeerId id, Request request, SteadyTime now);
    void serve_waiting(PeerId id, Peer& peer, SteadyTime now);
    [[nodiscard]] Message answer(const GetHeaders& request) const;
    [[nodiscard]] Message answer(const GetBlock& request) const;
    [[nodiscard]] std::uint64_t fork_height(const GetHeaders& request) const;

    const chain::Ledger& ledger_;
    SyncOutlets outlets_;
    ServeLimits limits_;
    std::map<PeerId, Peer> peers_;
};

}  // namespace gradient::node
