#pragma once

// What waits of one sender. From the account's nonce on, the transactions without a gap are ready;
// what follows a gap is queued. The ready ones are cut into packages: as long as what follows pays
// no less a byte than the package before it, it joins that package, because nobody can take the one
// without the other. So the rates of a sender's packages fall, and taking packages by rate, from
// whichever sender, is always in the order of nonces.

#include "chain/base/amount.hpp"
#include "chain/crypto/address.hpp"
#include "chain/pool/fee_rate.hpp"
#include "chain/state/entries.hpp"
#include "chain/transactions/transaction_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::chain {

struct SenderQueue;

/// A rule that refused a transaction in a selection, and on which tip.
struct SelectionFailure {
    TransactionError error = TransactionError::nonce_gap;
    std::uint64_t epoch = 0;  ///< number of the tip, counted by the pool
};

/// A transaction that waits.
struct PoolEntry {
    CheckedTransaction checked;
    std::uint64_t arrival = 0;
    std::uint64_t time_ms = 0;     ///< when it came
    SenderQueue* queue = nullptr;  ///< whose entry it is
    bool in_queued_index = false;
    std::optional<SelectionFailure> failure = std::nullopt;

    [[nodiscard]] std::uint64_t nonce() const noexcept { return checked.transaction().nonce; }
    [[nodiscard]] FeeRate rate() const noexcept {
        return {checked.transaction().fee.units(), checked.size_bytes()};
    }
    [[nodiscard]] RankKey key() const noexcept { return {rate(), arrival}; }
};

/// Ready transactions that are taken together or not at all.
struct Package {
    std::uint64_t first_nonce = 0;
    std::uint32_t count = 0;
    RankKey key;  ///< rate of all together; arrival of the first

    friend bool operator==(const Package& a, const Package& b) noexcept {
        // The arrival tells the first transaction, which may have been replaced.
        return a.count == b.count && a.key.arrival == b.key.arrival &&
               a.key.rate.fee == b.key.rate.fee && a.key.rate.bytes == b.key.rate.bytes;
    }
};

/// All that waits of one sender.
struct SenderQueue {
    using Entries = std::map<std::uint64_t, PoolEntry>;

    Address sender;
    Account account;  ///< after the tip
    Entries entries;  ///< by nonce, none below the account's
    std::uint64_t size_bytes = 0;
    std::uint64_t cost = 0;       ///< units, of all together; at most the balance
    std::uint64_t ready_end = 0;  ///< the first nonce that is missing
    std::vector<Package> packages;
    std::optional<RankKey> head;  ///< of the first ready one

    /// Finds the end of the ready ones.
    void find_ready_end() noexcept;
    /// The packages of the ready ones.
    [[nodiscard]] std::vector<Package> make_packages() const;
    /// What the sender has left when everything below the nonce has been paid.
    [[nodiscard]] Account account_before(std::uint64_t nonce) const noexcept;
};

}  // namespace gradient::chain
