#pragma once

// Grammar (chain/SPEC.md section 25):
//
//   history sample  header, optional parent header, MMR proof, MMR prefix proof

#include "chain/base/codec.hpp"
#include "chain/base/mmr.hpp"
#include "chain/types/header.hpp"

#include <optional>

namespace gradient::chain {

/// One header of a chain, tied to the history root of a later one.
struct HistorySample {
    Header header;
    std::optional<Header> parent;  ///< none where the parent is genesis
    MmrProof place;                ///< of the header in the tip's history
    MmrPrefixProof prefix;         ///< the header's own history begins the tip's

    friend bool operator==(const HistorySample&, const HistorySample&) = default;
    static auto fields(auto& self) {
        return std::tie(self.header, self.parent, self.place, self.prefix);
    }
};

}  // namespace gradient::chain
