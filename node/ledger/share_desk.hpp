#pragma once

#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "chain/pool/share_pool.hpp"
#include "node/concurrency/promised.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/moved_blocks.hpp"
#include "node/ledger/segment_fate.hpp"
#include "node/ledger/share_verdict.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <vector>

namespace gradient::node {

/// Who handed a share in.
enum class ShareOrigin : std::uint8_t {
    own,   ///< this node's miner: never turned away for want of room
    peer,  ///< anybody
};

/// Where shares come in: judges them on the pool, holds back those whose time has not come, and
/// keeps the good ones for the next templates. Use it from the ledger's strand only.
class ShareDesk {
  public:
    /// Shares of others that are being judged, or wait for their round to end, and their bytes.
    static constexpr std::size_t kMaxWaiting = 1024;
    static constexpr std::size_t kMaxWaitingBytes = 4 * chain::kMaxBlockBytes;
    /// Shares being judged, of whatever origin: after a change of branch all that there are.
    static constexpr std::size_t kMaxChecks = 8 * chain::kMaxRoundSegments;
    /// Bytes of a block that late shares may take.
    static constexpr std::size_t kLateBytes = std::size_t{4} << 20U;

    using ShareListener = std::function<void(const chain::Hash256& lane, SegmentFate fate)>;
    using KeptListener = std::function<void(const std::shared_ptr<const chain::Segment>&,
                                            const chain::Hash256& segment_id)>;
    using Told = std::shared_ptr<Promised<ShareVerdict>>;

    /// `judged` is called after each verdict. References must outlive the desk and the pool.
    ShareDesk(const asio::any_io_executor& strand, chain::Ledger& ledger, WorkerPool& pool,
              TrainerPool& trainers, std::function<void()> judged);

    // Before the executor runs; see LedgerService.
    void set_own_miner(const chain::PublicKey& key) { shares_.set_own_miner(key); }
    void on_share(ShareListener listener) { on_share_ = std::move(listener); }
    void on_share_kept(KeptListener listener) { on_kept_ = std::move(listener); }

    /// Takes a share in; the verdict may be there at once.
    Told submit(std::shared_ptr<const chain::Segment> segment, ShareOrigin origin);

    /// Follows the chain: shares that it has included now, or that are too late, go; those that
    /// were held are judged. After a change of branch all are judged anew, those of the blocks that
    /// were undone among them.
    void tip_changed(const MovedBlocks& moved);

    /// What this node knows already of the shares of a block.
    [[nodiscard]] chain::KnownShares known_of(const chain::Block& block) const;

    /// Adds shares to a template on the tip: to be listed as many as `bytes` allows, and late ones.
    /// Takes their bytes off.
    void add_to(chain::TemplateContents& contents, std::size_t& bytes) const;

    /// Shares being judged.
    [[nodiscard]] std::size_t judging() const noexcept { return judging_; }
    [[nodiscard]] const chain::SharePool& pool() const noexcept { return shares_; }

    /// Gives up what is being judged.
    Task<> close();

  private:
    enum class Stage : std::uint8_t { held, judged };
    struct Waiting {
        std::shared_ptr<const chain::Segment> segment;
        ShareOrigin origin = ShareOrigin::peer;
        chain::SharePool::Share known;  // the same, verified before the branch changed
        std::size_t bytes = 0;
        Stage stage = Stage::held;
    };
    using WaitingShares = std::list<Waiting>;

    [[nodiscard]] bool has(const chain::Segment& segment) const;
    [[nodiscard]] bool is_early(std::uint64_t round) const;
    [[nodiscard]] bool is_open(std::uint64_t round) const;
    WaitingShares::iterator add_waiting(std::shared_ptr<const chain::Segment> segment,
                                        ShareOrigin origin, chain::SharePool::Share known);
    void start_judging(WaitingShares::iterator share, Told told);
    Task<> judge(WaitingShares::iterator share, Told told);
    Task<ShareVerdict> verdict_on(const Waiting& share);
    ShareVerdict keep(chain::VerifiedShare share);
    void leave(WaitingShares::iterator share, const ShareVerdict& verdict);
    void tell_fate(const chain::Segment& segment, SegmentFate fate) const;
    void tell_fates(const MovedBlocks& moved) const;
    void judge_all_again(const MovedBlocks& moved);
    [[nodiscard]] std::vector<chain::OpenRound> open_rounds() const;

    asio::any_io_executor strand_;
    chain::Ledger& ledger_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    std::function<void()> judged_;
    ShareListener on_share_;
    KeptListener on_kept_;
    TaskGroup checks_;
    std::stop_source stop_;
    chain::SharePool shares_;
    WaitingShares waiting_;
    std::size_t waiting_bytes_ = 0;
    std::size_t judging_ = 0;
    std::uint64_t branch_ = 0;  // counts its changes
};

}  // namespace gradient::node
