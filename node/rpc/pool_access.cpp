#include "node/rpc/pool_access.hpp"

#include "chain/pool/mempool.hpp"
#include "node/rpc/transaction_views.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {

namespace {

std::string_view pool_refusal_name(chain::PoolRefusal refusal) noexcept {
    using Refusal = chain::PoolRefusal;
    switch (refusal) {
        case Refusal::already_pooled:
            return "already_pooled";
        case Refusal::too_large:
            return "too_large";
        case Refusal::nonce_too_far:
            return "nonce_too_far";
        case Refusal::account_full:
            return "account_full";
        case Refusal::account_overdrawn:
            return "account_overdrawn";
        case Refusal::replacement_fee_too_low:
            return "replacement_fee_too_low";
        case Refusal::fee_rate_too_low:
            return "fee_rate_too_low";
        case Refusal::too_many_costly:
            return "too_many_costly";
        case Refusal::pool_full:
            return "pool_full";
    }
    return "unknown";
}

std::string name_of(const chain::PoolError& error) {
    if (const auto* refusal = std::get_if<chain::PoolRefusal>(&error))
        return std::string(pool_refusal_name(*refusal));
    if (const auto* rule = std::get_if<chain::TransactionError>(&error))
        return std::string(refusal_name(*rule));
    return "store_failed";
}

PooledTransaction pooled_view(const chain::Waiting& waiting) {
    PooledTransaction view;
    view.transaction = waiting.transaction;
    view.id = chain::transaction_id(*waiting.transaction);
    view.position = waiting.position;
    if (waiting.skipped) view.skipped = refusal_name(*waiting.skipped);
    return view;
}

Task<SubmitOutcome> submit(LedgerService& ledger,
                           std::shared_ptr<const chain::SignedTransaction> transaction) {
    SubmitOutcome outcome;
    outcome.id = chain::transaction_id(*transaction);
    const auto result = co_await ledger.submit_transaction(std::move(transaction));
    if (!result) {
        outcome.refusal = name_of(result.error());
        outcome.sentence = chain::describe(result.error());
    }
    co_return outcome;
}

}  // namespace

PoolAccess pool_access(LedgerService& ledger) {
    PoolAccess access;
    access.submit = [&ledger](std::shared_ptr<const chain::SignedTransaction> transaction) {
        return submit(ledger, std::move(transaction));
    };
    access.of_sender = [&ledger](const chain::Address& sender) {
        std::vector<PooledTransaction> views;
        for (const auto& checked : ledger.mempool().of_sender(sender)) {
            const auto status = ledger.mempool().status(checked.id());
            if (const auto* waiting = std::get_if<chain::Waiting>(&status))
                views.push_back(pooled_view(*waiting));
        }
        return views;
    };
    access.find = [&ledger](const chain::Hash256& id) -> std::optional<PooledTransaction> {
        const auto status = ledger.mempool().status(id);
        const auto* waiting = std::get_if<chain::Waiting>(&status);
        if (waiting == nullptr) return std::nullopt;
        return pooled_view(*waiting);
    };
    access.gone = [&ledger](const chain::Hash256& id) -> std::optional<GoneTransaction> {
        const auto status = ledger.mempool().status(id);
        const auto* removed = std::get_if<chain::Removed>(&status);
        if (removed == nullptr || removed->reason == chain::RemovalReason::included)
            return std::nullopt;
        std::string sentence = "The transaction left the pool: ";
        sentence += chain::to_string(removed->reason);
        if (removed->error) {
            sentence += "; ";
            sentence += chain::describe(*removed->error);
        }
        return GoneTransaction{std::string(chain::to_string(removed->reason)), sentence + "."};
    };
    return access;
}

}  // namespace gradient::node
