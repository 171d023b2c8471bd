#pragma once

#include "node/rpc/transaction_service.hpp"

#include <cstdint>
#include <functional>

namespace gradient::node {

/// Called on the ledger's strand with a height of the active chain and its header; true ends the
/// search.
using BlockVisitor = std::function<bool(std::uint64_t, const chain::Header&)>;

/// Goes down the active chain from the tip, at most to `lowest` and over at most kMaxSearchBlocks
/// blocks, genesis left out; true if the visitor ended it. The strand is left between steps, so
/// that nothing waits long; a change of the active chain meanwhile may hide a block.
Task<bool> search_blocks(TransactionService& service, std::uint64_t lowest, BlockVisitor visitor);

}  // namespace gradient::node
