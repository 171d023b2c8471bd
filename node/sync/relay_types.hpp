#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/ledger.hpp"
#include "chain/pool/mempool.hpp"
#include "chain/pool/share_pool.hpp"
#include "node/p2p/offence.hpp"

#include <cstdint>
#include <memory>
#include <variant>

namespace gradient::node {

using SharedBlock = std::shared_ptr<const chain::Block>;
using SharedSegment = std::shared_ptr<const chain::Segment>;
using SharedTransaction = std::shared_ptr<const chain::SignedTransaction>;

/// What the relay reads of the node, all of it on its own strand.
struct RelayView {
    const chain::Ledger& ledger;
    const chain::Mempool& mempool;
    const chain::SharePool& shares;
};

/// A transaction or share is good and waits in its pool. Its own id: that of a share can't be told
/// before it has been judged.
struct Accepted {
    chain::Hash256 id;
};
/// A share can't be judged on this tip, though its parent is here. Nothing is wrong: the ledger
/// keeps it and judges it at the next tip; if it is good, Relay::item_accepted tells.
struct Held {};
/// It is not taken.
struct Refused {
    Offence offence;
};
/// What became of a transaction or share that was submitted.
using Verdict = std::variant<Accepted, Held, Refused>;

/// What became of a block that was submitted.
using BlockVerdict = chain::Result<chain::CommitOutcome, chain::SubmitError>;

/// What the relay has done since it was made.
struct RelayFigures {
    // transactions and shares
    std::uint64_t inventories_sent = 0;  ///< messages
    std::uint64_t items_announced = 0;   ///< to each peer counted by itself
    std::uint64_t items_offered = 0;     ///< that peers told of
    std::uint64_t items_ignored = 0;     ///< of these, beyond what a peer may have waiting
    std::uint64_t items_asked = 0;
    std::uint64_t items_served = 0;
    std::uint64_t items_missing = 0;  ///< asked of this node and not there, or over the budget
    std::uint64_t items_received = 0;
    std::uint64_t items_timed_out = 0;
    std::uint64_t duplicates_received = 0;  ///< items and blocks that were here already
    std::uint64_t orphans_taken = 0;        ///< shares that wait for another tip
    std::uint64_t orphans_dropped = 0;      ///< of these, for want of room or time

    // blocks
    std::uint64_t blocks_announced = 0;  ///< to each peer counted by itself
    std::uint64_t announcements_received = 0;
    std::uint64_t announcements_ignored = 0;
    std::uint64_t outlines_served = 0;
    std::uint64_t parts_served = 0;  ///< messages
    std::uint64_t whole_blocks_served = 0;
    std::uint64_t outlines_received = 0;
    std::uint64_t blocks_assembled = 0;       ///< from outlines
    std::uint64_t whole_blocks_received = 0;  ///< because an outline would not do
    std::uint64_t block_timeouts = 0;
    std::uint64_t outline_bytes = 0;    ///< received as outlines
    std::uint64_t part_bytes = 0;       ///< received as parts
    std::uint64_t assembled_bytes = 0;  ///< of the blocks put together from them, whole
};

}  // namespace gradient::node
