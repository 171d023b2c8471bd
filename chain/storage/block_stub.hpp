#pragma once

// What stays of a block once its witness data (openings, digests, segments' signatures) is pruned.
// The header, in the block's index, commits to all of it but the late segments' ids.
//
//   included     list of listed segments' ids, list of late segments' ids
//   stub         list of: variant: 0 signed transaction, 1 id of a share's transaction

#include "chain/base/bytes.hpp"
#include "chain/base/codec.hpp"
#include "chain/types/block.hpp"
#include "chain/types/transaction.hpp"

#include <variant>
#include <vector>

namespace gradient::chain {

/// Ids of the segments that a block includes beside its own. They can't be told from its bytes
/// alone: a segment's id hangs on where its lane started.
struct IncludedSegments {
    std::vector<Hash256> listed;  ///< in the order of the block's list
    std::vector<Hash256> late;    ///< in the order of the block's transactions

    friend bool operator==(const IncludedSegments&, const IncludedSegments&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<kMaxListedSegments>(self.listed),
                          bounded<kMaxTransactions>(self.late));
    }
};

/// A transaction of a pruned block: a signed one as it was, of a share its id as a transaction.
struct StubTransaction {
    std::variant<SignedTransaction, Hash256> content;

    friend bool operator==(const StubTransaction&, const StubTransaction&) = default;
    static auto fields(auto& self) { return std::tie(self.content); }
};

/// What stays of a block's body.
struct BlockStub {
    std::vector<StubTransaction> transactions;  ///< in the block's order

    friend bool operator==(const BlockStub&, const BlockStub&) = default;
    static auto fields(auto& self) {
        return field_list(bounded<kMaxTransactions>(self.transactions));
    }
};

/// What stays of a block.
[[nodiscard]] BlockStub stub_of(const Block& block);

/// Ids of the stub's transactions, in the block's order.
[[nodiscard]] std::vector<Hash256> stub_transaction_ids(const BlockStub& stub);

/// The transaction root that the stub's block must have.
[[nodiscard]] Hash256 stub_transaction_root(const BlockStub& stub);

}  // namespace gradient::chain
