#pragma once

// Why the pool does not take a transaction, and why it no longer has one.

#include "chain/base/bytes.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/state/store_error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace gradient::chain {

/// Limits of this pool that a transaction meets. No rule of the chain, so nobody is to blame.
enum class PoolRefusal : std::uint8_t {
    already_pooled,           // the same transaction waits already
    too_large,                // above MempoolLimits::transaction_bytes
    nonce_too_far,            // nonce more than nonce_gap above the first one that is missing
    account_full,             // account_transactions or account_bytes reached by lower nonces
    account_overdrawn,        // the balance does not cover it beside what waits of its sender
    replacement_fee_too_low,  // another one with that nonce waits, and the fee is not higher by
                              // what a replacement takes
    fee_rate_too_low,         // below the minimum that evictions have raised
    too_many_costly,          // costly_transactions wait already
    pool_full,                // only transactions with higher fee rates wait
};

/// Why a transaction is not taken: the pool, a rule, or a state that can't be read.
using PoolError = std::variant<PoolRefusal, TransactionError, StoreError>;

/// One sentence for the error.
[[nodiscard]] std::string_view describe(PoolRefusal refusal) noexcept;
[[nodiscard]] std::string describe(const PoolError& error);

/// Its group.
[[nodiscard]] Consequence blame(const PoolError& error) noexcept;

/// Why a transaction left the pool.
enum class RemovalReason : std::uint8_t {
    included,          // a block of the chain holds it
    conflicting,       // another transaction with its nonce is in the chain
    replaced,          // another one with its nonce and a higher fee came
    evicted,           // others pay more a byte, or have lower nonces of the same sender
    expired,           // it waited for MempoolLimits::expiry_ms
    invalidated,       // a rule refuses it on the state after the tip
    reorganised_away,  // the block that held it left the chain, and a rule refuses it now
};

/// Stable name of the reason.
[[nodiscard]] std::string_view to_string(RemovalReason reason) noexcept;

/// A transaction that left the pool.
struct Removed {
    Hash256 id;
    RemovalReason reason = RemovalReason::evicted;
    Hash256 by;  ///< the including block or the replacing transaction; zero for other reasons
    std::optional<TransactionError> error;  ///< of invalidated and reorganised_away

    friend bool operator==(const Removed&, const Removed&) = default;
};

}  // namespace gradient::chain
