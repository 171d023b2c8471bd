#pragma once

#include "chain/base/bytes.hpp"
#include "chain/base/result.hpp"
#include "chain/network.hpp"
#include "chain/storage/key_value.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace gradient::chain {

/// How much of each block's training an audit replays.
enum class AuditDepth : std::uint8_t {
    openings,   ///< every opened unit, as a node does before it takes a block
    all_units,  ///< every unit of every segment, from theta_0: as much work as mining was
};

/// How far an audit has come.
struct AuditProgress {
    std::uint64_t height = 0;  ///< last block audited
    std::uint64_t tip_height = 0;
    std::uint64_t units_claimed = 0;  ///< by the blocks audited
    std::uint64_t units_replayed = 0;
};

/// Called after each block; false ends the audit early.
using AuditListener = std::function<bool(const AuditProgress&)>;

/// Result of an audit that found nothing wrong.
struct AuditReport {
    AuditProgress progress;
    std::uint64_t first_header = 0;  ///< below, the directory has nothing: it began as a snapshot
    std::uint64_t first_block = 1;   ///< below, bodies are pruned and only headers were checked
    Hash256 tip;                     ///< last block audited
    Hash256 state_root;              ///< of the state after it, derived anew
    Hash256 model;                   ///< root(theta) of the genesis task's model after it
    bool complete = false;  ///< the tip was reached, and the stored state is the derived one
};

/// The first thing that an audit found wrong.
struct AuditFailure {
    std::uint64_t height = 0;
    Hash256 id;        ///< of the block; zero if even that is not to be had
    std::string rule;  ///< one sentence: the rule broken, or the damage found

    /// "block 12 (ab..): sentence".
    [[nodiscard]] std::string to_string() const;
};

/// Derives the chain of a data directory anew: from the network's genesis, block by block along the
/// active chain, checks every rule, replays as deep as asked, derives the state after each block
/// and compares its root, its undo and its index with what is stored; at the tip compares the
/// stored state entry by entry with its root, and the stored state tree node by node with that
/// of the entries. Of blocks whose bodies are pruned it checks the headers, the range over them and
/// what the stubs must hash to, then goes back from the tip's state to the state before the first
/// whole block, whose root the headers fix, and on from there as ever. Reads only. The clock is no
/// rule here: stored headers were not ahead of it when they came.
[[nodiscard]] Result<AuditReport, AuditFailure> audit_chain(
    std::shared_ptr<const Network> network, const KeyValueView& store, AuditDepth depth,
    const AuditListener& listener, model::EngineKind engine = model::EngineKind::best);

}  // namespace gradient::chain
