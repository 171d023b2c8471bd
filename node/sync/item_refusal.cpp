#include "node/sync/item_refusal.hpp"

namespace gradient::node {

namespace {

using chain::Consequence;
using chain::SegmentError;
using chain::TransactionError;

// Whether a rule that condemns a share does so on every tip of its branch.
bool condemns_everywhere(SegmentError error) noexcept {
    switch (error) {
        case SegmentError::no_hit:
        case SegmentError::last_unit_no_win:
        case SegmentError::too_many_hits:
        case SegmentError::untrainable_state:
        case SegmentError::replay_differs:
            return true;
        case SegmentError::unknown_round:
        case SegmentError::wrong_share_template:  // ItemRelay sees to those of known parents
        case SegmentError::lane_included:
        case SegmentError::list_not_on_branch:
        case SegmentError::too_many_shares:
        default:  // not of the invalid
            return false;
    }
}

}  // namespace

bool is_never_good(const chain::PoolError& error) noexcept {
    const auto* rule = std::get_if<TransactionError>(&error);
    if (!rule) return false;
    return chain::blame(*rule) == Consequence::malformed ||
           *rule == TransactionError::replay_agrees;
}

bool is_never_good_share(const Offence& offence) noexcept {
    const auto* error = std::get_if<chain::SubmitError>(&offence);
    const auto* rule = error ? std::get_if<chain::RuleError>(error) : nullptr;
    if (!rule) return false;
    if (chain::blame(*rule) == Consequence::malformed) return true;
    const auto* segment = std::get_if<SegmentError>(rule);
    return segment && condemns_everywhere(*segment);
}

}  // namespace gradient::node
