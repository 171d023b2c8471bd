#pragma once

#include "node/sync/sync_status.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace gradient::node {

/// Says when a node that has just started may mine: once it has caught up with its peers, since
/// work on an old tip is work for nothing. It never waits for ever: nobody may keep a node from
/// mining by claiming a chain that does not exist. Once it has said yes it stays so.
class CaughtUp {
  public:
    /// How long a first peer is waited for, and how long a tip that does not move.
    static constexpr std::chrono::seconds kPeerWait{10};
    static constexpr std::chrono::seconds kProgressWait{60};
    /// Connections must be so old that their claims have been looked at.
    static constexpr std::chrono::milliseconds kSettling{500};

    struct Facts {
        bool expects_peers = false;  ///< there is an address to call
        std::optional<SteadyTime> first_peer_since;
        bool in_sync = false;  ///< no believed peer claims more work
        std::uint64_t tip_height = 0;
        SteadyTime now;
    };

    explicit CaughtUp(SteadyTime started) noexcept : started_(started), moved_(started) {}

    [[nodiscard]] bool look(const Facts& facts) noexcept {
        if (facts.tip_height != height_) {
            height_ = facts.tip_height;
            moved_ = facts.now;
        }
        if (!done_) done_ = is_now(facts);
        return done_;
    }
    [[nodiscard]] bool is_done() const noexcept { return done_; }

  private:
    [[nodiscard]] bool is_now(const Facts& facts) const noexcept {
        if (!facts.first_peer_since)
            return !facts.expects_peers || facts.now - started_ >= kPeerWait;
        if (facts.now - *facts.first_peer_since < kSettling) return false;
        return facts.in_sync || facts.now - moved_ >= kProgressWait;
    }

    SteadyTime started_;
    SteadyTime moved_;
    std::uint64_t height_ = 0;
    bool done_ = false;
};

}  // namespace gradient::node
