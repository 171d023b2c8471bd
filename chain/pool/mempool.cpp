#include "chain/pool/mempool.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/state/entries.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace gradient::chain {

namespace {

// A state in which one account is another.
class AccountOverlay final : public StateView {
  public:
    AccountOverlay(const StateView& base, const Address& owner, const Account& account)
        : base_(base),
          key_(account_key(owner)),
          value_(std::make_shared<const Bytes>(encode(account))) {}

    [[nodiscard]] Result<StateValue, StoreError> get(const StateKey& key) const override {
        return key == key_ ? value_ : base_.get(key);
    }

  private:
    const StateView& base_;
    StateKey key_;
    StateValue value_;
};

bool depends_on_accounts_only(const SignedTransaction& transaction) {
    return std::holds_alternative<Transfer>(transaction.action);
}

}  // namespace

bool may_be_cured(TransactionError error) noexcept {
    return error == TransactionError::chunk_missing || error == TransactionError::unknown_task ||
           error == TransactionError::commitment_missing ||
           error == TransactionError::too_many_creations ||
           error == TransactionError::too_many_commitments;
}

bool is_costly(const SignedTransaction& transaction) noexcept {
    return std::holds_alternative<CreateTask>(transaction.action) ||
           required_task(transaction).has_value();
}

bool can_judge(const SignedTransaction& transaction, const TransactionContext& context) {
    const auto task = required_task(transaction);
    return !task || (context.trainers && context.tasks && context.tasks->find(*task));
}

Mempool::Mempool(const MempoolLimits& limits)
    : limits_(limits), minimum_(limits.minimum_half_life_ms), log_(limits.remembered) {}

// ---------------------------------------------------------------------------------------- add

Result<Mempool::Added, PoolError> Mempool::add(const CheckedTransaction& transaction,
                                               const StateView& view,
                                               const TransactionContext& context,
                                               std::uint64_t now_ms) {
    if (contains(transaction.id())) return fail(PoolError(PoolRefusal::already_pooled));
    if (transaction.size_bytes() > limits_.transaction_bytes) {
        return fail(PoolError(PoolRefusal::too_large));
    }
    const FeeRate rate{transaction.transaction().fee.units(), transaction.size_bytes()};
    if (is_lower(rate, {minimum_.at(now_ms), RollingMinimum::kRateBytes})) {
        return fail(PoolError(PoolRefusal::fee_rate_too_low));
    }

    const auto account = read_entry<Account>(view, account_key(transaction.sender()));
    if (!account) return fail(PoolError(account.error()));
    const auto found = queues_.find(transaction.sender());
    std::unique_ptr<SenderQueue> fresh;
    if (found == queues_.end()) {
        fresh = std::make_unique<SenderQueue>();
        fresh->sender = transaction.sender();
    }
    SenderQueue& queue = fresh ? *fresh : *found->second;
    // Blocks add to balances without tip_changed being told of it.
    queue.account = account->value_or(Account{});
    queue.find_ready_end();

    TRY(check_place(transaction, queue));
    const auto crowded_out = find_crowded_out(transaction, queue);
    if (!crowded_out) return fail(PoolError(crowded_out.error()));
    const auto displaced = find_displaced(transaction, queue);
    if (!displaced) return fail(PoolError(displaced.error()));
    if (const auto admitted = try_admit(transaction, queue, view, context); !admitted) {
        return fail(
            std::visit([](const auto& error) { return PoolError(error); }, admitted.error()));
    }

    if (fresh) queues_.emplace(transaction.sender(), std::move(fresh));
    auto removed = insert(queue, transaction, *crowded_out, *displaced, now_ms);
    if (!removed) return fail(PoolError(removed.error()));
    const PoolEntry& entry = *by_id_.at(transaction.id());
    return Added{entry.nonce() < entry.queue->ready_end, *std::move(removed)};
}

// Whether there is a place for it among what waits of its sender.
Result<void, PoolError> Mempool::check_place(const CheckedTransaction& transaction,
                                             const SenderQueue& queue) const {
    const std::uint64_t nonce = transaction.transaction().nonce;
    if (nonce < queue.account.nonce) return fail(PoolError(TransactionError::nonce_used));
    if (queue.account.balance < transaction.cost()) {
        return fail(PoolError(TransactionError::insufficient_balance));
    }
    if (nonce >= queue.ready_end && nonce - queue.ready_end > limits_.nonce_gap) {
        return fail(PoolError(PoolRefusal::nonce_too_far));
    }
    std::uint64_t others_cost = queue.cost;
    if (const auto waiting = queue.entries.find(nonce); waiting != queue.entries.end()) {
        const auto may_replace = check_replacement(transaction, waiting->second);
        if (!may_replace) return fail(PoolError(may_replace.error()));
        others_cost -= waiting->second.checked.cost().units();
    }
    if (transaction.cost().units() > queue.account.balance.units() - others_cost) {
        return fail(PoolError(PoolRefusal::account_overdrawn));
    }
    return {};
}

// What a costly transaction puts out: the worst costly one of another sender, if no place is left.
// Null if nothing need go.
Result<PoolEntry*, PoolRefusal> Mempool::find_displaced(const CheckedTransaction& transaction,
                                                        const SenderQueue& queue) const {
    if (!is_costly(transaction.transaction()) || costly_.size() < limits_.costly_transactions) {
        return nullptr;
    }
    const auto same = queue.entries.find(transaction.transaction().nonce);
    if (same != queue.entries.end() && is_costly(same->second.checked.transaction())) {
        return nullptr;
    }
    const FeeRate rate{transaction.transaction().fee.units(), transaction.size_bytes()};
    for (auto worst = costly_.rbegin(); worst != costly_.rend(); ++worst) {
        if (!is_lower(worst->first.rate, rate)) break;
        if (worst->second->queue != &queue) return worst->second;
    }
    return fail(PoolRefusal::too_many_costly);
}

Result<void, PoolRefusal> Mempool::check_replacement(const CheckedTransaction& transaction,
                                                     const PoolEntry& waiting) const {
    const std::uint64_t old_fee = waiting.rate().fee;
    const std::uint64_t part =
        (old_fee + limits_.replacement_divisor - 1) / limits_.replacement_divisor;
    const std::uint64_t relay = limits_.relay_increment * transaction.size_bytes();
    const FeeRate rate{transaction.transaction().fee.units(), transaction.size_bytes()};
    if (rate.fee < old_fee + std::max(part, relay) || is_lower(rate, waiting.rate())) {
        return fail(PoolRefusal::replacement_fee_too_low);
    }
    return {};
}

// Nonces of the same sender that go for the transaction: the highest ones, as many as the limits of
// an account take. What has a lower nonce can be included first.
Result<std::vector<std::uint64_t>, PoolRefusal> Mempool::find_crowded_out(
    const CheckedTransaction& transaction, const SenderQueue& queue) const {
    const std::uint64_t nonce = transaction.transaction().nonce;
    std::size_t count = queue.entries.size() + 1;
    std::size_t bytes = queue.size_bytes + transaction.size_bytes();
    if (const auto same = queue.entries.find(nonce); same != queue.entries.end()) {
        count -= 1;
        bytes -= same->second.checked.size_bytes();
    }
    std::vector<std::uint64_t> out;
    for (auto last = queue.entries.rbegin();
         count > limits_.account_transactions || bytes > limits_.account_bytes; ++last) {
        if (last == queue.entries.rend() || last->first <= nonce) {
            return fail(PoolRefusal::account_full);
        }
        out.push_back(last->first);
        count -= 1;
        bytes -= last->second.checked.size_bytes();
    }
    return out;
}

// Judges the transaction as if those before it in its queue had been applied, of which only their
// cost is looked at. What they may cure, or what is still missing, is no reason to refuse it.
Result<void, TransactionFailure> Mempool::try_admit(const CheckedTransaction& transaction,
                                                    const SenderQueue& queue, const StateView& view,
                                                    const TransactionContext& context) const {
    if (depends_on_accounts_only(transaction.transaction())) return {};
    const std::uint64_t nonce = transaction.transaction().nonce;
    const AccountOverlay overlay(view, queue.sender, queue.account_before(nonce));
    const auto admitted = admit_transaction(overlay, transaction, context, BlockTally{});
    if (admitted) return {};
    const auto* rule = std::get_if<TransactionError>(&admitted.error());
    if (rule && may_be_cured(*rule) && nonce != queue.account.nonce) return {};
    return fail(admitted.error());
}

Result<std::vector<Removed>, PoolRefusal> Mempool::insert(
    SenderQueue& queue, const CheckedTransaction& transaction,
    std::span<const std::uint64_t> crowded_out, PoolEntry* displaced, std::uint64_t now_ms) {
    const std::uint64_t nonce = transaction.transaction().nonce;
    std::vector<Node> out;
    for (const std::uint64_t other : crowded_out) out.push_back(take(queue, other));
    const bool replaces = queue.entries.contains(nonce);
    if (replaces) out.push_back(take(queue, nonce));
    SenderQueue::Entries made;
    made.emplace(nonce, PoolEntry{.checked = transaction,
                                  .arrival = arrivals_,
                                  .time_ms = now_ms,
                                  .judged_epoch = epoch_});
    const PoolEntry& entry = put(queue, made.extract(nonce));
    reorder(queue);
    SenderQueue* const other = displaced ? displaced->queue : nullptr;
    Node displaced_node;
    if (other) {
        displaced_node = take(*other, displaced->nonce());
        reorder(*other);
    }

    const auto victims = find_victims(&entry);
    if (!victims) {
        take(queue, nonce);
        for (Node& node : out) put(queue, std::move(node));
        reindex(queue);
        if (other) {
            put(*other, std::move(displaced_node));
            reorder(*other);
        }
        return fail(PoolRefusal::pool_full);
    }
    arrivals_ += 1;
    std::vector<Removed> removed;
    const auto other_sender = other ? std::optional(other->sender) : std::nullopt;
    if (replaces) {
        tell({out.back().mapped().checked.id(), RemovalReason::replaced, transaction.id(), {}},
             removed);
        out.pop_back();
    }
    for (const Node& node : out) {
        tell({node.mapped().checked.id(), RemovalReason::evicted, {}, {}}, removed);
    }
    if (other) {
        tell({displaced_node.mapped().checked.id(), RemovalReason::evicted, {}, {}}, removed);
    }
    evict(*victims, now_ms, removed);
    // Unless its queue has gone with what was evicted.
    if (other_sender && queues_.contains(*other_sender)) {
        drop_far_nonces(*queues_.at(*other_sender), removed);
        reindex(*queues_.at(*other_sender));
    }
    return removed;
}

// ----------------------------------------------------------------------------------- the indices

PoolEntry& Mempool::put(SenderQueue& queue, Node node) {
    PoolEntry& entry = queue.entries.insert(std::move(node)).position->second;
    const CheckedTransaction& checked = entry.checked;
    entry.queue = &queue;
    by_id_.emplace(checked.id(), &entry);
    by_time_.emplace(std::pair(entry.time_ms, entry.arrival), &entry);
    if (!depends_on_accounts_only(checked.transaction())) judged_.emplace(entry.arrival, &entry);
    if (is_costly(checked.transaction())) costly_.emplace(entry.key(), &entry);
    size_bytes_ += checked.size_bytes();
    queue.size_bytes += checked.size_bytes();
    queue.cost += checked.cost().units();
    return entry;
}

Mempool::Node Mempool::take(SenderQueue& queue, std::uint64_t nonce) {
    Node node = queue.entries.extract(nonce);
    CHECK(!node.empty());
    PoolEntry& entry = node.mapped();
    const CheckedTransaction& checked = entry.checked;
    by_id_.erase(checked.id());
    by_time_.erase(std::pair(entry.time_ms, entry.arrival));
    judged_.erase(entry.arrival);
    if (entry.in_queued_index) queued_.erase(entry.key());
    entry.in_queued_index = false;
    if (is_costly(checked.transaction())) costly_.erase(entry.key());
    size_bytes_ -= checked.size_bytes();
    queue.size_bytes -= checked.size_bytes();
    queue.cost -= checked.cost().units();
    return node;
}

void Mempool::remove(SenderQueue& queue, std::uint64_t nonce, RemovalReason reason,
                     std::optional<TransactionError> error, std::vector<Removed>& removed) {
    const Node node = take(queue, nonce);
    tell({node.mapped().checked.id(), reason, {}, error}, removed);
}

void Mempool::tell(const Removed& why, std::vector<Removed>& removed) {
    log_.add(why);
    removed.push_back(why);
}

void Mempool::reorder(SenderQueue& queue) {
    queue.find_ready_end();
    reindex_packages(queue);
    reindex_queued(queue);
}

void Mempool::reindex(SenderQueue& queue) {
    reorder(queue);
    if (queue.entries.empty()) {
        const Address sender = queue.sender;
        queues_.erase(sender);
    }
}

void Mempool::reindex_packages(SenderQueue& queue) {
    std::vector<Package> fresh = queue.make_packages();
    const std::vector<Package>& old = queue.packages;
    // Most changes are at the end.
    const std::size_t common = std::min(fresh.size(), old.size());
    std::size_t same = 0;
    while (same < common && fresh[same] == old[same]) ++same;
    for (std::size_t i = same; i < old.size(); ++i) ready_.erase(old[i].key);
    for (std::size_t i = same; i < fresh.size(); ++i) {
        ready_.emplace(fresh[i].key, PackagePlace{&queue, fresh[i].first_nonce, fresh[i].count});
    }
    queue.packages = std::move(fresh);

    std::optional<RankKey> head;
    if (!queue.packages.empty()) head = queue.entries.begin()->second.key();
    if (queue.head) heads_.erase(*queue.head);
    if (head) heads_.emplace(*head, &queue.entries.begin()->second);
    queue.head = head;
}

void Mempool::reindex_queued(SenderQueue& queue) {
    for (auto last = queue.entries.rbegin(); last != queue.entries.rend(); ++last) {
        PoolEntry& entry = last->second;
        const bool is_queued = last->first >= queue.ready_end;
        if (is_queued && !entry.in_queued_index) queued_.emplace(entry.key(), &entry);
        if (!is_queued && entry.in_queued_index) queued_.erase(entry.key());
        entry.in_queued_index = is_queued;
    }
}

// -------------------------------------------------------------------------------------- eviction

// Takes the worst until the limits hold: what can't be included yet first, then whole packages.
// Nothing if `kept` would be among them.
std::optional<std::vector<Mempool::Victim>> Mempool::find_victims(const PoolEntry* kept) const {
    std::vector<Victim> victims;
    std::size_t count = by_id_.size();
    std::size_t bytes = size_bytes_;
    const auto is_over = [&] {
        return count > limits_.transactions || bytes > limits_.total_bytes;
    };
    for (auto worst = queued_.rbegin(); is_over() && worst != queued_.rend(); ++worst) {
        const PoolEntry& entry = *worst->second;
        if (&entry == kept) return std::nullopt;
        victims.push_back({{entry.queue, entry.nonce(), 1}, std::nullopt});
        count -= 1;
        bytes -= entry.checked.size_bytes();
    }
    for (auto worst = ready_.rbegin(); is_over() && worst != ready_.rend(); ++worst) {
        const auto& [key, place] = *worst;
        if (kept && kept->queue == place.queue && kept->nonce() >= place.first_nonce &&
            kept->nonce() - place.first_nonce < place.count) {
            return std::nullopt;
        }
        victims.push_back({place, key.rate});
        count -= place.count;
        bytes -= key.rate.bytes;
    }
    CHECK(!is_over());
    return victims;
}

void Mempool::evict(const std::vector<Victim>& victims, std::uint64_t now_ms,
                    std::vector<Removed>& removed) {
    for (const auto& [place, ready_rate] : victims) {
        for (std::uint64_t i = place.count; i-- > 0;) {
            remove(*place.queue, place.first_nonce + i, RemovalReason::evicted, {}, removed);
        }
        // A queued one's fee is no bid: it can't be taken.
        if (ready_rate) {
            const std::uint64_t step = limits_.relay_increment * RollingMinimum::kRateBytes;
            minimum_.raise(*ready_rate, step, now_ms);
        }
    }
    // A queue may occur several times, and goes with its last entry.
    std::vector<Address> touched;
    for (const Victim& victim : victims) touched.push_back(victim.place.queue->sender);
    std::sort(touched.begin(), touched.end());
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    for (const Address& sender : touched) {
        SenderQueue& queue = *queues_.at(sender);
        drop_far_nonces(queue, removed);
        reindex(queue);
    }
}

// What lies further above the first missing nonce than the limit allows.
void Mempool::drop_far_nonces(SenderQueue& queue, std::vector<Removed>& removed) {
    queue.find_ready_end();
    while (!queue.entries.empty()) {
        const std::uint64_t last = queue.entries.rbegin()->first;
        if (last < queue.ready_end || last - queue.ready_end <= limits_.nonce_gap) break;
        remove(queue, last, RemovalReason::invalidated, TransactionError::nonce_gap, removed);
    }
}

std::vector<Removed> Mempool::expire(std::uint64_t now_ms) {
    std::vector<Removed> removed;
    while (!by_time_.empty()) {
        const auto& [time_ms, arrival] = by_time_.begin()->first;
        if (now_ms < time_ms || now_ms - time_ms < limits_.expiry_ms) break;
        PoolEntry& entry = *by_time_.begin()->second;
        SenderQueue& queue = *entry.queue;
        remove(queue, entry.nonce(), RemovalReason::expired, {}, removed);
        drop_far_nonces(queue, removed);
        reindex(queue);
    }
    return removed;
}

// --------------------------------------------------------------------------------------- queries

TransactionStatus Mempool::status(const Hash256& id) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
        if (const auto removed = log_.find(id)) return *removed;
        return Unknown{};
    }
    const PoolEntry& entry = *found->second;
    Waiting waiting{entry.checked.shared(), std::nullopt, std::nullopt};
    if (entry.failure && entry.failure->epoch == epoch_) waiting.skipped = entry.failure->error;
    if (entry.in_queued_index) return waiting;
    std::uint64_t before = 0;
    for (const auto& [key, place] : ready_) {
        if (place.queue == entry.queue && entry.nonce() - place.first_nonce < place.count) {
            waiting.position = before + (entry.nonce() - place.first_nonce) + 1;
            break;
        }
        before += place.count;
    }
    return waiting;
}

std::shared_ptr<const SignedTransaction> Mempool::find(const Hash256& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second->checked.shared();
}

std::vector<std::pair<std::uint64_t, std::shared_ptr<const SignedTransaction>>>
Mempool::by_arrival() const {
    std::vector<std::pair<std::uint64_t, std::shared_ptr<const SignedTransaction>>> all;
    for (const auto& [key, entry] : by_time_) all.emplace_back(key.first, entry->checked.shared());
    return all;
}

std::vector<Hash256> Mempool::ids_by_arrival(std::size_t most) const {
    std::vector<Hash256> ids;
    for (const auto& [key, entry] : by_time_) {
        if (ids.size() == most) break;
        ids.push_back(entry->checked.id());
    }
    return ids;
}

std::vector<CheckedTransaction> Mempool::of_sender(const Address& sender) const {
    std::vector<CheckedTransaction> waiting;
    const auto found = queues_.find(sender);
    if (found == queues_.end()) return waiting;
    for (const auto& [nonce, entry] : found->second->entries) waiting.push_back(entry.checked);
    return waiting;
}

Result<std::uint64_t, StoreError> Mempool::next_nonce(const Address& sender,
                                                      const StateView& view) const {
    if (const auto found = queues_.find(sender); found != queues_.end()) {
        return found->second->ready_end;
    }
    TRY_ASSIGN(const auto account, read_entry<Account>(view, account_key(sender)));
    return account.value_or(Account{}).nonce;
}

void Mempool::check_invariants() const {
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::size_t packages = 0;
    std::size_t queued = 0;
    std::size_t judged = 0;
    std::size_t costly = 0;
    for (const auto& [sender, queue] : queues_) {
        CHECK(sender == queue->sender && !queue->entries.empty());
        CHECK(queue->entries.begin()->first >= queue->account.nonce);
        CHECK(queue->entries.size() <= limits_.account_transactions);
        CHECK(queue->size_bytes <= limits_.account_bytes);
        CHECK(queue->cost <= queue->account.balance.units());
        const std::uint64_t last = queue->entries.rbegin()->first;
        CHECK(last < queue->ready_end || last - queue->ready_end <= limits_.nonce_gap);
        CHECK(queue->packages == queue->make_packages());
        CHECK(queue->head.has_value() == !queue->packages.empty());
        for (const Package& package : queue->packages) {
            CHECK(ready_.at(package.key).queue == queue.get());
        }
        for (const auto& [nonce, entry] : queue->entries) {
            CHECK(by_id_.at(entry.checked.id()) == &entry && entry.queue == queue.get());
            CHECK(entry.in_queued_index == (nonce >= queue->ready_end));
            CHECK(!entry.in_queued_index || queued_.at(entry.key()) == &entry);
            CHECK(by_time_.at({entry.time_ms, entry.arrival}) == &entry);
            queued += entry.in_queued_index ? 1U : 0U;
            judged += judged_.contains(entry.arrival) ? 1U : 0U;
            costly += is_costly(entry.checked.transaction()) ? 1U : 0U;
            bytes += entry.checked.size_bytes();
        }
        count += queue->entries.size();
        packages += queue->packages.size();
    }
    CHECK(count == by_id_.size() && count == by_time_.size() && bytes == size_bytes_);
    CHECK(packages == ready_.size() && queued == queued_.size() && judged == judged_.size());
    CHECK(costly == costly_.size() && costly <= limits_.costly_transactions);
    CHECK(count <= limits_.transactions && bytes <= limits_.total_bytes);
}

}  // namespace gradient::chain
