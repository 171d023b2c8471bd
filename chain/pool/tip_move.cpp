// How the pool follows the chain.

#include "chain/base/check.hpp"
#include "chain/pool/mempool.hpp"
#include "chain/state/entries.hpp"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace gradient::chain {

RedoneBlock redone_block(const Block& block) {
    RedoneBlock redone{header_id(block.header), {}};
    for (const Transaction& transaction : block.transactions) {
        if (const auto* part = std::get_if<SignedTransaction>(&transaction.content)) {
            redone.transactions.push_back(
                {transaction_id(*part), address_of(part->sender), part->nonce});
        }
    }
    return redone;
}

UndoneBlock undone_block(const Block& block, const TransactionContext& context) {
    UndoneBlock undone{header_id(block.header), {}};
    for (const Transaction& transaction : block.transactions) {
        const auto* part = std::get_if<SignedTransaction>(&transaction.content);
        if (!part) continue;
        auto checked = check_transaction(std::make_shared<const SignedTransaction>(*part), context);
        if (checked) undone.transactions.push_back(*std::move(checked));
    }
    return undone;
}

/// One call of tip_changed.
class TipMove {
  public:
    TipMove(Mempool& pool, const StateView& view, const TransactionContext& context,
            std::uint64_t now_ms)
        : pool_(pool), view_(view), context_(context), now_ms_(now_ms) {}

    void take_out_included(std::span<const RedoneBlock> redone);
    void collect_lost(std::span<const UndoneBlock> undone);
    Result<void, StoreError> refresh_accounts(bool all);
    Result<void, StoreError> admit_again();
    void trim() {
        const auto victims = pool_.find_victims(nullptr);
        CHECK(victims);
        pool_.evict(*victims, now_ms_, removed_);
    }

    std::vector<Removed> removed_;

  private:
    using Lost = std::vector<const CheckedTransaction*>;

    SenderQueue* find(const Address& sender) {
        const auto found = pool_.queues_.find(sender);
        return found == pool_.queues_.end() ? nullptr : found->second.get();
    }
    Result<void, StoreError> refresh(const Address& sender);
    void take_back(SenderQueue& queue, const Lost& lost);
    void drop_uncovered(SenderQueue& queue);
    void drop_crowded(SenderQueue& queue);
    void invalidate(SenderQueue& queue, const PoolEntry& entry, TransactionError error);

    Mempool& pool_;
    const StateView& view_;
    const TransactionContext& context_;
    std::uint64_t now_ms_;
    std::unordered_map<Hash256, Hash256> included_;  // transaction, block
    std::unordered_set<Hash256> lost_ids_;
    std::map<Address, Lost> lost_;
    std::set<Address> touched_;
};

void TipMove::take_out_included(std::span<const RedoneBlock> redone) {
    for (const RedoneBlock& block : redone) {
        for (const auto& [id, sender, nonce] : block.transactions) {
            included_.emplace(id, block.id);
            touched_.insert(sender);
            SenderQueue* queue = find(sender);
            if (!queue || !queue->entries.contains(nonce)) continue;
            const auto node = pool_.take(*queue, nonce);
            const Hash256& pooled = node.mapped().checked.id();
            if (pooled == id) {
                pool_.tell({id, RemovalReason::included, block.id, {}}, removed_);
            } else {
                pool_.tell({pooled, RemovalReason::conflicting, id, {}}, removed_);
            }
        }
    }
}

// Notes what only undone blocks held. They come from the old tip down.
void TipMove::collect_lost(std::span<const UndoneBlock> undone) {
    for (auto block = undone.rbegin(); block != undone.rend(); ++block) {
        for (const CheckedTransaction& transaction : block->transactions) {
            touched_.insert(transaction.sender());
            const auto redone = included_.find(transaction.id());
            if (redone != included_.end()) {
                pool_.tell({transaction.id(), RemovalReason::included, redone->second, {}},
                           removed_);
                continue;
            }
            lost_[transaction.sender()].push_back(&transaction);
            lost_ids_.insert(transaction.id());
        }
    }
}

// A block adds to anybody's balance but takes only from its senders', so that these are enough
// where no block was undone.
Result<void, StoreError> TipMove::refresh_accounts(bool all) {
    if (all) {
        for (const auto& [sender, queue] : pool_.queues_) touched_.insert(sender);
    }
    for (const Address& sender : touched_) TRY(refresh(sender));
    return {};
}

Result<void, StoreError> TipMove::refresh(const Address& sender) {
    const auto lost = lost_.find(sender);
    SenderQueue* queue = find(sender);
    if (!queue && lost == lost_.end()) return {};
    TRY_ASSIGN(const auto account, read_entry<Account>(view_, account_key(sender)));
    if (!queue) {
        queue = pool_.queues_.emplace(sender, std::make_unique<SenderQueue>()).first->second.get();
        queue->sender = sender;
    }
    queue->account = account.value_or(Account{});
    while (!queue->entries.empty() && queue->entries.begin()->first < queue->account.nonce) {
        pool_.remove(*queue, queue->entries.begin()->first, RemovalReason::conflicting, {},
                     removed_);
    }
    if (lost != lost_.end()) take_back(*queue, lost->second);
    drop_uncovered(*queue);
    drop_crowded(*queue);
    pool_.drop_far_nonces(*queue, removed_);
    pool_.reindex(*queue);
    return {};
}

void TipMove::take_back(SenderQueue& queue, const Lost& lost) {
    const MempoolLimits& limits = pool_.limits_;
    for (const CheckedTransaction* transaction : lost) {
        const SignedTransaction& content = transaction->transaction();
        if (content.nonce < queue.account.nonce) {
            pool_.tell({transaction->id(), RemovalReason::conflicting, {}, {}}, removed_);
        } else if (const auto same = queue.entries.find(content.nonce);
                   same != queue.entries.end()) {
            pool_.tell(
                {transaction->id(), RemovalReason::conflicting, same->second.checked.id(), {}},
                removed_);
        } else if (transaction->size_bytes() > limits.transaction_bytes ||
                   (is_costly(content) && pool_.costly_ >= limits.costly_transactions)) {
            pool_.tell({transaction->id(), RemovalReason::evicted, {}, {}}, removed_);
        } else {
            SenderQueue::Entries made;
            made.emplace(
                content.nonce,
                PoolEntry{.checked = *transaction, .arrival = pool_.arrivals_, .time_ms = now_ms_});
            pool_.put(queue, made.extract(content.nonce));
            pool_.arrivals_ += 1;
        }
    }
}

// From the first one on that the balance no longer covers, none can be included.
void TipMove::drop_uncovered(SenderQueue& queue) {
    std::uint64_t left = queue.account.balance.units();
    auto entry = queue.entries.begin();
    while (entry != queue.entries.end() && entry->second.checked.cost().units() <= left) {
        left -= entry->second.checked.cost().units();
        ++entry;
    }
    while (entry != queue.entries.end()) {
        const PoolEntry& uncovered = (entry++)->second;
        invalidate(queue, uncovered, TransactionError::insufficient_balance);
    }
}

void TipMove::drop_crowded(SenderQueue& queue) {
    while (queue.entries.size() > pool_.limits_.account_transactions ||
           queue.size_bytes > pool_.limits_.account_bytes) {
        pool_.remove(queue, queue.entries.rbegin()->first, RemovalReason::evicted, {}, removed_);
    }
}

void TipMove::invalidate(SenderQueue& queue, const PoolEntry& entry, TransactionError error) {
    const bool was_lost = lost_ids_.contains(entry.checked.id());
    pool_.remove(queue, entry.nonce(),
                 was_lost ? RemovalReason::reorganised_away : RemovalReason::invalidated, error,
                 removed_);
}

// Whatever depends on more than accounts is judged again; what is costly to judge only if a
// selection has found it wanting, or if it comes from an undone block.
Result<void, StoreError> TipMove::admit_again() {
    std::vector<Hash256> ids;
    for (const auto& [arrival, entry] : pool_.judged_) {
        const bool was_skipped = entry->failure && entry->failure->epoch + 1 == pool_.epoch_;
        if (!is_costly(entry->checked.transaction()) || was_skipped ||
            lost_ids_.contains(entry->checked.id())) {
            ids.push_back(entry->checked.id());
        }
    }
    for (const Hash256& id : ids) {
        const auto found = pool_.by_id_.find(id);
        if (found == pool_.by_id_.end()) continue;  // gone with one before it
        const PoolEntry& entry = *found->second;
        SenderQueue& queue = *entry.queue;
        if (!can_judge(entry.checked.transaction(), context_)) continue;
        const auto admitted = pool_.try_admit(entry.checked, queue, view_, context_);
        if (admitted) continue;
        if (const auto* broken = std::get_if<StoreError>(&admitted.error())) return fail(*broken);
        invalidate(queue, entry, std::get<TransactionError>(admitted.error()));
        pool_.drop_far_nonces(queue, removed_);
        pool_.reindex(queue);
    }
    return {};
}

Result<std::vector<Removed>, StoreError> Mempool::tip_changed(std::span<const UndoneBlock> undone,
                                                              std::span<const RedoneBlock> redone,
                                                              const StateView& view,
                                                              const TransactionContext& context,
                                                              std::uint64_t now_ms) {
    epoch_ += 1;
    TipMove move(*this, view, context, now_ms);
    move.take_out_included(redone);
    move.collect_lost(undone);
    TRY(move.refresh_accounts(!undone.empty()));
    TRY(move.admit_again());
    move.trim();
    std::vector<Removed> removed = std::move(move.removed_);
    const std::vector<Removed> expired = expire(now_ms);
    removed.insert(removed.end(), expired.begin(), expired.end());
    return removed;
}

}  // namespace gradient::chain
