#pragma once

#include "chain/base/bytes.hpp"
#include "node/p2p/peer.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace gradient::node {

/// Inbound peers that are kept whatever comes, for each kind of merit. None of these merits is one
/// that somebody with many connections of one place can have more of than others.
inline constexpr std::size_t kProtectedGroups = 4;
inline constexpr std::size_t kProtectedPings = 8;
inline constexpr std::size_t kProtectedTransactions = 4;
inline constexpr std::size_t kProtectedShares = 4;
inline constexpr std::size_t kProtectedBlocks = 4;

/// Which inbound peer has to go for another one, after Bitcoin Core; nothing if all are worth
/// keeping. Kept are
/// - of each of the kProtectedGroups network groups that `salt` puts first, the oldest peer;
/// - those with the lowest pings and those whose last useful transactions, shares and blocks are
///   the newest;
/// - of the others, the half that has been connected for longest.
/// Of what is left, the newest peer of the network group with the most peers goes. Peers of other
/// kinds in the list are left alone.
[[nodiscard]] std::optional<PeerId> peer_to_evict(const std::vector<const Peer*>& peers,
                                                  const chain::Hash256& salt);

}  // namespace gradient::node
