#include "node/sync/item_refusal.hpp"

namespace gradient::node {

namespace {

using chain::Consequence;
using chain::SegmentError;
using chain::TransactionError;

constexpr RefusalMeaning kNobodysFault{RefusalReach::tip, false};

// Whether a rule that condemns a share does so on every tip of its branch.
bool is_lasting(SegmentError error) noexcept {
    switch (error) {
        case SegmentError::no_hit:
        case SegmentError::last_unit_no_win:
        case SegmentError::too_many_hits:
        case SegmentError::untrainable_state:
        case SegmentError::replay_differs:
            return true;
        case SegmentError::unknown_round:
        case SegmentError::wrong_share_template:  // of a round of another branch; see ItemRelay
        case SegmentError::lane_included:
        case SegmentError::list_not_on_branch:
        case SegmentError::too_many_shares:
        default:  // not in the group of the invalid
            return false;
    }
}

RefusalMeaning meaning_of_rule(const chain::SubmitError& error) noexcept {
    const auto* rule = std::get_if<chain::RuleError>(&error);
    if (!rule) return kNobodysFault;
    if (chain::blame(*rule) == Consequence::malformed) return {RefusalReach::copy, true};
    const auto* segment = std::get_if<SegmentError>(rule);
    if (segment && is_lasting(*segment)) return {RefusalReach::id, true};
    return kNobodysFault;
}

}  // namespace

RefusalMeaning meaning_of_transaction(const Offence& offence) noexcept {
    const auto* pool = std::get_if<chain::PoolError>(&offence);
    const auto* rule = pool ? std::get_if<TransactionError>(pool) : nullptr;
    if (!rule) return kNobodysFault;
    // Everything that the bytes alone show condemns the id, which covers the signature too.
    const bool on_every_tip =
        chain::blame(*rule) == Consequence::malformed || *rule == TransactionError::replay_agrees;
    return on_every_tip ? RefusalMeaning{RefusalReach::id, true} : kNobodysFault;
}

RefusalMeaning meaning_of_share(const Offence& offence) noexcept {
    const auto* error = std::get_if<chain::SubmitError>(&offence);
    return error ? meaning_of_rule(*error) : kNobodysFault;
}

}  // namespace gradient::node
