#pragma once

#include "chain/crypto/key.hpp"

#include <cstdint>

namespace gradient::node {

/// Name of a node: the public key of the identity that its TLS certificate carries.
using NodeId = chain::PublicKey;

/// One connection of this process; never used twice.
enum class PeerId : std::uint64_t {};

/// The connection's number, as logs and users see it.
[[nodiscard]] constexpr std::uint64_t number_of(PeerId peer) noexcept {
    return static_cast<std::uint64_t>(peer);
}

}  // namespace gradient::node
