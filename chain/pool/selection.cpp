// Which of the waiting transactions a block takes.

#include "chain/base/check.hpp"
#include "chain/pool/mempool.hpp"
#include "chain/state/state.hpp"

#include <queue>
#include <unordered_set>

namespace gradient::chain {

namespace {

// No transaction is smaller than this (bytes): when less room is left, the block is full.
constexpr std::size_t kLeastTransactionBytes = 100;

// A walk ends when so many in a row have not been taken.
constexpr std::size_t kMaxMisfits = 1000;

// The ready transactions one by one, the best next one of any sender first.
class SingleWalk {
  public:
    using Heads = std::map<RankKey, PoolEntry*, BetterFirst>;

    // From the first of each sender.
    explicit SingleWalk(const Heads& heads) : head_(heads.begin()), heads_end_(heads.end()) {}
    // From some transactions on.
    explicit SingleWalk(const std::vector<PoolEntry*>& starts, const Heads& heads)
        : head_(heads.end()), heads_end_(heads.end()) {
        for (PoolEntry* entry : starts) others_.push(entry);
    }

    // The next one, or null. The ones after it come only if go_on is called.
    [[nodiscard]] PoolEntry* next() {
        const bool from_heads =
            head_ != heads_end_ &&
            (others_.empty() || BetterFirst{}(head_->first, others_.top()->key()));
        if (from_heads) return (head_++)->second;
        if (others_.empty()) return nullptr;
        PoolEntry* entry = others_.top();
        others_.pop();
        return entry;
    }

    void go_on(const PoolEntry& taken) {
        SenderQueue& queue = *taken.queue;
        if (taken.nonce() + 1 < queue.ready_end) {
            others_.push(&queue.entries.at(taken.nonce() + 1));
        }
    }

  private:
    struct WorseFirst {
        bool operator()(const PoolEntry* a, const PoolEntry* b) const {
            return BetterFirst{}(b->key(), a->key());
        }
    };

    Heads::const_iterator head_;
    Heads::const_iterator heads_end_;
    std::priority_queue<PoolEntry*, std::vector<PoolEntry*>, WorseFirst> others_;
};

}  // namespace

/// One try at filling a block.
class Selector {
  public:
    Selector(Mempool& pool, const StateView& view, const TransactionContext& context,
             const SelectionBudget& budget)
        : pool_(pool), context_(context), left_(budget), state_(view) {}

    // Package by package; what is left of the room goes to single ones of the packages that did
    // not fit.
    Result<void, StoreError> take_packages();
    // One by one.
    Result<void, StoreError> take_singles(SingleWalk walk);
    // What take_singles would bring if every rule agreed.
    [[nodiscard]] FeeProduct fees_of_singles() const;

    [[nodiscard]] bool left_any_out() const noexcept { return left_any_out_; }
    [[nodiscard]] const Selection& selection() const noexcept { return selection_; }
    [[nodiscard]] Selection take() &&;

  private:
    enum class Outcome : std::uint8_t { taken, not_taken };

    [[nodiscard]] static bool is_full(const SelectionBudget& left) noexcept {
        return left.bytes < kLeastTransactionBytes || left.transactions == 0;
    }
    [[nodiscard]] bool is_refused(const PoolEntry& entry) const noexcept {
        return entry.failure && entry.failure->epoch == pool_.epoch_ &&
               !may_be_cured(entry.failure->error);
    }
    // Takes it off the budget if there is room.
    [[nodiscard]] bool fits(const PoolEntry& entry, SelectionBudget& left) const;
    Result<Outcome, StoreError> take_package(const Mempool::PackagePlace& place,
                                             std::size_t size_bytes);
    Result<Outcome, StoreError> take(PoolEntry& entry);
    Outcome refuse(PoolEntry& entry, TransactionError error);

    Mempool& pool_;
    const TransactionContext& context_;
    SelectionBudget left_;
    State state_;
    BlockTally tally_;
    Selection selection_;
    std::map<std::uint64_t, Skipped> refused_;  // by arrival; one that goes later is none
    bool left_any_out_ = false;
};

bool Selector::fits(const PoolEntry& entry, SelectionBudget& left) const {
    const SignedTransaction& transaction = entry.checked.transaction();
    const std::size_t replays = required_task(transaction) ? 1 : 0;
    if (entry.checked.size_bytes() > left.bytes || left.transactions == 0 ||
        replays > left.replays || !can_judge(transaction, context_)) {
        return false;
    }
    left.bytes -= entry.checked.size_bytes();
    left.transactions -= 1;
    left.replays -= replays;
    return true;
}

Result<void, StoreError> Selector::take_packages() {
    std::unordered_set<const SenderQueue*> stopped;
    std::vector<PoolEntry*> rest;
    std::size_t misfits = 0;
    for (const auto& [key, place] : pool_.ready_) {
        if (is_full(left_) || misfits > kMaxMisfits) {
            left_any_out_ = true;
            break;
        }
        if (stopped.contains(place.queue)) continue;
        TRY_ASSIGN(const Outcome outcome, take_package(place, key.rate.bytes));
        if (outcome == Outcome::taken) {
            misfits = 0;
            continue;
        }
        misfits += 1;
        stopped.insert(place.queue);
        rest.push_back(&place.queue->entries.at(place.first_nonce));
    }
    return take_singles(SingleWalk(rest, pool_.heads_));
}

Result<void, StoreError> Selector::take_singles(SingleWalk walk) {
    std::size_t misfits = 0;
    while (PoolEntry* entry = walk.next()) {
        if (is_full(left_) || misfits > kMaxMisfits) {
            left_any_out_ = true;
            break;
        }
        TRY_ASSIGN(const Outcome outcome, take(*entry));
        if (outcome == Outcome::taken) walk.go_on(*entry);
        misfits = outcome == Outcome::taken ? 0 : misfits + 1;
    }
    return {};
}

FeeProduct Selector::fees_of_singles() const {
    SingleWalk walk(pool_.heads_);
    SelectionBudget left = left_;
    FeeProduct fees = 0;
    std::size_t misfits = 0;
    while (const PoolEntry* entry = walk.next()) {
        if (is_full(left) || misfits > kMaxMisfits) break;
        const bool goes = !is_refused(*entry) && fits(*entry, left);
        if (goes) {
            fees += entry->rate().fee;
            walk.go_on(*entry);
        }
        misfits = goes ? 0 : misfits + 1;
    }
    return fees;
}

// All of it or nothing.
Result<Selector::Outcome, StoreError> Selector::take_package(const Mempool::PackagePlace& place,
                                                             std::size_t size_bytes) {
    if (size_bytes > left_.bytes || place.count > left_.transactions) {
        left_any_out_ = true;
        return Outcome::not_taken;
    }
    const auto state_before = state_.checkpoint();
    const BlockTally tally_before = tally_;
    const SelectionBudget left_before = left_;
    const std::size_t count_before = selection_.transactions.size();
    const std::size_t size_before = selection_.size_bytes;
    auto entry = place.queue->entries.find(place.first_nonce);
    for (std::uint32_t i = 0; i < place.count; ++i, ++entry) {
        TRY_ASSIGN(const Outcome outcome, take(entry->second));
        if (outcome == Outcome::taken) continue;
        state_.rollback(state_before);
        tally_ = tally_before;
        left_ = left_before;
        selection_.transactions.resize(count_before);
        selection_.size_bytes = size_before;
        selection_.fees = tally_.fees;
        return Outcome::not_taken;
    }
    return Outcome::taken;
}

Result<Selector::Outcome, StoreError> Selector::take(PoolEntry& entry) {
    if (is_refused(entry)) return refuse(entry, entry.failure->error);
    SelectionBudget left = left_;
    if (!fits(entry, left)) {
        left_any_out_ = true;
        return Outcome::not_taken;
    }
    const auto admitted = admit_transaction(state_, entry.checked, context_, tally_);
    if (!admitted) {
        if (const auto* rule = std::get_if<TransactionError>(&admitted.error())) {
            return refuse(entry, *rule);
        }
        return fail(std::get<StoreError>(admitted.error()));
    }
    TRY(apply_transaction(state_, *admitted, context_, tally_));
    refused_.erase(entry.arrival);
    entry.failure.reset();
    left_ = left;
    selection_.transactions.push_back(entry.checked.shared());
    selection_.size_bytes += entry.checked.size_bytes();
    selection_.fees = tally_.fees;
    return Outcome::taken;
}

Selector::Outcome Selector::refuse(PoolEntry& entry, TransactionError error) {
    entry.failure = SelectionFailure{error, pool_.epoch_};
    refused_.insert_or_assign(entry.arrival, Skipped{entry.checked.id(), error});
    return Outcome::not_taken;
}

Selection Selector::take() && {
    for (const auto& [arrival, skipped] : refused_) selection_.skipped.push_back(skipped);
    return std::move(selection_);
}

Result<Selection, StoreError> Mempool::select(const StateView& view,
                                              const TransactionContext& context,
                                              const SelectionBudget& budget) {
    Selector by_package(*this, view, context, budget);
    TRY(by_package.take_packages());
    // A large package may keep out more than it brings. Only the room left at the end can differ.
    if (by_package.left_any_out()) {
        Selector by_one(*this, view, context, budget);
        if (by_one.fees_of_singles() > by_package.selection().fees.units()) {
            TRY(by_one.take_singles(SingleWalk(heads_)));
            if (by_one.selection().fees > by_package.selection().fees) {
                return std::move(by_one).take();
            }
        }
    }
    return std::move(by_package).take();
}

}  // namespace gradient::chain
