#pragma once

#include "chain/base/bytes.hpp"
#include "chain/pool/share_pool.hpp"
#include "chain/verification.hpp"

#include <variant>

namespace gradient::node {

/// The share is verified and waits in the pool for a block: worth relaying.
struct ShareKept {
    chain::Hash256 segment;  ///< its id

    friend bool operator==(const ShareKept&, const ShareKept&) = default;
};

/// Nothing is known of the share yet: its round has not ended, or it started from a segment that
/// has not come. It is judged at the next tip.
struct ShareHeld {
    friend bool operator==(const ShareHeld&, const ShareHeld&) = default;
};

/// The node has just this share, or is judging it.
struct ShareKnown {
    friend bool operator==(const ShareKnown&, const ShareKnown&) = default;
};

/// What became of a share that was submitted; the last two say why it was refused.
using ShareVerdict =
    std::variant<ShareKept, ShareHeld, ShareKnown, chain::SubmitError, chain::ShareRefusal>;

/// Whether whoever sent the share must have known better: it breaks a rule that it breaks on every
/// branch. Other refusals come of another tip, a full pool, or this node's own trouble.
[[nodiscard]] bool is_senders_fault(const ShareVerdict& verdict) noexcept;

}  // namespace gradient::node
