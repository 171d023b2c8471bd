#include "chain/consensus/errors.hpp"

namespace gradient::chain {

std::string_view describe(HeaderError error) noexcept {
    switch (error) {
        case HeaderError::unknown_version:
            return "the template's version is unknown";
        case HeaderError::genesis_height:
            return "a header that travels can't have height 0";
        case HeaderError::no_units:
            return "the header claims no unit";
        case HeaderError::too_many_units:
            return "the header claims more units than a lane may run";
        case HeaderError::bad_target:
            return "the target is not canonical or easier than allowed";
        case HeaderError::bad_evidence_coding:
            return "the work evidence's parameters are not in their canonical coding";
        case HeaderError::bad_evidence_start:
            return "the work evidence does not begin where the lane begins";
        case HeaderError::evidence_differs:
            return "the work evidence does not lead to the header's last digest";
        case HeaderError::ticket_above_target:
            return "the last unit's ticket is above the target";
        case HeaderError::wrong_parent:
            return "the header names another parent";
        case HeaderError::wrong_height:
            return "the height is not one above the parent's";
        case HeaderError::time_not_after_parent:
            return "the time is not after the parent's";
        case HeaderError::wrong_bits:
            return "the target is not the one the schedule prescribes";
        case HeaderError::wrong_history_root:
            return "the history root is not that of the chain below";
        case HeaderError::wrong_task:
            return "the task is not the one drawn for this height";
        case HeaderError::time_too_far:
            return "the time lies too far ahead of this node's clock";
        case HeaderError::unknown_parent:
            return "the parent is unknown or unproved";
        case HeaderError::evidence_missing:
            return "the header came without work evidence";
    }
    return "unknown header error";
}

std::string_view describe(SegmentError error) noexcept {
    switch (error) {
        case SegmentError::no_units:
            return "the segment has no unit";
        case SegmentError::too_many_units:
            return "the segment has more units than a lane may run";
        case SegmentError::too_many_openings:
            return "the segment opens more units than allowed";
        case SegmentError::too_large:
            return "the segment is too large";
        case SegmentError::opening_order:
            return "the openings are not in ascending order of units";
        case SegmentError::opening_out_of_range:
            return "an opened unit does not exist";
        case SegmentError::wrong_list:
            return "the listed segments are not those of the settle root";
        case SegmentError::wrong_last_digest:
            return "the unit digests do not lead to the header's last digest";
        case SegmentError::bad_signature:
            return "the miner's signature is not valid";
        case SegmentError::missing_hit:
            return "a hit is not opened";
        case SegmentError::missing_guard:
            return "a guard is not opened";
        case SegmentError::missing_last_unit:
            return "the last unit is not opened";
        case SegmentError::unexpected_opening:
            return "an opened unit is neither a hit nor a guard nor the last one";
        case SegmentError::bad_delta:
            return "an opening's parameters are not in their canonical coding";
        case SegmentError::opening_differs:
            return "an opening does not match its digest";
        case SegmentError::no_hit:
            return "no unit's ticket is a hit";
        case SegmentError::last_unit_no_win:
            return "the last unit's ticket does not win";
        case SegmentError::too_many_hits:
            return "the segment has more hits than allowed";
        case SegmentError::untrainable_state:
            return "an opened state cannot be trained";
        case SegmentError::replay_differs:
            return "the replay of an opened unit gives another digest";
        case SegmentError::unknown_round:
            return "the share's round is not one whose shares may be included now";
        case SegmentError::wrong_share_template:
            return "the share's template is not one of its round";
        case SegmentError::lane_included:
            return "a segment of the share's lane is included already";
        case SegmentError::list_not_on_branch:
            return "the share started from a segment that is not on this branch";
        case SegmentError::too_many_shares:
            return "the share's round or task can take no further segment";
        case SegmentError::replay_missing:
            return "not every opening has been replayed";
    }
    return "unknown segment error";
}

std::string_view describe(BlockError error) noexcept {
    switch (error) {
        case BlockError::too_large:
            return "the block is too large";
        case BlockError::wrong_transaction_root:
            return "the transactions are not those of the transaction root";
        case BlockError::wrong_settle_root:
            return "the listed segments are not those of the settle root";
        case BlockError::wrong_unit_count:
            return "the segment has another number of units than the header";
        case BlockError::wrong_state_root:
            return "the state root is not that of the state after the parent";
        case BlockError::listed_late:
            return "a listed segment is not of the round that the block settles";
        case BlockError::late_not_late:
            return "a late share is of the round that the block settles";
    }
    return "unknown block error";
}

std::string_view describe(TransactionError error) noexcept {
    switch (error) {
        case TransactionError::wrong_network:
            return "the transaction belongs to another network";
        case TransactionError::bad_signature:
            return "the sender's signature is not valid";
        case TransactionError::zero_amount:
            return "the amount is zero";
        case TransactionError::bad_chunk:
            return "the chunk is empty or too large";
        case TransactionError::bad_task_shape:
            return "the task's shape or hyper-parameters are out of range, or its model is too "
                   "large";
        case TransactionError::bad_task_data:
            return "the task's data bytes and chunks do not fit together";
        case TransactionError::bad_task_terms:
            return "the task's unit budget or pay is zero, or its escrow can't pay one block's "
                   "hits";
        case TransactionError::amount_overflow:
            return "amounts and fee together exceed the largest amount";
        case TransactionError::bad_proof:
            return "the fraud proof's numbers, coding or signatures show no fraud of anything";
        case TransactionError::fee_too_low:
            return "the fee is below what size and replays cost";
        case TransactionError::insufficient_balance:
            return "the balance does not cover amounts and fee";
        case TransactionError::nonce_gap:
            return "the nonce is above the account's: a transaction before it is missing";
        case TransactionError::nonce_used:
            return "the nonce is below the account's: it was used before";
        case TransactionError::chunk_known:
            return "the chunk is on the chain already";
        case TransactionError::chunk_missing:
            return "a chunk of the task's data is not on the chain";
        case TransactionError::unknown_task:
            return "there is no such user task";
        case TransactionError::task_ended:
            return "the task has ended";
        case TransactionError::not_task_owner:
            return "only its owner may cancel a task";
        case TransactionError::too_many_tasks:
            return "as many tasks as may be are under training already";
        case TransactionError::too_many_creations:
            return "the block creates as many tasks as it may already";
        case TransactionError::data_unfit:
            return "the data do not fit the task's shape or have no substance";
        case TransactionError::commitment_known:
            return "the sender's same commitment is live already";
        case TransactionError::too_many_commitments:
            return "the block holds as many fraud commitments as it may already";
        case TransactionError::bad_commit_height:
            return "a fraud proof must be revealed 2 to 10 blocks after its commitment";
        case TransactionError::commitment_missing:
            return "the sender has no such live commitment";
        case TransactionError::segment_not_immature:
            return "the accused segment is not on the chain with immature pay, or its fraud is "
                   "proven "
                   "already";
        case TransactionError::replay_agrees:
            return "the replay of the accused unit gives its digest";
    }
    return "unknown transaction error";
}

std::string_view describe(ListedError error) noexcept {
    return describe(error.rule);
}

std::string_view describe(const RuleError& error) noexcept {
    if (const auto* header = std::get_if<HeaderError>(&error)) return describe(*header);
    if (const auto* segment = std::get_if<SegmentError>(&error)) return describe(*segment);
    if (const auto* transaction = std::get_if<TransactionError>(&error)) {
        return describe(*transaction);
    }
    if (const auto* listed = std::get_if<ListedError>(&error)) return describe(*listed);
    return describe(*std::get_if<BlockError>(&error));
}

Consequence blame(HeaderError error) noexcept {
    switch (error) {
        case HeaderError::unknown_version:
        case HeaderError::genesis_height:
        case HeaderError::no_units:
        case HeaderError::too_many_units:
        case HeaderError::bad_target:
        case HeaderError::bad_evidence_coding:
        case HeaderError::bad_evidence_start:
        case HeaderError::evidence_differs:
            return Consequence::malformed;
        case HeaderError::ticket_above_target:
        case HeaderError::wrong_parent:
        case HeaderError::wrong_height:
        case HeaderError::time_not_after_parent:
        case HeaderError::wrong_bits:
        case HeaderError::wrong_history_root:
        case HeaderError::wrong_task:
            return Consequence::invalid;
        case HeaderError::time_too_far:
        case HeaderError::unknown_parent:
        case HeaderError::evidence_missing:
            return Consequence::not_yet;
    }
    return Consequence::ours;
}

Consequence blame(SegmentError error) noexcept {
    switch (error) {
        case SegmentError::no_units:
        case SegmentError::too_many_units:
        case SegmentError::too_many_openings:
        case SegmentError::too_large:
        case SegmentError::opening_order:
        case SegmentError::opening_out_of_range:
        case SegmentError::wrong_list:
        case SegmentError::wrong_last_digest:
        case SegmentError::bad_signature:
        case SegmentError::missing_hit:
        case SegmentError::missing_guard:
        case SegmentError::missing_last_unit:
        case SegmentError::unexpected_opening:
        case SegmentError::bad_delta:
        case SegmentError::opening_differs:
            return Consequence::malformed;
        case SegmentError::no_hit:
        case SegmentError::last_unit_no_win:
        case SegmentError::too_many_hits:
        case SegmentError::untrainable_state:
        case SegmentError::replay_differs:
        case SegmentError::unknown_round:
        case SegmentError::wrong_share_template:
        case SegmentError::lane_included:
        case SegmentError::list_not_on_branch:
        case SegmentError::too_many_shares:
            return Consequence::invalid;
        case SegmentError::replay_missing:
            return Consequence::ours;
    }
    return Consequence::ours;
}

Consequence blame(BlockError error) noexcept {
    switch (error) {
        case BlockError::too_large:
        case BlockError::wrong_transaction_root:
        case BlockError::wrong_settle_root:
        case BlockError::wrong_unit_count:
        case BlockError::listed_late:
            return Consequence::malformed;
        case BlockError::wrong_state_root:
        case BlockError::late_not_late:
            return Consequence::invalid;
    }
    return Consequence::ours;
}

Consequence blame(TransactionError error) noexcept {
    switch (error) {
        case TransactionError::wrong_network:
        case TransactionError::bad_signature:
        case TransactionError::zero_amount:
        case TransactionError::bad_chunk:
        case TransactionError::bad_task_shape:
        case TransactionError::bad_task_data:
        case TransactionError::bad_task_terms:
        case TransactionError::amount_overflow:
        case TransactionError::bad_proof:
            return Consequence::malformed;
        case TransactionError::fee_too_low:
        case TransactionError::insufficient_balance:
        case TransactionError::nonce_gap:
        case TransactionError::nonce_used:
        case TransactionError::chunk_known:
        case TransactionError::chunk_missing:
        case TransactionError::unknown_task:
        case TransactionError::task_ended:
        case TransactionError::not_task_owner:
        case TransactionError::too_many_tasks:
        case TransactionError::too_many_creations:
        case TransactionError::data_unfit:
        case TransactionError::commitment_known:
        case TransactionError::too_many_commitments:
        case TransactionError::bad_commit_height:
        case TransactionError::commitment_missing:
        case TransactionError::segment_not_immature:
        case TransactionError::replay_agrees:
            return Consequence::invalid;
    }
    return Consequence::ours;
}

Consequence blame(ListedError error) noexcept {
    const Consequence own = blame(error.rule);
    return own == Consequence::invalid ? Consequence::malformed : own;
}

Consequence blame(const RuleError& error) noexcept {
    if (const auto* header = std::get_if<HeaderError>(&error)) return blame(*header);
    if (const auto* segment = std::get_if<SegmentError>(&error)) return blame(*segment);
    if (const auto* transaction = std::get_if<TransactionError>(&error)) {
        return blame(*transaction);
    }
    if (const auto* listed = std::get_if<ListedError>(&error)) return blame(*listed);
    return blame(*std::get_if<BlockError>(&error));
}

}  // namespace gradient::chain
