#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/crypto/key.hpp"
#include "chain/share_check.hpp"
#include "chain/types/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gradient::chain {

/// How much the pool takes. A node's own choice, no rule of the chain.
struct SharePoolLimits {
    /// Bytes of all shares: sixteen full blocks.
    std::size_t total_bytes = 16 * kMaxBlockBytes;
    /// Bytes of one round's shares: eight full blocks.
    std::size_t round_bytes = 8 * kMaxBlockBytes;
    /// Shares of one round: as many as may ever be included.
    std::size_t round_shares = kMaxRoundSegments;
    /// Bytes and number of the shares of one miner's key in one round; ours has no such limit.
    std::size_t miner_bytes = 2 * kMaxBlockBytes;
    std::size_t miner_shares = 256;
    /// Rounds above the one that the next block ends, as a branch that is ahead has them.
    std::uint64_t rounds_ahead = 2;
    /// L from which a share's hits are paid in full.
    std::uint32_t full_pay_units = 128;
};

/// Why a share is not taken. No rule of the chain.
enum class ShareRefusal : std::uint8_t {
    already_pooled,  // the same share waits already
    lane_taken,      // another segment of its lane waits: one of two signed ends, a fraud
    too_old,         // no block can include it any more
    too_far_ahead,   // its round lies more than rounds_ahead above the one under work
    miner_full,      // better shares of its miner in its round reach the miner's limits
    pool_full,       // better shares reach the limits of its round or of the pool
};

/// One sentence for the refusal.
[[nodiscard]] std::string_view describe(ShareRefusal refusal) noexcept;

/// Why a share left the pool.
enum class ShareRemoval : std::uint8_t {
    evicted,  // others pay more a byte
    too_old,  // no block can include it any more
};

/// A share that left the pool.
struct RemovedShare {
    std::shared_ptr<const VerifiedShare> share;
    ShareRemoval reason = ShareRemoval::evicted;

    friend bool operator==(const RemovedShare&, const RemovedShare&) = default;
};

/// A round of the chain whose shares a block may include.
struct OpenRound {
    std::uint64_t round = 0;
    Hash256 parent;              ///< of its templates, on this chain
    std::set<Hash256> included;  ///< hashes of the templates of its included segments
};

/// How much a selection of shares may take.
struct ShareBudget {
    std::size_t bytes = 0;
    std::size_t shares = kMaxListedSegments;
};

/// Verified shares of lanes that did not win, which wait for a block. They lie by the block that
/// their lanes started on, so those of every branch may wait until no block can include them. One
/// segment a lane. Our own are the last to be evicted. A refusal changes nothing. Belongs to one
/// thread.
class SharePool {
  public:
    using Share = std::shared_ptr<const VerifiedShare>;

    explicit SharePool(const SharePoolLimits& limits = {}) : limits_(limits) {}

    /// The key of this node's miner. Precondition: the pool is empty.
    void set_own_miner(const PublicKey& key) { own_ = key; }
    [[nodiscard]] const std::optional<PublicKey>& own_miner() const noexcept { return own_; }

    /// Takes a share; says which others went for it.
    [[nodiscard]] Result<std::vector<RemovedShare>, ShareRefusal> add(Share share);

    /// The next block has this height. Drops what is too old for it.
    std::vector<RemovedShare> tip_changed(std::uint64_t next_height);

    /// Empties the pool and gives what was in it: after a change of branch, since what a share
    /// started from may not be on the new one.
    [[nodiscard]] std::vector<Share> take_all();

    /// Shares for a template to list: of the round that the tip ended, best pay a byte first.
    [[nodiscard]] std::vector<Share> listed(const OpenRound& round,
                                            const ShareBudget& budget) const;

    /// Shares to include late: of earlier rounds, best pay a byte first, lateness taken off.
    [[nodiscard]] std::vector<Share> late(std::span<const OpenRound> rounds,
                                          const ShareBudget& budget) const;

    [[nodiscard]] Share find(const Hash256& id) const;
    /// The share of a lane.
    [[nodiscard]] Share find_lane(const Hash256& template_hash) const;
    /// At most so many ids, those of the newest rounds first, in a round the best pay a byte first.
    [[nodiscard]] std::vector<Hash256> ids(std::size_t most) const;
    [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }

    /// Aborts unless all indices agree with one another and every limit holds. For tests.
    void check_invariants() const;

  private:
    // Pay over bytes, of equal ones by arrival; within a round, where lateness is the same.
    struct Rank {
        std::uint64_t pay = 0;
        std::uint64_t bytes = 1;
        std::uint64_t arrival = 0;
    };
    struct BetterRank {
        bool operator()(const Rank& a, const Rank& b) const noexcept;
    };
    struct Entry {
        Share share;
        Rank rank;
        bool is_own = false;
        std::size_t bytes = 0;  // of segment and delta in memory
    };
    struct Sums {
        std::size_t count = 0;
        std::size_t bytes = 0;
    };
    struct Round {
        std::map<Rank, Entry, BetterRank> entries;
        std::size_t bytes = 0;
        std::map<PublicKey, Sums> miners;
    };
    using Candidate = std::pair<Rank, Share>;

    [[nodiscard]] std::uint32_t lateness(std::uint64_t round) const noexcept;
    [[nodiscard]] Entry make_entry(Share share) const;
    void erase(std::uint64_t round, const Rank& rank);
    std::optional<std::vector<std::pair<std::uint64_t, Rank>>> find_victims(
        std::uint64_t number, const Entry& fresh, bool& miner_is_full) const;
    void collect(const OpenRound& round, std::uint64_t factor,
                 std::vector<Candidate>& candidates) const;
    [[nodiscard]] static std::vector<Share> best(std::vector<Candidate> candidates,
                                                 const ShareBudget& budget);

    SharePoolLimits limits_;
    std::optional<PublicKey> own_;
    std::map<std::uint64_t, Round> rounds_;
    std::unordered_map<Hash256, std::pair<std::uint64_t, Rank>> by_id_;
    std::unordered_map<Hash256, Hash256> lanes_;  // template hash, segment
    std::size_t size_bytes_ = 0;
    std::uint64_t arrivals_ = 0;
    std::uint64_t next_height_ = 1;
};

}  // namespace gradient::chain
