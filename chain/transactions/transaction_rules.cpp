#include "chain/transactions/transaction_rules.hpp"

#include "chain/base/check.hpp"
#include "chain/state/entries.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/fraud_rules.hpp"
#include "chain/transactions/task_rules.hpp"
#include "chain/types/data.hpp"

#include <memory>
#include <utility>

namespace gradient::chain {

namespace {

// Several function objects as one, for std::visit.
template <class... Functions>
struct Overload : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overload(Functions...) -> Overload<Functions...>;

// ------------------------------------------------------------------------------------------ sizes

// Encoded as a Transaction: one byte says which kind it is.
std::size_t encoded_bytes(const SignedTransaction& transaction) {
    return 1 + encoded_size(transaction);
}

// What the sender parts with beside the fee.
Amount amount_of(const Action& action, const ConsensusParams& params) {
    return std::visit(Overload{[](const Transfer& part) { return part.amount; },
                               [](const PublishData&) { return Amount{}; },
                               [](const CreateTask& part) { return part.escrow; },
                               [](const FundTask& part) { return part.amount; },
                               [](const CancelTask&) { return Amount{}; },
                               [&](const CommitFraud&) { return params.fraud_deposit; },
                               [](const RevealFraud&) { return Amount{}; }},
                      action);
}

// Replays, or as costly work, that judging the action takes.
std::uint64_t replays_of(const Action& action) {
    if (const auto* create = std::get_if<CreateTask>(&action)) return create->chunks.size();
    if (const auto* reveal = std::get_if<RevealFraud>(&action)) {
        return std::holds_alternative<FalseUnitProof>(reveal->proof) ? 1 : 0;
    }
    return 0;
}

// ---------------------------------------------------------------------------------------- actions

Result<void, TransactionError> check_action(const Action& action,
                                            const TransactionContext& context) {
    using Checked = Result<void, TransactionError>;
    return std::visit(
        Overload{[](const Transfer& part) -> Checked {
                     if (part.amount.is_zero()) return fail(TransactionError::zero_amount);
                     return {};
                 },
                 [](const PublishData& part) -> Checked {
                     if (part.chunk.empty() || part.chunk.size() > kDataChunkBytes) {
                         return fail(TransactionError::bad_chunk);
                     }
                     return {};
                 },
                 [&](const CreateTask& part) { return check_task(part, context.params); },
                 [](const FundTask& part) { return check_task(part); },
                 [](const CancelTask&) { return Checked(); },
                 [&](const CommitFraud& part) { return check_fraud(part, context); },
                 [&](const RevealFraud& part) { return check_fraud(part, context); }},
        action);
}

Result<void, TransactionFailure> admit_action(const StateView& view,
                                              const CheckedTransaction& transaction,
                                              const TransactionContext& context,
                                              const BlockTally& tally) {
    using Admitted = Result<void, TransactionFailure>;
    return std::visit(
        Overload{[](const Transfer&) { return Admitted(); },
                 [&](const PublishData& part) -> Admitted {
                     TRY_ASSIGN(const StateValue known,
                                view.get(data_chunk_key(chunk_id(part.chunk))));
                     if (known) return fail(TransactionError::chunk_known);
                     return {};
                 },
                 [&](const CreateTask& part) {
                     return admit_task(view, transaction, part, context, tally);
                 },
                 [&](const FundTask& part) { return admit_task(view, part); },
                 [&](const CancelTask& part) { return admit_task(view, transaction, part); },
                 [&](const CommitFraud& part) {
                     return admit_fraud(view, transaction.sender(), part, context);
                 },
                 [&](const RevealFraud& part) {
                     return admit_fraud(view, transaction.sender(), part, context);
                 }},
        transaction.transaction().action);
}

Result<void, StoreError> apply_action(State& state, const CheckedTransaction& transaction,
                                      const TransactionContext& context, BlockTally& tally) {
    using Applied = Result<void, StoreError>;
    return std::visit(
        Overload{[&](const Transfer& part) { return credit(state, part.to, part.amount); },
                 [&](const PublishData& part) {
                     state.set(data_chunk_key(chunk_id(part.chunk)),
                               std::make_shared<const Bytes>(part.chunk));
                     return Applied();
                 },
                 [&](const CreateTask& part) {
                     return apply_task(state, transaction, part, context, tally);
                 },
                 [&](const FundTask& part) { return apply_task(state, part); },
                 [&](const CancelTask& part) { return apply_task(state, part, context); },
                 [&](const CommitFraud& part) {
                     return apply_fraud(state, transaction.sender(), part, context);
                 },
                 [&](const RevealFraud& part) {
                     return apply_fraud(state, transaction.sender(), part, context);
                 }},
        transaction.transaction().action);
}

Result<void, StoreError> apply_all(State& state, const CheckedTransaction& transaction,
                                   const TransactionContext& context, BlockTally& tally) {
    TRY(debit_sender(state, transaction.sender(), transaction.cost()));
    const auto fees = checked_add(tally.fees, transaction.transaction().fee);
    if (!fees) {
        return fail(bad_entry(account_key(transaction.sender()),
                              "the block's senders own more than all the coins there are"));
    }
    tally.fees = *fees;
    return apply_action(state, transaction, context, tally);
}

}  // namespace

std::optional<std::uint32_t> required_task(const SignedTransaction& transaction) {
    const auto* reveal = std::get_if<RevealFraud>(&transaction.action);
    if (!reveal) return std::nullopt;
    const auto* proof = std::get_if<FalseUnitProof>(&reveal->proof);
    return proof ? std::optional(proof->tmpl.task) : std::nullopt;
}

std::optional<Amount> least_fee(const SignedTransaction& transaction,
                                const ConsensusParams& params) {
    const auto bytes = checked_mul(params.byte_fee, encoded_bytes(transaction));
    const auto replays = checked_mul(params.replay_fee, replays_of(transaction.action));
    return bytes && replays ? checked_add(*bytes, *replays) : std::nullopt;
}

// chain/SPEC.md section 21, "check"
Result<CheckedTransaction, TransactionError> check_transaction(
    std::shared_ptr<const SignedTransaction> transaction, const TransactionContext& context) {
    CHECK(transaction);
    if (transaction->network_id != context.network_id) {
        return fail(TransactionError::wrong_network);
    }
    TRY(check_action(transaction->action, context));
    const auto cost = checked_add(amount_of(transaction->action, context.params), transaction->fee);
    if (!cost) return fail(TransactionError::amount_overflow);
    const auto least = least_fee(*transaction, context.params);
    if (!least || transaction->fee < *least) return fail(TransactionError::fee_too_low);
    if (!verify_signature(transaction->sender, transaction_message(context.genesis, *transaction),
                          transaction->signature)) {
        return fail(TransactionError::bad_signature);
    }
    CheckedTransaction checked;
    checked.id_ = transaction_id(*transaction);
    checked.sender_ = address_of(transaction->sender);
    checked.size_bytes_ = encoded_bytes(*transaction);
    checked.cost_ = *cost;
    checked.least_fee_ = *least;
    checked.transaction_ = std::move(transaction);
    return checked;
}

// chain/SPEC.md section 21, "admit"
Result<AdmittedTransaction, TransactionFailure> admit_transaction(
    const StateView& view, const CheckedTransaction& transaction, const TransactionContext& context,
    const BlockTally& tally) {
    TRY_ASSIGN(const Account sender, read_account(view, transaction.sender()));
    const std::uint64_t nonce = transaction.transaction().nonce;
    if (nonce < sender.nonce) return fail(TransactionError::nonce_used);
    if (nonce > sender.nonce) return fail(TransactionError::nonce_gap);
    if (sender.balance < transaction.cost()) return fail(TransactionError::insufficient_balance);
    TRY(admit_action(view, transaction, context, tally));
    return AdmittedTransaction(transaction);
}

// chain/SPEC.md section 21, "apply"
Result<void, StoreError> apply_transaction(State& state, const AdmittedTransaction& transaction,
                                           const TransactionContext& context, BlockTally& tally) {
    const auto before = state.checkpoint();
    const BlockTally tally_before = tally;
    auto applied = apply_all(state, transaction.checked(), context, tally);
    if (!applied) {
        state.rollback(before);
        tally = tally_before;
    }
    return applied;
}

}  // namespace gradient::chain
