#pragma once

#include "chain/base/u256.hpp"
#include "chain/types/block.hpp"
#include "chain/types/segment.hpp"
#include "chain/types/transaction.hpp"
#include "node/p2p/messages.hpp"
#include "node/p2p/offence.hpp"
#include "node/p2p/peer_id.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace gradient::node {

/// The time that sync and relay are told; they read no clock.
using SteadyTime = std::chrono::steady_clock::time_point;

/// What sync and relay want of the world. Both only compute: whatever is to happen leaves through
/// here, and what came of it comes back through their methods, later, never from within the call.
struct SyncOutlets {
    /// Queues a message for a peer; nothing happens if that has gone.
    std::function<void(PeerId, Message)> send;
    /// Bytes that wait to be sent to a peer. May be empty: then nothing ever waits.
    std::function<std::size_t(PeerId)> queued_bytes;
    /// Bytes that have come from a peer so far, those of an unfinished frame too. May be empty:
    /// then answers alone show that a peer sends.
    std::function<std::uint64_t(PeerId)> received_bytes;
    /// Holds something against a peer.
    std::function<void(PeerId, const Offence&)> report;
    /// Has a block judged; the verdict comes back through block_judged(). `branch_work`: the most
    /// work that headers above the block are known to have, see chain::Ledger::admit.
    std::function<void(PeerId, std::shared_ptr<const chain::Block>, const chain::U256& branch_work)>
        submit_block;
    /// Has a share judged; the verdict comes back through share_judged().
    std::function<void(PeerId, std::shared_ptr<const chain::Segment>)> submit_share;
    /// Has a transaction judged; the verdict comes back through transaction_judged().
    std::function<void(PeerId, std::shared_ptr<const chain::SignedTransaction>)> submit_transaction;
};

}  // namespace gradient::node
