#pragma once

#include "chain/base/amount.hpp"
#include "chain/base/result.hpp"
#include "chain/pool/fee_rate.hpp"
#include "chain/pool/pool_errors.hpp"
#include "chain/pool/removal_log.hpp"
#include "chain/pool/sender_queue.hpp"
#include "chain/state/state_view.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "chain/types/block.hpp"
#include "chain/types/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::chain {

/// How much the pool takes. A node's own choice, no rule of the chain.
struct MempoolLimits {
    /// Bytes of all transactions, encoded: four full blocks.
    std::size_t total_bytes = 4 * kMaxBlockBytes;
    /// Transactions: eight full blocks. Bounds what the pool needs beside their bytes.
    std::size_t transactions = 8 * kMaxTransactions;
    /// Transactions whose judging takes replays or decoding a task's data.
    std::size_t costly_transactions = 64;
    /// Of these, so many are judged again at each tip, in turn.
    std::size_t costly_judged_a_tip = 2;
    /// Bytes of one transaction; a false unit's proof of the largest model has some 700 kB.
    std::size_t transaction_bytes = std::size_t{1} << 20U;
    /// Transactions of one sender.
    std::size_t account_transactions = 64;
    /// Bytes of one sender's transactions: as many chunks of data.
    std::size_t account_bytes = 64 * (kDataChunkBytes + 256);
    /// A nonce may lie this far above the first one that is missing.
    std::uint64_t nonce_gap = 16;
    /// Milliseconds that a transaction waits: a thousand blocks of ten seconds.
    std::uint64_t expiry_ms = 3 * 3'600'000;
    /// A replacement's fee is higher by the old fee divided by this.
    std::uint64_t replacement_divisor = 10;
    /// Units for each byte of a replacement that it pays above the old fee at least, and by which
    /// the minimum lies above what has been evicted: what relaying it again costs the network.
    std::uint64_t relay_increment = 1;
    /// Milliseconds in which the minimum that evictions have raised falls by half.
    std::uint64_t minimum_half_life_ms = 10 * 60'000;
    /// Removed transactions remembered.
    std::size_t remembered = 4096;
};

/// How much a selection may take.
struct SelectionBudget {
    std::size_t bytes = 0;
    std::size_t transactions = kMaxTransactions;
    /// Transactions that take a replay: proofs of false units.
    std::size_t replays = 4;
};

/// A transaction that a rule kept out of a selection.
struct Skipped {
    Hash256 id;
    TransactionError error;
};

/// Transactions for a block, in its order.
struct Selection {
    std::vector<std::shared_ptr<const SignedTransaction>> transactions;
    Amount fees;
    std::size_t size_bytes = 0;
    std::vector<Skipped> skipped;
};

/// What a block of the chain holds, as far as the pool needs to know.
struct IncludedTransaction {
    Hash256 id;
    Address sender;
    std::uint64_t nonce = 0;
};
struct RedoneBlock {
    Hash256 id;
    std::vector<IncludedTransaction> transactions;
};

/// What a block that left the chain held, in its order.
struct UndoneBlock {
    Hash256 id;
    std::vector<CheckedTransaction> transactions;
};

/// The signed transactions of a block, for tip_changed. Those of an undone block are checked again;
/// one that fails is left out.
[[nodiscard]] RedoneBlock redone_block(const Block& block);
[[nodiscard]] UndoneBlock undone_block(const Block& block, const TransactionContext& context);

/// A transaction waits.
struct Waiting {
    std::shared_ptr<const SignedTransaction> transaction;
    /// From 1, among the ready ones in the order of packages; nothing while a nonce before it is
    /// missing.
    std::optional<std::uint64_t> position;
    /// Why the last selection on this tip left it out, if a rule did.
    std::optional<TransactionError> skipped;
};

/// The pool has not had the transaction, or has forgotten it.
struct Unknown {};

using TransactionStatus = std::variant<Waiting, Removed, Unknown>;

/// The transactions that wait for a block. Whatever pays most a byte goes first, each sender's in
/// the order of nonces, and together they never cost a sender more than it has. A refusal changes
/// nothing. Belongs to one thread; the same calls give the same pool on every machine.
///
/// `view` is always the state after the tip, and `context` that of the block to come: the pool is
/// told of each new tip by tip_changed before anything else is asked of it. After a StoreError from
/// tip_changed the pool is good for nothing but destruction.
class Mempool {
  public:
    explicit Mempool(const MempoolLimits& limits = {});
    Mempool(const Mempool&) = delete;
    Mempool& operator=(const Mempool&) = delete;

    /// What taking a transaction did to others.
    struct Added {
        bool is_ready = false;  ///< no nonce before it is missing
        std::vector<Removed> removed;
    };

    /// Takes a transaction. The context has the runtime that required_task() names.
    [[nodiscard]] Result<Added, PoolError> add(const CheckedTransaction& transaction,
                                               const StateView& view,
                                               const TransactionContext& context,
                                               std::uint64_t now_ms);

    /// Transactions for a block on the tip: each admits after those before it. By fee rate of
    /// packages, and never for less than what taking the best single one next would bring. What a
    /// rule refuses is left out, and not tried again on this tip unless what else waits may cure
    /// it.
    [[nodiscard]] Result<Selection, StoreError> select(const StateView& view,
                                                       const TransactionContext& context,
                                                       const SelectionBudget& budget);

    /// Follows the chain: drops what the redone blocks hold or have made impossible, takes back
    /// what only the undone ones held (for no limit but the pool's, before others of its sender),
    /// and drops what no longer admits. Both lists in the order of TipChange.
    [[nodiscard]] Result<std::vector<Removed>, StoreError> tip_changed(
        std::span<const UndoneBlock> undone, std::span<const RedoneBlock> redone,
        const StateView& view, const TransactionContext& context, std::uint64_t now_ms);

    /// Drops what has waited too long.
    std::vector<Removed> expire(std::uint64_t now_ms);

    // ---- queries

    /// What became of a transaction. Takes time in proportion to what lies before it.
    [[nodiscard]] TransactionStatus status(const Hash256& id) const;
    [[nodiscard]] bool contains(const Hash256& id) const { return by_id_.contains(id); }
    [[nodiscard]] std::shared_ptr<const SignedTransaction> find(const Hash256& id) const;
    /// All that wait, with the time of their coming, in its order.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::shared_ptr<const SignedTransaction>>>
    by_arrival() const;
    /// At most so many ids, in the order of coming.
    [[nodiscard]] std::vector<Hash256> ids_by_arrival(std::size_t most) const;
    /// What waits of a sender, in the order of nonces.
    [[nodiscard]] std::vector<CheckedTransaction> of_sender(const Address& sender) const;
    /// The first nonce that neither the account nor what waits has used.
    [[nodiscard]] Result<std::uint64_t, StoreError> next_nonce(const Address& sender,
                                                               const StateView& view) const;
    [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_bytes_; }
    /// Units for RollingMinimum::kRateBytes bytes below which nothing is taken at that time; the
    /// rules' least fee applies beside it.
    [[nodiscard]] std::uint64_t minimum_rate(std::uint64_t now_ms) const noexcept {
        return minimum_.at(now_ms);
    }
    [[nodiscard]] const MempoolLimits& limits() const noexcept { return limits_; }

    /// Aborts unless all indices agree with one another and every limit holds. For tests.
    void check_invariants() const;

  private:
    friend class Selector;
    friend class TipMove;
    using Node = SenderQueue::Entries::node_type;

    struct PackagePlace {
        SenderQueue* queue;
        std::uint64_t first_nonce;
        std::uint32_t count;
    };
    // Entries of one queue that go together, its ready package or one queued entry.
    struct Victim {
        PackagePlace place;
        std::optional<FeeRate> ready_rate;
    };

    Result<void, PoolError> check_place(const CheckedTransaction& transaction,
                                        const SenderQueue& queue) const;
    Result<PoolEntry*, PoolRefusal> find_displaced(const CheckedTransaction& transaction,
                                                   const SenderQueue& queue) const;
    Result<void, PoolRefusal> check_replacement(const CheckedTransaction& transaction,
                                                const PoolEntry& waiting) const;
    Result<std::vector<std::uint64_t>, PoolRefusal> find_crowded_out(
        const CheckedTransaction& transaction, const SenderQueue& queue) const;
    Result<void, TransactionFailure> try_admit(const CheckedTransaction& transaction,
                                               const SenderQueue& queue, const StateView& view,
                                               const TransactionContext& context) const;
    Result<std::vector<Removed>, PoolRefusal> insert(SenderQueue& queue,
                                                     const CheckedTransaction& transaction,
                                                     std::span<const std::uint64_t> crowded_out,
                                                     PoolEntry* displaced, std::uint64_t now_ms);

    // These keep everything but the order: follow them by reindex.
    PoolEntry& put(SenderQueue& queue, Node node);
    Node take(SenderQueue& queue, std::uint64_t nonce);
    void remove(SenderQueue& queue, std::uint64_t nonce, RemovalReason reason,
                std::optional<TransactionError> error, std::vector<Removed>& removed);

    // Brings the order up to date; with reindex, the queue goes if nothing is left in it.
    void reorder(SenderQueue& queue);
    void reindex(SenderQueue& queue);
    void reindex_packages(SenderQueue& queue);
    void reindex_queued(SenderQueue& queue);

    void tell(const Removed& why, std::vector<Removed>& removed);
    void drop_far_nonces(SenderQueue& queue, std::vector<Removed>& removed);
    std::optional<std::vector<Victim>> find_victims(const PoolEntry* kept) const;
    void evict(const std::vector<Victim>& victims, std::uint64_t now_ms,
               std::vector<Removed>& removed);

    MempoolLimits limits_;
    std::unordered_map<Address, std::unique_ptr<SenderQueue>> queues_;
    std::unordered_map<Hash256, PoolEntry*> by_id_;
    std::map<RankKey, PackagePlace, BetterFirst> ready_;  // packages
    std::map<RankKey, PoolEntry*, BetterFirst> heads_;    // the first ready one of each sender
    std::map<RankKey, PoolEntry*, BetterFirst> queued_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, PoolEntry*> by_time_;  // time, arrival
    std::map<RankKey, PoolEntry*, BetterFirst> costly_;
    std::map<std::uint64_t, PoolEntry*> judged_;  // by arrival: what depends on more than accounts
    RollingMinimum minimum_;
    RemovalLog log_;
    std::size_t size_bytes_ = 0;
    std::uint64_t arrivals_ = 0;
    std::uint64_t epoch_ = 0;  // counts the tips
};

/// Whether a rule's refusal may end without a change of the tip: by what waits before the
/// transaction, or by what a block leaves out.
[[nodiscard]] bool may_be_cured(TransactionError error) noexcept;

/// Whether judging the transaction on a state takes replays or decoding a task's data.
[[nodiscard]] bool is_costly(const SignedTransaction& transaction) noexcept;

/// Whether the context has what judging the transaction takes.
[[nodiscard]] bool can_judge(const SignedTransaction& transaction,
                             const TransactionContext& context);

}  // namespace gradient::chain
