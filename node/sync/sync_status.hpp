#pragma once

#include "chain/base/u256.hpp"
#include "node/p2p/offence.hpp"
#include "node/p2p/peer_id.hpp"
#include "node/sync/outlets.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

namespace gradient::node {

/// What catching up is at; the answer to "why am I stuck?".
namespace sync_state {
struct NoPeers {};
/// No peer that is believed claims more work than the tip has.
struct InSync {};
struct WaitingForHeaders {
    PeerId peer{};
};
struct Downloading {
    std::uint64_t from_height = 0;
    std::uint64_t to_height = 0;
    std::size_t peers = 0;
};
struct Verifying {
    std::uint64_t height = 0;
};
/// Peers claim more work, and what each of them showed for it was refused.
struct AllPeersRefused {
    Offence last;
};
/// Everything that was asked for is late.
struct Stalled {
    PeerId peer{};
    SteadyTime since;
};
/// This node could not judge the next block, and tries again.
struct OwnFailure {
    chain::SubmitError last;
};
/// Peers claim more work, and none of them has what is needed next.
struct NoSource {
    std::uint64_t height = 0;  ///< of the block that none has
};
}  // namespace sync_state

using SyncState =
    std::variant<sync_state::NoPeers, sync_state::InSync, sync_state::WaitingForHeaders,
                 sync_state::Downloading, sync_state::Verifying, sync_state::AllPeersRefused,
                 sync_state::Stalled, sync_state::OwnFailure, sync_state::NoSource>;

/// One sentence for the state.
[[nodiscard]] std::string describe(const SyncState& state);

/// Where a node stands beside its peers.
struct SyncStatus {
    SyncState state;
    std::uint64_t best_claimed_height = 0;  ///< of the claim with the most work, refused ones aside
    chain::U256 best_claimed_work;          ///< zero: no claims
    double blocks_per_second = 0;           ///< stored, of late
    std::size_t headers_held = 0;           ///< of unstored blocks
    std::size_t best_chain_headers = 0;     ///< of these, on the chain that is being fetched
    std::size_t blocks_held = 0;            ///< arrived, not judged
    std::size_t bytes_held = 0;
    std::size_t blocks_in_flight = 0;
};

}  // namespace gradient::node
