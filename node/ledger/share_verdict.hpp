#pragma once

#include "chain/base/bytes.hpp"
#include "chain/pool/share_pool.hpp"
#include "chain/verification.hpp"

#include <variant>

namespace gradient::node {

/// The share is verified and waits in the pool for a block: worth relaying.
struct ShareKept {
    chain::Hash256 segment;  ///< its id
};

/// Nothing is known of the share yet: its round has not ended, or it started from a segment that
/// has not come. It is judged at the next tip.
struct ShareHeld {};

/// The node has just this share, or is judging it.
struct ShareKnown {};

/// What became of a share that was submitted; the last two say why it was refused.
using ShareVerdict =
    std::variant<ShareKept, ShareHeld, ShareKnown, chain::SubmitError, chain::ShareRefusal>;

}  // namespace gradient::node
