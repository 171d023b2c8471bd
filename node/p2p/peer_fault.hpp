#pragma once

#include "node/p2p/offence.hpp"

#include <stdexcept>
#include <utility>

namespace gradient::node {

/// Thrown where a peer's bytes break the protocol: what is to be held against it.
class PeerFault : public std::runtime_error {
  public:
    explicit PeerFault(Offence offence)
        : std::runtime_error("the peer breaks the protocol"), offence_(std::move(offence)) {}

    [[nodiscard]] const Offence& offence() const noexcept { return offence_; }

  private:
    Offence offence_;
};

}  // namespace gradient::node
