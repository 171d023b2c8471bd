#pragma once

#include "node/p2p/offence.hpp"

#include <cstdint>

namespace gradient::node {

// What it means that a transaction or share is refused which this node has asked for. Nodes pass on
// what they have judged good, but on their own tips: so whatever hangs on the tip is nobody's
// fault.

/// Whether a transaction is never good, so that its sender is at fault, or only not on this tip.
/// Its id covers all its bytes.
[[nodiscard]] bool is_never_good(const chain::PoolError& error) noexcept;

/// Whether a share, or this copy of it, is never good. It says nothing of the id by which the share
/// was asked for: that can't be told from its bytes, so whoever answers may send any other.
[[nodiscard]] bool is_never_good_share(const Offence& offence) noexcept;

}  // namespace gradient::node
