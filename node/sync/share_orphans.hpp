#pragma once

#include "chain/base/bytes.hpp"
#include "node/sync/outlets.hpp"
#include "node/sync/relay_types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

namespace gradient::node {

/// A share whose parent, the block that its lane started on, is not here.
struct OrphanShare {
    PeerId peer{};      ///< who sent it
    chain::Hash256 id;  ///< by which it was asked for
    SharedSegment segment;
    std::size_t bytes = 0;  ///< encoded
    SteadyTime since;
    std::uint64_t tried_on = 0;  ///< number of the tip on which it was last tried
};

/// Shares that wait for their parents, bounded for each peer and in all. The oldest of a peer gives
/// way to its newer ones; in all, the oldest of the peer with the most bytes.
class ShareOrphans {
  public:
    static constexpr std::size_t kMaxShares = 256;
    static constexpr std::size_t kMaxBytes = 8 * chain::kMaxBlockBytes;
    static constexpr std::size_t kMaxPeerShares = 32;
    static constexpr std::size_t kMaxPeerBytes = 2 * chain::kMaxBlockBytes;
    /// Thirty blocks of ten seconds; a share can be included for five.
    static constexpr std::chrono::seconds kMaxAge{300};

    /// Says how many others went for it.
    std::size_t add(OrphanShare orphan);
    /// Takes out what a condition holds for, oldest first. The condition may write to tried_on.
    template <class Condition>
    [[nodiscard]] std::vector<OrphanShare> take_if(const Condition& holds) {
        std::vector<OrphanShare> taken;
        for (auto place = orphans_.begin(); place != orphans_.end();) {
            const auto here = place++;
            if (!holds(*here)) continue;
            taken.push_back(*here);
            erase(here);
        }
        return taken;
    }
    /// Drops what has waited too long; says how many.
    std::size_t expire(SteadyTime now);
    std::size_t peer_left(PeerId peer);

    [[nodiscard]] std::size_t size() const noexcept { return orphans_.size(); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t size_of(PeerId peer) const;

  private:
    struct Sums {
        std::size_t count = 0;
        std::size_t bytes = 0;
    };
    using Place = std::list<OrphanShare>::iterator;

    void erase(Place place);
    void erase_oldest_of(PeerId peer);

    std::list<OrphanShare> orphans_;  // oldest first
    std::map<PeerId, Sums> peers_;
    std::size_t bytes_ = 0;
};

}  // namespace gradient::node
