#pragma once

// Grammar (chain/SPEC.md section 25):
//
//   history tail    peaks, MMR proof, parent header, MMR proof, list of headers
//   history sample  header, work before u256, parent header, MMR proof, MMR proof, MMR prefix proof

#include "chain/base/codec.hpp"
#include "chain/base/mmr.hpp"
#include "chain/base/u256.hpp"
#include "chain/types/header.hpp"

#include <cstddef>
#include <vector>

namespace gradient::chain {

/// Headers at a chain's end that are judged one by one (blocks).
inline constexpr std::size_t kTailBlocks = 200;

/// The end of a chain, and the history that it stands on.
struct HistoryTail {
    MmrPeaks below;               ///< over all blocks below the first header
    MmrProof genesis;             ///< place of the genesis block in there
    Header parent;                ///< of the first header; genesis too
    MmrProof parent_place;        ///< in there
    std::vector<Header> headers;  ///< ascending; the last one is the tip

    friend bool operator==(const HistoryTail&, const HistoryTail&) = default;
    static auto fields(auto& self) {
        return field_list(self.below, self.genesis, self.parent, self.parent_place,
                          bounded<kTailBlocks>(self.headers));
    }
};

/// One header of a chain, tied to the history of a later one (the anchor).
struct HistorySample {
    Header header;
    U256 work_before;       ///< cumulative work up to the parent
    Header parent;          ///< genesis too
    MmrProof place;         ///< of the header in the anchor's history
    MmrProof parent_place;  ///< of the parent in the header's own history
    MmrPrefixProof prefix;  ///< the header's own history begins the anchor's

    friend bool operator==(const HistorySample&, const HistorySample&) = default;
    static auto fields(auto& self) {
        return std::tie(self.header, self.work_before, self.parent, self.place, self.parent_place,
                        self.prefix);
    }
};

}  // namespace gradient::chain
