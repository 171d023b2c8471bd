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
        case SegmentError::unexpected_opening:
            return "an opened unit is neither hit nor guard";
        case SegmentError::bad_delta:
            return "an opening's parameters are not in their canonical coding";
        case SegmentError::opening_differs:
            return "an opening does not match its digest";
        case SegmentError::last_unit_no_hit:
            return "the last unit's ticket is no hit";
        case SegmentError::last_unit_no_win:
            return "the last unit's ticket does not win";
        case SegmentError::too_many_hits:
            return "the segment has more hits than allowed";
        case SegmentError::untrainable_state:
            return "an opened state cannot be trained";
        case SegmentError::replay_differs:
            return "the replay of an opened unit gives another digest";
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
        case BlockError::unexpected_transaction:
            return "no kind of transaction exists yet";
        case BlockError::unexpected_segment:
            return "no round has shares yet";
        case BlockError::wrong_state_root:
            return "the state root is not that of the state after the parent";
    }
    return "unknown block error";
}

std::string_view describe(const RuleError& error) noexcept {
    if (const auto* header = std::get_if<HeaderError>(&error)) return describe(*header);
    if (const auto* segment = std::get_if<SegmentError>(&error)) return describe(*segment);
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
        case SegmentError::unexpected_opening:
        case SegmentError::bad_delta:
        case SegmentError::opening_differs:
            return Consequence::malformed;
        case SegmentError::last_unit_no_hit:
        case SegmentError::last_unit_no_win:
        case SegmentError::too_many_hits:
        case SegmentError::untrainable_state:
        case SegmentError::replay_differs:
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
            return Consequence::malformed;
        case BlockError::unexpected_transaction:
        case BlockError::unexpected_segment:
        case BlockError::wrong_state_root:
            return Consequence::invalid;
    }
    return Consequence::ours;
}

Consequence blame(const RuleError& error) noexcept {
    if (const auto* header = std::get_if<HeaderError>(&error)) return blame(*header);
    if (const auto* segment = std::get_if<SegmentError>(&error)) return blame(*segment);
    return blame(*std::get_if<BlockError>(&error));
}

}  // namespace gradient::chain
