#pragma once

// Grammar (chain/SPEC.md section 4):
//
//   transaction  bytes (length compact)
//   block        header, listed segments list, transactions list, body of the winner's segment

#include "chain/types/segment.hpp"

#include <span>
#include <vector>

namespace gradient::chain {

/// A transaction as bytes. No kind of transaction exists yet, so the rules refuse every one.
struct Transaction {
    Bytes bytes;

    friend bool operator==(const Transaction&, const Transaction&) = default;

    static auto fields(auto& self) { return field_list(bounded<kMaxTransactionBytes>(self.bytes)); }
};

/// A header and everything it commits to. The winner's segment has the header's template, and its
/// list is that of the listed segments' ids: neither is said twice.
struct Block {
    Header header;
    std::vector<Segment> listed;  ///< segments of the last round that the template settles
    std::vector<Transaction> transactions;  ///< in the order of tmpl.transaction_root
    SegmentBody winner;

    friend bool operator==(const Block&, const Block&) = default;

    static auto fields(auto& self) {
        return field_list(self.header, bounded<kMaxListedSegments>(self.listed),
                          bounded<kMaxTransactions>(self.transactions), self.winner);
    }
};

/// A transaction's id.
[[nodiscard]] Hash256 transaction_id(const Transaction& transaction) noexcept;

/// What tmpl.transaction_root must be for these transactions.
[[nodiscard]] Hash256 transaction_root(std::span<const Transaction> transactions);

}  // namespace gradient::chain
