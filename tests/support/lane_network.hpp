#pragma once

#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "chain/share_check.hpp"
#include "chain/state/settlement.hpp"
#include "chain/storage/memory_store.hpp"
#include "tests/support/open_lane.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace gradient::test {

/// What a miner does that an honest one does not. Honest: everything empty.
struct MinerPolicy {
    /// Whether its templates include a share of that miner; empty: every share.
    std::function<bool(std::size_t owner)> includes;
    /// Blocks for which it keeps its shares to itself.
    std::uint32_t hold_blocks = 0;
    /// Whether it ends its lane, hands it in, and starts another one. Given units and last hit.
    std::function<bool(std::uint32_t units, std::uint32_t last_hit)> restarts;
    /// Runs before each unit that is computed, and may put invented ones in.
    std::function<void(OpenLane&)> before_unit;
    /// Runs when the lane has been overtaken. Gives the units that it computed.
    std::function<std::uint32_t(OpenLane&, model::Trainer&)> before_hand_in;

    [[nodiscard]] bool invents() const noexcept { return before_unit || before_hand_in; }
};

/// A miner of a simulated network: one lane, some units each second. Several of one key are one
/// owner's.
struct SimulatedMiner {
    std::uint8_t key = 1;           ///< seed of tiny_key()
    double units_per_second = 100;  ///< on the simulated clock
    MinerPolicy policy = {};
};

/// What a miner has computed and what became of it.
struct LaneCounters {
    std::uint64_t computed = 0;        ///< units run
    std::uint64_t included = 0;        ///< units of segments that the chain includes
    std::uint64_t hits = 0;            ///< tickets of units that it has run, wins among them
    std::uint64_t wins = 0;            ///< blocks of its that became the tip
    std::uint64_t handed_in = 0;       ///< shares
    std::uint64_t refused_shares = 0;  ///< that break a rule
    std::uint64_t refused_blocks = 0;
    double expected_refusals = 0;  ///< of shares with invented units, from the guards' chances
};

/// A segment that a block includes: its own (the winner's) or a share.
struct IncludedShare {
    std::size_t miner = 0;
    std::uint32_t lateness = 0;
    bool is_winner = false;
    chain::SegmentOutcome outcome;
};

/// What the last block settled, and the model before it.
struct SettledInputs {
    std::vector<std::int32_t> theta;
    std::vector<std::int32_t> momentum;
    chain::SettlementHistory history;
    std::vector<chain::LoadedContribution> segments;
    std::vector<std::size_t> miners;  ///< of the segments
    bool skipped = false;             ///< the held-out rule refused the step
};

/// Several miners on one chain, one ledger and one simulated clock: whichever lane's next unit ends
/// first runs it. When a lane wins, the others hand in their segments as shares, which the next
/// templates list or, where they were left out or held back, include late. Nothing takes time but
/// units. All arithmetic and all rules are the real ones.
class LaneNetwork {
  public:
    LaneNetwork(std::shared_ptr<const chain::Network> network, std::vector<SimulatedMiner> miners);

    /// Mines one block; returns the miner that won it.
    std::size_t mine_block();

    [[nodiscard]] chain::Ledger& ledger() noexcept { return *ledger_; }
    /// What the ledger's store holds.
    [[nodiscard]] const chain::KeyValueStore& store() const noexcept { return *store_; }
    [[nodiscard]] const chain::Network& network() const noexcept { return *network_; }
    [[nodiscard]] chain::OwnTrainers& trainers() noexcept { return trainers_; }
    [[nodiscard]] const std::vector<SimulatedMiner>& miners() const noexcept { return miners_; }
    [[nodiscard]] const std::vector<LaneCounters>& counters() const noexcept { return counters_; }
    [[nodiscard]] double now_ms() const noexcept { return now_ms_; }
    /// Encoded bytes of the last block.
    [[nodiscard]] std::size_t block_bytes() const noexcept { return block_bytes_; }
    /// Segments of the last block, its own first.
    [[nodiscard]] const std::vector<IncludedShare>& included() const noexcept { return included_; }
    /// Nothing if the last block settled nothing.
    [[nodiscard]] const std::optional<SettledInputs>& settled() const noexcept { return settled_; }

  private:
    struct Running {
        std::variant<std::monostate, chain::Lane, OpenLane> lane;
        std::shared_ptr<const chain::BlockTemplate> work;
        double ready_ms = 0;
    };
    struct Finished {
        std::size_t miner = 0;
        std::shared_ptr<const chain::Segment> segment;
        double chance_unseen = 1;
    };
    struct KnownShare {
        std::size_t miner = 0;
        std::shared_ptr<const chain::Segment> segment;
        chain::Hash256 id;
        std::uint64_t known_from = 0;  // height of the tip from which on others know it
        std::optional<chain::VerifiedShare> verified;
    };
    using Selection = std::vector<const KnownShare*>;

    void start_lanes();
    void start_lane(std::size_t miner);
    [[nodiscard]] std::shared_ptr<const chain::BlockTemplate> template_for(std::size_t miner);
    [[nodiscard]] Selection select(std::size_t miner);
    [[nodiscard]] bool take_win(std::size_t winner);
    [[nodiscard]] std::optional<SettledInputs> settlement_inputs(const Running& winner) const;
    void note_block(std::size_t winner, const Running& lane, const chain::Block& block);
    void finish_lane(std::size_t miner);
    void hand_in(std::size_t winner);
    void verify_known();
    void forget_known();
    [[nodiscard]] model::Trainer& trainer() { return trainers_.trainer_of(ledger_->tip()->task()); }
    [[nodiscard]] std::uint64_t time_ms() const { return static_cast<std::uint64_t>(now_ms_); }
    [[nodiscard]] std::size_t next_miner() const;

    std::shared_ptr<const chain::Network> network_;
    std::vector<SimulatedMiner> miners_;
    chain::OwnTrainers trainers_;
    chain::TaskSet tasks_;
    std::shared_ptr<chain::MemoryStore> store_;
    std::unique_ptr<chain::Ledger> ledger_;
    std::vector<Running> lanes_;
    std::vector<LaneCounters> counters_;
    std::vector<Finished> finished_;  // lanes of this round that have ended
    std::vector<KnownShare> known_;   // verified or waiting for what they started from
    std::map<std::vector<chain::Hash256>, std::shared_ptr<const chain::BlockTemplate>> templates_;
    std::map<chain::Hash256, std::size_t> owners_;  // of included segments
    std::vector<IncludedShare> included_;
    std::optional<SettledInputs> settled_;
    std::size_t block_bytes_ = 0;
    std::uint32_t lane_number_ = 0;
    double now_ms_ = 0;
};

}  // namespace gradient::test
