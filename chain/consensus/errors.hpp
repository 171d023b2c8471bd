#pragma once

// One enumerator for each rule, with its exact condition. They are grouped by consequence; `blame`
// says which group, and what a node does about it:
//
//   malformed  this copy is wrong: drop it, penalise its sender. The id may still be good.
//   invalid    the id itself is condemned: penalise, remember, never ask for it again.
//   not_yet    nothing is wrong: hold it, no penalty.
//   ours       this node can't judge: stop or try again, no penalty.

#include <cstdint>
#include <string_view>
#include <variant>

namespace gradient::chain {

/// What an error says about the object and its sender; see the head of this file.
enum class Consequence : std::uint8_t { malformed, invalid, not_yet, ours };

/// Rules for headers and their work evidence (chain/SPEC.md section 9).
enum class HeaderError : std::uint8_t {
    // malformed: what arrived is no header of this network, or no evidence of its work
    unknown_version,      // tmpl.version != kTemplateVersion
    genesis_height,       // tmpl.height == 0: the genesis block comes from the chain spec
    no_units,             // units == 0
    too_many_units,       // units > work.max_units
    bad_target,           // bits not canonical, zero, or easier than max_bits
    bad_evidence_coding,  // the difference is not the canonical coding of a difference
    bad_evidence_start,   // K = 1: previous digest not zero, or the state is not that of unit 0;
                          // K = 2: previous digest != H("lane", T, c_0)
    evidence_differs,     // the replay of unit K does not give the header's last digest

    // invalid
    ticket_above_target,    // ticket of the last digest > win target
    wrong_parent,           // tmpl.parent != id of the parent
    wrong_height,           // tmpl.height != parent's height + 1
    time_not_after_parent,  // tmpl.time_ms <= parent's time
    wrong_bits,             // tmpl.bits != next_bits(parent)
    wrong_history_root,     // tmpl.history_root != root over the headers up to the parent
    wrong_task,             // tmpl.task != the task drawn for the parent's children

    // not yet
    time_too_far,      // tmpl.time_ms > now + max_future_ms
    unknown_parent,    // no proved header has the id tmpl.parent
    evidence_missing,  // the header came without work evidence: it weighs nothing
};

/// Rules for segments (chain/SPEC.md section 10).
enum class SegmentError : std::uint8_t {
    // malformed: digests, list, openings and signature are witness data of an id that may be good
    no_units,           // K == 0
    too_many_units,     // K > work.max_units
    too_many_openings,  // more openings than max_hits + guards
    too_large,          // encoded segment > work.max_segment_bytes
    opening_order,  // openings not in strictly ascending order of units: also a unit opened twice
    opening_out_of_range,  // an opening's unit is 0 or above K
    wrong_list,            // Merkle root of the listed ids != tmpl.settle_root
    wrong_last_digest,     // the digests lead to another s_K than the header names
    bad_signature,         // not a strict signature of the template's miner over H(T, K, s_K)
    missing_hit,           // a unit's ticket is a hit and the unit is not opened
    missing_guard,         // a drawn guard is not opened
    missing_last_unit,     // unit K is not opened
    unexpected_opening,    // an opened unit is neither hit nor guard nor K
    bad_delta,             // an opening's difference is not canonical
    opening_differs,       // an opening does not hash to c_{k-1}

    // invalid
    no_hit,                // no ticket of the segment is a hit
    last_unit_no_win,      // the segment ends a block and the ticket of unit K does not win
    too_many_hits,         // more hits than work.max_hits
    untrainable_state,     // the opened state lies outside the solver core's range
    replay_differs,        // the replay of an opened unit does not give c_k
    unknown_round,         // a share's round is not one of those whose shares may be included now
    wrong_share_template,  // a share's parent, time, target, roots or task are not its round's
    lane_included,         // the share's lane has yielded a segment that is included already
    list_not_on_branch,  // the share's template lists a segment of the round before its own that is
                         // neither on the branch nor included by the same block, or one twice
    too_many_shares,     // the round or its task's late list can take no further segment

    // ours
    replay_missing,  // not every opening has been replayed
};

/// Rules for blocks beside those of their header and segment (chain/SPEC.md section 11).
enum class BlockError : std::uint8_t {
    // malformed: the body is not the one that the header commits to
    too_large,               // encoded block > max_block_bytes
    wrong_transaction_root,  // root of the transactions != tmpl.transaction_root
    wrong_settle_root,       // there are listed segments that the header does not commit to
    wrong_unit_count,        // the winner's K != header.units
    listed_late,             // a listed segment is not of the round that the block settles

    // invalid
    wrong_state_root,  // tmpl.state_root != root of the state after the parent
    late_not_late,     // a share among the transactions is of the round that the block settles
};

/// Rules for signed transactions (chain/SPEC.md section 21).
enum class TransactionError : std::uint8_t {
    // malformed: the bytes alone are wrong
    wrong_network,    // network_id is not the chain spec's
    bad_signature,    // not a strict signature of the sender over transaction_message
    zero_amount,      // a transfer or funding of nothing
    bad_chunk,        // a published chunk is empty or above kDataChunkBytes
    bad_task_shape,   // shape or hyper-parameters outside the solver core's ranges, a unit above
                      // max_unit_work, or a model of which no lane fits into a segment
    bad_task_data,    // data bytes zero, above the limit, or not those of that many chunks
    bad_task_terms,   // unit budget or pay per hit zero, or escrow < pay per hit * hits_per_win
    amount_overflow,  // amounts, deposit and fee together exceed the largest amount
    bad_proof,        // a fraud proof's numbers, coding or signatures show no fraud of anything

    // invalid at this place of the chain
    fee_too_low,           // fee below what size and replays cost
    insufficient_balance,  // the sender's balance does not cover amounts and fee
    nonce_gap,             // nonce above the account's: something is missing before it
    nonce_used,            // nonce below the account's: included before
    chunk_known,           // the chunk is on the chain already
    chunk_missing,         // a chunk of the task's data is not on the chain
    unknown_task,          // no user task has that id
    task_ended,            // the task's status is not active
    not_task_owner,        // cancelled by somebody else than its owner
    too_many_tasks,        // kMaxActiveTasks are active already, or ids are used up
    too_many_creations,    // the block creates max_task_creations tasks already
    data_unfit,            // a chunk has a wrong size, or the data do not decode, fit the shape,
                           // or have substance
    commitment_known,      // the same commitment of the same sender is live already
    too_many_commitments,  // the block holds FraudAgenda::kMaxCommitments already
    bad_commit_height,     // a reveal's commit height does not lie 2 to 10 blocks below
    commitment_missing,    // no live commitment of this sender, height, salt and subject
    segment_not_immature,  // the accused segment is not included, its pay has matured, or it has
                           // been proven false in the same way before
    replay_agrees,         // the replay of the allegedly false unit gives its digest
};

/// What a listed segment of a block has broken before all of them were seen to be those that the
/// header commits to. It says nothing of the block's id: whoever passes a block on can put any
/// segment into its list.
struct ListedError {
    SegmentError rule;

    friend bool operator==(ListedError, ListedError) = default;
};

/// An error of whichever family.
using RuleError =
    std::variant<HeaderError, SegmentError, BlockError, TransactionError, ListedError>;

/// One sentence for the error.
[[nodiscard]] std::string_view describe(HeaderError error) noexcept;
[[nodiscard]] std::string_view describe(SegmentError error) noexcept;
[[nodiscard]] std::string_view describe(BlockError error) noexcept;
[[nodiscard]] std::string_view describe(TransactionError error) noexcept;
[[nodiscard]] std::string_view describe(ListedError error) noexcept;
[[nodiscard]] std::string_view describe(const RuleError& error) noexcept;

/// Its group.
[[nodiscard]] Consequence blame(HeaderError error) noexcept;
[[nodiscard]] Consequence blame(SegmentError error) noexcept;
[[nodiscard]] Consequence blame(BlockError error) noexcept;
[[nodiscard]] Consequence blame(TransactionError error) noexcept;
[[nodiscard]] Consequence blame(ListedError error) noexcept;
[[nodiscard]] Consequence blame(const RuleError& error) noexcept;

}  // namespace gradient::chain
