#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/mmr.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/state/state_diff.hpp"
#include "chain/types/header.hpp"

namespace gradient::chain {

/// What a chain spec determines: the block at height 0 and the state after it.
///
/// The header has height 0, the spec's digest as its parent, the spec's time and first target, the
/// roots of no segments, no transactions and no earlier headers, the genesis state's root, the
/// genesis task, and nothing else. So its id commits to the whole spec.
struct Genesis {
    Header header;
    Hash256 id;
    StateDiff state;  ///< from the empty state
    Hash256 state_root;
};

/// Precondition: the spec passes check_chain_spec.
[[nodiscard]] Genesis make_genesis(const ChainSpec& spec);

}  // namespace gradient::chain
