#pragma once

// Grammar (chain/SPEC.md section 4):
//
//   block        header, listed segments list, transactions list, body of the winner's segment

#include "chain/types/segment.hpp"
#include "chain/types/transaction.hpp"

#include <vector>

namespace gradient::chain {

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

}  // namespace gradient::chain
