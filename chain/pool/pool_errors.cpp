#include "chain/pool/pool_errors.hpp"

namespace gradient::chain {

std::string_view describe(PoolRefusal refusal) noexcept {
    switch (refusal) {
        case PoolRefusal::already_pooled:
            return "the transaction waits in the pool already";
        case PoolRefusal::too_large:
            return "the transaction has more bytes than the pool takes";
        case PoolRefusal::nonce_too_far:
            return "the nonce lies too far above the first one that is missing";
        case PoolRefusal::account_full:
            return "as much as the pool takes of one sender waits already";
        case PoolRefusal::account_overdrawn:
            return "the balance does not cover it beside what waits of the sender already";
        case PoolRefusal::replacement_fee_too_low:
            return "another transaction with this nonce waits, and the fee is not enough above its "
                   "fee to replace it";
        case PoolRefusal::fee_rate_too_low:
            return "the fee is below the pool's minimum for each byte";
        case PoolRefusal::too_many_costly:
            return "as many transactions that are costly to judge as the pool takes wait already";
        case PoolRefusal::pool_full:
            return "the pool is full of transactions that pay more for each byte";
    }
    return "";
}

std::string describe(const PoolError& error) {
    if (const auto* refusal = std::get_if<PoolRefusal>(&error)) {
        return std::string(describe(*refusal));
    }
    if (const auto* rule = std::get_if<TransactionError>(&error)) {
        return std::string(describe(*rule));
    }
    return std::get<StoreError>(error).message;
}

Consequence blame(const PoolError& error) noexcept {
    if (const auto* rule = std::get_if<TransactionError>(&error)) return blame(*rule);
    return std::holds_alternative<PoolRefusal>(error) ? Consequence::not_yet : Consequence::ours;
}

std::string_view to_string(RemovalReason reason) noexcept {
    switch (reason) {
        case RemovalReason::included:
            return "included";
        case RemovalReason::conflicting:
            return "conflicting";
        case RemovalReason::replaced:
            return "replaced";
        case RemovalReason::evicted:
            return "evicted";
        case RemovalReason::expired:
            return "expired";
        case RemovalReason::invalidated:
            return "invalidated";
        case RemovalReason::reorganised_away:
            return "reorganised_away";
    }
    return "";
}

}  // namespace gradient::chain
