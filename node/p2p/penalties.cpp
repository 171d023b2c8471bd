#include "node/p2p/penalties.hpp"

#include <algorithm>
#include <cmath>
#include <variant>

namespace gradient::node {

namespace {

using chain::BlockError;
using chain::CodecError;
using chain::HeaderError;
using chain::LedgerError;
using chain::PoolRefusal;
using chain::SegmentError;
using chain::ShareRefusal;
using chain::TransactionError;

struct Cost {
    int points = 0;
    Sanction sanction = Sanction::none;
};

constexpr Cost kNothing{};
// What no honest node sends.
constexpr Cost kBan{kMaxScore, Sanction::ban};
// Nothing further can be had of this peer, though it need not be a liar.
constexpr Cost kPart{kMaxScore, Sanction::disconnect};

constexpr Cost light(int points) {
    return {points, Sanction::disconnect};
}
constexpr Cost grave(int points) {
    return {points, Sanction::ban};
}

Cost cost_of(ProtocolOffence offence) noexcept {
    switch (offence) {
        // No program that speaks this protocol does so.
        case ProtocolOffence::unknown_type:
        case ProtocolOffence::frame_too_large:
        case ProtocolOffence::hello_expected:
        case ProtocolOffence::second_hello:
        case ProtocolOffence::unordered_request:
        // Shown by what the peer itself has sent.
        case ProtocolOffence::broken_headers:
        case ProtocolOffence::false_claim:
        case ProtocolOffence::false_evidence:
        case ProtocolOffence::false_snapshot:
            return kBan;
        // A stranger from elsewhere, most likely by an old address.
        case ProtocolOffence::wrong_network:
        // A line that slow is of no use.
        case ProtocolOffence::frame_too_slow:
            return kPart;
        // Honest where the question had been given up.
        case ProtocolOffence::wrong_answer:
            return light(25);
        // An overloaded node may do so for some seconds.
        case ProtocolOffence::stalled:
            return light(5);
        // Each is a limit overrun; one burst of an honest node is forgiven.
        case ProtocolOffence::too_many_requests:
            return light(10);
        // Honest where the answer comes after the asker has given up.
        case ProtocolOffence::unsolicited:
            return light(10);
    }
    return kNothing;
}

Cost cost_of(CodecError error) noexcept {
    switch (error) {
        case CodecError::truncated:
        case CodecError::trailing_bytes:
        case CodecError::non_canonical:
        case CodecError::too_large:
        case CodecError::bad_value:
            return kBan;
    }
    return kNothing;
}

Cost cost_of(HeaderError error) noexcept {
    switch (error) {
        // A later version of the rules, which an honest node may have come to before us.
        case HeaderError::unknown_version:
            return kPart;
        case HeaderError::genesis_height:
        case HeaderError::no_units:
        case HeaderError::too_many_units:
        case HeaderError::bad_target:
        case HeaderError::bad_evidence_coding:
        case HeaderError::bad_evidence_start:
        case HeaderError::evidence_differs:
        case HeaderError::ticket_above_target:
        case HeaderError::wrong_parent:
        case HeaderError::wrong_height:
        case HeaderError::time_not_after_parent:
        case HeaderError::wrong_bits:
        case HeaderError::wrong_history_root:
        case HeaderError::wrong_task:
            return kBan;
        // Our clock may be the one that is wrong.
        case HeaderError::time_too_far:
        // We are behind, or it comes before its parent.
        case HeaderError::unknown_parent:
        case HeaderError::evidence_missing:
            return kNothing;
    }
    return kNothing;
}

Cost cost_of(SegmentError error) noexcept {
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
        case SegmentError::no_hit:
        case SegmentError::last_unit_no_win:
        case SegmentError::too_many_hits:
        case SegmentError::untrainable_state:
        case SegmentError::replay_differs:
            return kBan;
        // A share that comes alone is judged on our tip: on its sender's it may be good, or have
        // been when it was sent. In a block these cost its miner the win, and whoever sends that
        // block, or one upon it, again pays for `condemned`.
        case SegmentError::unknown_round:
        case SegmentError::wrong_share_template:
        case SegmentError::lane_included:
        case SegmentError::list_not_on_branch:
        case SegmentError::too_many_shares:
            return kNothing;
        // We have not done our part.
        case SegmentError::replay_missing:
            return kNothing;
    }
    return kNothing;
}

// Of a listed segment: the list is the sender's, and whatever is wrong with it, the header's own
// would not be.
Cost cost_of(chain::ListedError error) noexcept {
    return error.rule == SegmentError::replay_missing ? kNothing : kBan;
}

Cost cost_of(BlockError error) noexcept {
    switch (error) {
        case BlockError::too_large:
        case BlockError::wrong_transaction_root:
        case BlockError::wrong_settle_root:
        case BlockError::wrong_unit_count:
        case BlockError::listed_late:
        case BlockError::wrong_state_root:
        case BlockError::late_not_late:
            return kBan;
    }
    return kNothing;
}

// Of a transaction that comes alone.
Cost cost_alone(TransactionError error) noexcept {
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
            return kBan;
        // Good on another tip, or before or after another transaction.
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
        case TransactionError::commitment_known:
        case TransactionError::too_many_commitments:
        case TransactionError::bad_commit_height:
        case TransactionError::commitment_missing:
        case TransactionError::segment_not_immature:
            return kNothing;
        // The same on every tip, and found at some expense: no honest node passes it on.
        case TransactionError::data_unfit:
        case TransactionError::replay_agrees:
            return grave(20);
    }
    return kNothing;
}

Cost cost_of(LedgerError error) noexcept {
    switch (error) {
        // Two honest nodes send the same block.
        case LedgerError::duplicate:
        // An honest node that is behind; if it stays so, it goes for that (PeerSet).
        case LedgerError::too_little_work:
        case LedgerError::pruned:
            return kNothing;
        // The peer follows a chain that we never shall.
        case LedgerError::condemned:
            return kPart;
        case LedgerError::halted:
            return kNothing;
    }
    return kNothing;
}

Cost cost_of(PoolRefusal refusal) noexcept {
    switch (refusal) {
        // Limits of this pool; others have other limits and contents.
        case PoolRefusal::already_pooled:
        case PoolRefusal::too_large:
        case PoolRefusal::nonce_too_far:
        case PoolRefusal::account_full:
        case PoolRefusal::account_overdrawn:
        case PoolRefusal::replacement_fee_too_low:
        case PoolRefusal::fee_rate_too_low:
        case PoolRefusal::too_many_costly:
        case PoolRefusal::pool_full:
            return kNothing;
    }
    return kNothing;
}

Cost cost_of(ShareRefusal refusal) noexcept {
    switch (refusal) {
        case ShareRefusal::already_pooled:
        // The miner's fraud, not that of whoever passes it on.
        case ShareRefusal::lane_taken:
        case ShareRefusal::too_old:
        case ShareRefusal::too_far_ahead:
        case ShareRefusal::miner_full:
        case ShareRefusal::pool_full:
            return kNothing;
    }
    return kNothing;
}

Cost cost_of(const chain::StoreError& /*ours*/) noexcept {
    return kNothing;
}

// Of a transaction in a block: the block is invalid, whatever would become of it alone.
Cost cost_of(TransactionError /*any*/) noexcept {
    return kBan;
}

Cost cost_of(const chain::RuleError& error) noexcept {
    return std::visit([](const auto& rule) { return cost_of(rule); }, error);
}

Cost cost_of(const chain::SubmitError& error) noexcept {
    return std::visit([](const auto& fault) { return cost_of(fault); }, error);
}

Cost cost_of(const chain::PoolError& error) noexcept {
    if (const auto* rule = std::get_if<TransactionError>(&error)) return cost_alone(*rule);
    const auto* refusal = std::get_if<PoolRefusal>(&error);
    return refusal != nullptr ? cost_of(*refusal) : kNothing;
}

}  // namespace

Penalty penalty_for(const Offence& offence) {
    const Cost cost = std::visit([](const auto& fault) { return cost_of(fault); }, offence);
    return {cost.points, cost.sanction, describe(offence)};
}

PenaltyLedger::Score PenaltyLedger::decayed(const Score& score, Time now) {
    if (now <= score.at) return score;
    const double half_lives = std::chrono::duration<double>(now - score.at) /
                              std::chrono::duration<double>(kScoreHalfLife);
    const double factor = std::exp2(-half_lives);
    return {score.light * factor, score.grave * factor, now, score.light_at};
}

Sanction PenaltyLedger::charge(const NodeId& node, const Penalty& penalty, Time now,
                               std::size_t bytes) {
    if (penalty.cost <= 0) return Sanction::none;
    if (!scores_.contains(node)) make_room(now);
    Score& score = scores_.try_emplace(node, Score{0, 0, now, now - kHiccup}).first->second;
    score = decayed(score, now);
    if (penalty.sanction == Sanction::ban) {
        score.grave += penalty.cost;
    } else if (penalty.cost >= kMaxScore || now - score.light_at >= kHiccup) {
        score.light += penalty.cost;
        score.light_at = now;
    }
    if (bytes > 0) {
        score.light += static_cast<double>(bytes + kMessageBytes) / kBytesPerPoint;
    }
    if (score.grave >= kMaxScore) return Sanction::ban;
    return score.grave + score.light >= kMaxScore ? Sanction::disconnect : Sanction::none;
}

double PenaltyLedger::score(const NodeId& node, Time now) const {
    const auto found = scores_.find(node);
    if (found == scores_.end()) return 0;
    const Score score = decayed(found->second, now);
    return score.light + score.grave;
}

// Forgets whatever has decayed to nothing, and if that is not enough the lowest score.
void PenaltyLedger::make_room(Time now) {
    if (scores_.size() < kMaxScores) return;
    const auto sum = [&](const auto& entry) {
        const Score score = decayed(entry.second, now);
        return score.light + score.grave;
    };
    std::erase_if(scores_, [&](const auto& entry) { return sum(entry) < 1; });
    if (scores_.size() < kMaxScores) return;
    scores_.erase(std::min_element(
        scores_.begin(), scores_.end(),
        [&](const auto& left, const auto& right) { return sum(left) < sum(right); }));
}

}  // namespace gradient::node
