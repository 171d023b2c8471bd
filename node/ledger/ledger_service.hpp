#pragma once

#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "node/concurrency/event.hpp"
#include "node/concurrency/promised.hpp"
#include "node/concurrency/task.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/concurrency/worker_pool.hpp"
#include "node/ledger/chain_figures.hpp"
#include "node/ledger/held_out_evaluator.hpp"
#include "node/ledger/moved_blocks.hpp"
#include "node/ledger/share_desk.hpp"
#include "node/ledger/share_verdict.hpp"
#include "node/ledger/transaction_desk.hpp"
#include "node/setup/failure.hpp"
#include "node/training/trainer_pool.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gradient::node {

/// Owns the ledger and the strand on which alone it is touched. Blocks are verified on the pool
/// against an immutable snapshot and committed on the strand.
class LedgerService {
  public:
    /// What became of a block, as chain::Ledger tells it.
    using SubmitResult = chain::Result<chain::CommitOutcome, chain::SubmitError>;
    /// What became of a transaction that was submitted: its id, or why the pool does not take it.
    using TransactionResult = TransactionDesk::Result;
    using TipListener = std::function<void(const chain::TipChange&)>;
    using ProvenListener = std::function<void(const std::shared_ptr<const chain::Block>&)>;
    using FailureListener = std::function<void(const Failure&)>;

    /// Blocks being verified at a time; the rest is refused until one is done.
    static constexpr std::size_t kMaxSubmissions = 16;
    /// What close() leaves to blocks being verified.
    static constexpr std::chrono::seconds kClosingTime{5};
    /// Bytes of a block that are left to its winner's segment and to late shares and transactions
    /// (of each kind), where there is more to include than fits.
    static constexpr std::size_t kReservedBytes = std::size_t{1} << 20U;
    /// Blocks whose training loss is remembered.
    static constexpr std::size_t kMaxLosses = 65'536;

    LedgerService(const asio::any_io_executor& executor, std::unique_ptr<chain::Ledger> ledger,
                  WorkerPool& pool, TrainerPool& trainers);

    /// Reads what the figures need of the stored chain and scores the tip. Call once, before the
    /// executor runs.
    void start();

    /// Keeps no more than that many blocks whole from now on; 0: all. Call before start().
    void set_prune(std::uint64_t keep_blocks) { prune_ = {keep_blocks, keep_blocks}; }

    /// The key of this node's miner, whose shares are the last to be evicted. Call before start().
    void set_own_miner(const chain::PublicKey& key) { shares_.set_own_miner(key); }

    /// Reads back the transactions that wait in a journal and writes down there what the pool takes
    /// from now on. Call before start(); throws Failure.
    void set_journal(const std::filesystem::path& file) { transactions_.use_journal(file); }

    // ---- listeners; set them before start()

    /// Called on the strand after each change of the tip, one listener after another.
    void on_tip(TipListener listener) { on_tip_.push_back(std::move(listener)); }
    /// Called on the strand when the store has failed and nothing can be committed any more.
    void on_store_failure(FailureListener listener) { on_store_failure_ = std::move(listener); }

    /// Called on the strand when the work behind a block is proven, its unit K replayed, but not
    /// yet the rest: it costs as much to send out such a block as to find one.
    void on_block_proven(ProvenListener listener) { on_block_proven_ = std::move(listener); }
    /// Called on the strand for each share that the pool takes.
    void on_share_kept(ShareDesk::KeptListener listener) {
        shares_.on_share_kept(std::move(listener));
    }
    /// Called on the strand when the model has been scored at a tip, or could not be.
    void on_scored(std::function<void()> listener) { on_scored_ = std::move(listener); }
    /// Called on the strand for each transaction that is submitted and the pool takes, one
    /// listener after another.
    void on_transaction_kept(TransactionDesk::KeptListener listener) {
        transactions_.on_kept(std::move(listener));
    }

    // ---- submission

    /// Verifies a block and commits it. Whoever made it, it comes this way. `branch_work`: the most
    /// work that headers above it are known to have, see chain::Ledger::admit. A block that is
    /// being verified already is not verified again: both get one result. A block that could not be
    /// judged is told as a StoreError. From any executor.
    Task<SubmitResult> submit(std::shared_ptr<const chain::Block> block,
                              const chain::U256& branch_work = {});

    /// Submits in the background, from any thread; `done` is called on the strand, whatever
    /// happens.
    void submit_later(std::shared_ptr<const chain::Block> block,
                      std::function<void(const SubmitResult&)> done,
                      const chain::U256& branch_work = {});

    /// Judges a share and keeps it for the next templates. From any executor.
    Task<ShareVerdict> submit_share(std::shared_ptr<const chain::Segment> segment);

    /// The same in the background, from any thread, for a share of this node's miner: it is never
    /// turned away for want of room.
    void submit_own_share(std::shared_ptr<const chain::Segment> segment);

    /// Checks a transaction and takes it into the pool. What has been taken outlives the process;
    /// a power cut may take back the last second. From any executor.
    Task<TransactionResult> submit_transaction(
        std::shared_ptr<const chain::SignedTransaction> transaction);

    /// What is to go into a template on the tip. On the strand.
    [[nodiscard]] chain::TemplateContents template_contents();

    /// Called on the strand for each segment, whoever made it, of a block that joins or leaves the
    /// active chain, and for each own share that is given up. One that the chain has included may
    /// be given up here too, when it came once more: that takes nothing back.
    void on_share(ShareDesk::ShareListener listener) { shares_.on_share(std::move(listener)); }

    /// Called on the strand whenever a share has been judged.
    void on_share_judged(std::function<void()> listener) { on_share_judged_ = std::move(listener); }
    /// Shares that are being judged. On the strand.
    [[nodiscard]] std::size_t shares_in_judgement() const noexcept { return shares_.judging(); }

    /// Called on the strand for each block that is stored, on whichever branch: its height and all
    /// its segments, proven, with theta_0 of their lanes.
    using SegmentListener =
        std::function<void(std::uint64_t height, const std::vector<chain::CheckedSegment>&)>;
    void on_segments(SegmentListener listener) { on_segments_ = std::move(listener); }

    /// Runs `query(*this)` on the strand and returns its value.
    template <class Query>
    Task<std::invoke_result_t<Query, LedgerService&>> on_strand(Query query) {
        using Value = std::invoke_result_t<Query, LedgerService&>;
        // Named, and moved: g++ 12 destroys a closure twice that is a temporary of a co_await
        // expression.
        auto run = [this, its_query = std::move(query)]() -> Task<Value> {
            co_return its_query(*this);
        };
        co_return co_await asio::co_spawn(strand_, std::move(run), asio::use_awaitable);
    }

    /// Waits until the tip is that high (and, if wanted, its score is there), the deadline, or
    /// close().
    Task<bool> wait_for_height(std::uint64_t height, bool evaluated, Event::Deadline deadline);

    /// Ends all waiting, and submitting after at most kClosingTime.
    Task<> close();

    /// Where the ledger is used, one handler at a time.
    [[nodiscard]] asio::any_io_executor strand() const { return strand_; }

    // ---- on the strand only
    [[nodiscard]] const chain::Ledger& ledger() const noexcept { return *ledger_; }
    [[nodiscard]] chain::Ledger& ledger() noexcept { return *ledger_; }
    [[nodiscard]] const chain::Network& network() const noexcept { return ledger_->network(); }
    [[nodiscard]] const std::shared_ptr<const chain::ParentState>& tip() const noexcept {
        return ledger_->tip();
    }
    [[nodiscard]] const chain::Mempool& mempool() const noexcept { return transactions_.pool(); }
    [[nodiscard]] const chain::SharePool& share_pool() const noexcept { return shares_.pool(); }
    /// Units replayed since the start to judge blocks; shares that were judged before a block came
    /// have none here.
    [[nodiscard]] std::uint64_t block_replays() const noexcept { return block_replays_; }
    /// Whether a block with this id is being verified.
    [[nodiscard]] bool is_judging(const chain::Hash256& block_id) const;
    [[nodiscard]] const ChainFigures& figures() const noexcept { return figures_; }
    [[nodiscard]] const HeldOutEvaluator& evaluator() const noexcept { return evaluator_; }
    /// Training loss of a block committed during this run.
    [[nodiscard]] std::optional<double> loss_of(const chain::Hash256& id) const;

  private:
    struct Judged {
        chain::VerifiedBlock block;
        std::vector<chain::CheckedSegment> segments;
    };
    // A block under verification, and who waits for what becomes of it.
    struct Submission {
        Submission(const asio::any_io_executor& executor, const chain::Hash256& its_id,
                   std::shared_ptr<const chain::Block> its_block)
            : id(its_id), block(std::move(its_block)), result(executor) {}
        chain::Hash256 id;
        std::shared_ptr<const chain::Block> block;
        Promised<SubmitResult> result;
        std::vector<std::function<void(const SubmitResult&)>> done;
    };
    using Submitted = std::shared_ptr<Submission>;

    Submitted start_submission(std::shared_ptr<const chain::Block> block,
                               const chain::U256& branch_work);
    Task<> run_submission(Submitted submission, chain::U256 branch_work);
    Task<SubmitResult> verify_and_commit(std::shared_ptr<const chain::Block> block,
                                         const chain::U256& branch_work);
    Task<SubmitResult> try_verify_and_commit(std::shared_ptr<const chain::Block> block,
                                             const chain::U256& branch_work);
    [[nodiscard]] MovedBlocks load_moved(const chain::TipChange& change) const;
    void store_failed(const Failure& failure);
    Task<chain::Result<Judged, chain::SubmitError>> verify(chain::Candidate candidate);
    void tip_changed(const chain::TipChange& change);
    void prune_later();
    void prune();

    asio::strand<asio::any_io_executor> strand_;
    std::unique_ptr<chain::Ledger> ledger_;
    WorkerPool& pool_;
    TrainerPool& trainers_;
    // All below on the strand only.
    ChainFigures figures_;
    std::unordered_map<chain::Hash256, double> losses_;
    Event changed_;
    HeldOutEvaluator evaluator_;
    TaskGroup submissions_;
    std::list<Submitted> judging_;
    std::uint64_t block_replays_ = 0;
    ShareDesk shares_;
    TransactionDesk transactions_;
    SegmentListener on_segments_;
    std::vector<TipListener> on_tip_;
    ProvenListener on_block_proven_;
    std::function<void()> on_share_judged_;
    std::function<void()> on_scored_;
    FailureListener on_store_failure_;
    chain::PrunePolicy prune_;
    bool pruning_ = false;  // a step is posted
    bool closing_ = false;
};

}  // namespace gradient::node
