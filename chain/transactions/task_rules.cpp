#include "chain/transactions/task_rules.hpp"

#include "chain/base/check.hpp"
#include "chain/base/hash.hpp"
#include "chain/base/merkle.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/types/data.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/task_model.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace gradient::chain {

namespace {

// A task's last late share has been paid when its escrow is refunded.
static_assert(kRefundDelay > kMaxLateness + 1);

// However fast tasks come and go, the list of those that wait for a refund has room: at most 64 are
// created a block (check_params).
static_assert(TaskList::kMaxEnding >= kMaxActiveTasks + 64 * (kRefundDelay + 1));

// The data that the chunks make; a chunk's size is settled by its id.
Result<Bytes, TransactionFailure> read_chunks(const StateView& view, const CreateTask& action) {
    Bytes data;
    data.reserve(static_cast<std::size_t>(action.data_bytes));
    for (const Hash256& id : action.chunks) {
        TRY_ASSIGN(const StateValue chunk, view.get(data_chunk_key(id)));
        if (!chunk) return fail(TransactionError::chunk_missing);
        const std::uint64_t wanted =
            std::min<std::uint64_t>(kDataChunkBytes, action.data_bytes - data.size());
        if (chunk->size() != wanted) return fail(TransactionError::data_unfit);
        data.insert(data.end(), chunk->begin(), chunk->end());
    }
    return data;
}

Result<TaskAccount, TransactionFailure> find_active(const StateView& view, std::uint32_t task) {
    TRY_ASSIGN(const auto account, read_entry<TaskAccount>(view, task_account_key(task)));
    if (!account) return fail(TransactionError::unknown_task);
    if (account->status != TaskStatus::active) return fail(TransactionError::task_ended);
    return *account;
}

// Drops what only a further round of the task would read.
Result<void, StoreError> forget_training(State& state, std::uint32_t task) {
    TRY_ASSIGN(const auto late, read_entry<LateList>(state, late_list_key(task)));
    if (late) {
        for (const Hash256& segment : late->segments) state.erase(late_key(segment));
        state.erase(late_list_key(task));
    }
    state.erase(momentum_key(task));
    state.erase(reference_key(task));
    state.erase(history_key(task));
    return {};
}

}  // namespace

Result<TaskList, StoreError> read_task_list(const StateView& view) {
    TRY_ASSIGN(auto list, read_entry<TaskList>(view, task_list_key()));
    return std::move(list).value_or(TaskList{});
}

TaskRecord task_record_of(std::uint32_t id, const CreateTask& action, const Hash256& transaction,
                          const Hash256& parent) {
    static const TaggedHasher kSeed("gradient/task-seed");
    TaskRecord record;
    record.id = id;
    record.kind = action.kind;
    record.shape = action.shape;
    record.data_format = action.data_format;
    record.data_root = merkle_root(action.chunks);
    record.data_bytes = action.data_bytes;
    record.initial_seed = kSeed(parent, transaction);
    record.unit_budget = action.unit_budget;
    record.pay_per_hit = action.pay_per_hit;
    return record;
}

// ------------------------------------------------------------------------------------------ check

bool is_task_shape(const AttentionShape& shape, const ConsensusParams& params) noexcept {
    const model::AttentionConfig config = to_model(shape);
    // A task of which no lane fits into a segment would stop the chain when it is drawn.
    return model::check_config(config) && model::unit_work(config) <= params.max_unit_work &&
           least_segment_bytes(params.work, model::parameter_count(config)) <=
               params.work.max_segment_bytes;
}

Result<void, TransactionError> check_task(const CreateTask& action,
                                          const ConsensusParams& params) noexcept {
    if (!is_task_shape(action.shape, params)) return fail(TransactionError::bad_task_shape);
    if (action.data_bytes == 0 || action.data_bytes > kMaxDataBytes) {
        return fail(TransactionError::bad_task_data);
    }
    if (action.chunks.size() != chunk_count(action.data_bytes)) {
        return fail(TransactionError::bad_task_data);
    }
    if (action.unit_budget == 0) return fail(TransactionError::bad_task_terms);
    if (action.pay_per_hit.is_zero()) return fail(TransactionError::bad_task_terms);
    const auto block_pay = checked_mul(action.pay_per_hit, params.work.hits_per_win);
    if (!block_pay || action.escrow < *block_pay) return fail(TransactionError::bad_task_terms);
    return {};
}

Result<void, TransactionError> check_task(const FundTask& action) noexcept {
    if (action.amount.is_zero()) return fail(TransactionError::zero_amount);
    return {};
}

// ------------------------------------------------------------------------------------------ admit

Result<void, TransactionFailure> admit_task(const StateView& view,
                                            const CheckedTransaction& transaction,
                                            const CreateTask& action,
                                            const TransactionContext& context,
                                            const BlockTally& tally) {
    if (tally.creations >= context.params.max_task_creations) {
        return fail(TransactionError::too_many_creations);
    }
    TRY_ASSIGN(const TaskList list, read_task_list(view));
    if (list.active.size() >= kMaxActiveTasks) return fail(TransactionError::too_many_tasks);
    if (list.next_id == std::numeric_limits<std::uint32_t>::max()) {
        return fail(TransactionError::too_many_tasks);
    }
    TRY_ASSIGN(const Bytes data, read_chunks(view, action));
    const TaskRecord record =
        task_record_of(list.next_id, action, transaction.id(), context.parent);
    if (!check_task_data(record, data)) return fail(TransactionError::data_unfit);
    return {};
}

Result<void, TransactionFailure> admit_task(const StateView& view, const FundTask& action) {
    TRY(find_active(view, action.task));
    return {};
}

Result<void, TransactionFailure> admit_task(const StateView& view,
                                            const CheckedTransaction& transaction,
                                            const CancelTask& action) {
    TRY_ASSIGN(const TaskAccount account, find_active(view, action.task));
    if (account.owner != transaction.sender()) return fail(TransactionError::not_task_owner);
    return {};
}

// ------------------------------------------------------------------------------------------ apply

Result<void, StoreError> apply_task(State& state, const CheckedTransaction& transaction,
                                    const CreateTask& action, const TransactionContext& context,
                                    BlockTally& tally) {
    TRY_ASSIGN(TaskList list, read_task_list(state));
    CHECK(list.active.size() < kMaxActiveTasks);
    const std::uint32_t id = list.next_id;
    const TaskRecord record = task_record_of(id, action, transaction.id(), context.parent);
    const auto theta = initial_parameters(record);
    TaskProgress progress;
    progress.model_digest = model_digest(theta);
    TaskAccount account;
    account.owner = transaction.sender();
    account.escrow = action.escrow;
    account.created_height = context.height;
    list.next_id += 1;
    list.active.push_back(id);

    state.put(task_key(id), record);
    state.put(progress_key(id), progress);
    state.set(model_key(id), std::make_shared<const Bytes>(encode_parameters(theta)));
    state.put(task_data_key(id), TaskData{action.chunks});
    state.put(task_account_key(id), account);
    state.put(task_list_key(), list);
    tally.creations += 1;
    return {};
}

Result<void, StoreError> apply_task(State& state, const FundTask& action) {
    const StateKey key = task_account_key(action.task);
    TRY_ASSIGN(TaskAccount account, require_entry<TaskAccount>(state, key));
    CHECK(account.status == TaskStatus::active);
    const auto escrow = checked_add(account.escrow, action.amount);
    if (!escrow) return fail(bad_entry(key, "its escrow exceeds all the coins there are"));
    account.escrow = *escrow;
    state.put(key, account);
    return {};
}

Result<void, StoreError> apply_task(State& state, const CancelTask& action,
                                    const TransactionContext& context) {
    return end_task(state, action.task, TaskStatus::cancelled, context.height);
}

// -------------------------------------------------------------------------------------------- end

Result<void, StoreError> end_task(State& state, std::uint32_t task, TaskStatus status,
                                  std::uint64_t height) {
    CHECK(status != TaskStatus::active);
    TRY_ASSIGN(auto account, require_entry<TaskAccount>(state, task_account_key(task)));
    CHECK(account.status == TaskStatus::active);
    TRY_ASSIGN(TaskList list, read_task_list(state));
    if (std::erase(list.active, task) != 1) {
        return fail(bad_entry(task_list_key(), "an active task is missing from it"));
    }
    list.ending.push_back(task);
    account.status = status;
    account.ended_height = height;
    state.put(task_account_key(task), account);
    state.put(task_list_key(), list);
    return {};
}

Result<void, StoreError> refund_ended_tasks(State& state, std::uint64_t height) {
    TRY_ASSIGN(TaskList list, read_task_list(state));
    auto waiting = list.ending.begin();
    for (; waiting != list.ending.end(); ++waiting) {
        const StateKey key = task_account_key(*waiting);
        TRY_ASSIGN(auto account, require_entry<TaskAccount>(state, key));
        if (height < account.ended_height + kRefundDelay) break;  // and so do those behind it
        TRY(credit(state, account.owner, account.escrow));
        account.escrow = Amount{};
        state.put(key, account);
        TRY(forget_training(state, *waiting));
    }
    if (waiting == list.ending.begin()) return {};
    list.ending.erase(list.ending.begin(), waiting);
    state.put(task_list_key(), list);
    return {};
}

}  // namespace gradient::chain
