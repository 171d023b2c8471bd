#pragma once

#include "node/p2p/offence.hpp"

#include <cstdint>

namespace gradient::node {

/// How far the refusal of a transaction or share reaches.
enum class RefusalReach : std::uint8_t {
    copy,  // this copy only: another peer's may be good
    tip,   // the id, until the tip changes
    id,    // the id, for good
};

/// What it means that a transaction or share, sent because this node asked for it, is refused.
struct RefusalMeaning {
    RefusalReach reach = RefusalReach::tip;
    bool sender_at_fault = false;  ///< an honest node would not have passed it on
};

/// A node passes on only what it has judged good, but on its own tip. So whatever hangs on the tip
/// is nobody's fault.
[[nodiscard]] RefusalMeaning meaning_of_transaction(const Offence& offence) noexcept;
[[nodiscard]] RefusalMeaning meaning_of_share(const Offence& offence) noexcept;

}  // namespace gradient::node
