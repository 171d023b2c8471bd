#pragma once

#include "chain/network.hpp"
#include "chain/storage/block_store.hpp"
#include "chain/types/block.hpp"

#include <cstdint>
#include <optional>

namespace gradient::node {

/// Probabilities of a unit's ticket under a block's difficulty.
struct TicketOdds {
    double win = 0;
    double hit = 0;
};

/// The odds of the lane that made this block. The genesis block has none.
[[nodiscard]] TicketOdds odds_of(const chain::BlockIndex& block, const chain::Network& network);

/// Mean squared error per row of the opened units that came after another unit of the lane; nothing
/// if there is none, or if the block trained a user task. Read from the block alone, so the same
/// before and after a restart.
[[nodiscard]] std::optional<double> training_loss(const chain::Block& block,
                                                  const chain::Network& network);

/// Sums over the active chain.
class ChainFigures {
  public:
    /// Counts a block in that joined the chain, or out that left it. The genesis block counts for
    /// nothing.
    void add(const chain::BlockIndex& block, const chain::Network& network) {
        count(block, network, 1);
    }
    void remove(const chain::BlockIndex& block, const chain::Network& network) {
        count(block, network, -1);
    }

    [[nodiscard]] std::uint64_t units() const noexcept { return units_; }
    [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; }
    /// Segments in the chain: winners', listed and late ones.
    [[nodiscard]] std::uint64_t segments() const noexcept { return segments_; }

    /// Units that so many hits take on average: the real work behind the segments in the chain,
    /// whatever they claim.
    [[nodiscard]] double units_from_hits() const noexcept { return units_from_hits_; }
    /// Units that so many wins take on average: the work of the whole network, in the chain or not.
    [[nodiscard]] double units_from_wins() const noexcept { return units_from_wins_; }

    /// Units whose deltas entered the model over all units that the network computed. The latter are
    /// estimated from wins; or from hits where that gives more, since the segment of a block that
    /// lost against another comes in as a share, whose win is not counted.
    [[nodiscard]] std::optional<double> useful_fraction() const noexcept;
    /// Standard error of that estimate: the number of units until a win is geometric.
    [[nodiscard]] std::optional<double> useful_fraction_error() const noexcept;
    /// Units replayed by this node to verify the chain over units claimed in it.
    [[nodiscard]] std::optional<double> verification_ratio() const noexcept;
    /// Progress beside one sequential lane of as many units: 1 if every round had one segment, as
    /// then the chain is that lane; else nothing until it is measured.
    [[nodiscard]] std::optional<double> progress_efficiency() const noexcept;

  private:
    void count(const chain::BlockIndex& block, const chain::Network& network, int sign);

    std::uint64_t blocks_ = 0;
    std::uint64_t units_ = 0;
    std::uint64_t hits_ = 0;
    std::uint64_t replayed_ = 0;
    std::uint64_t segments_ = 0;
    std::uint64_t shared_rounds_ = 0;  // blocks that settled more than one segment
    double units_from_hits_ = 0;
    double units_from_wins_ = 0;
};

}  // namespace gradient::node
