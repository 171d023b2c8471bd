#include "node/ledger/share_verdict.hpp"

namespace gradient::node {

namespace {

bool depends_on_branch(chain::SegmentError error) noexcept {
    using enum chain::SegmentError;
    return error == unknown_round || error == wrong_share_template || error == lane_included ||
           error == list_not_on_branch || error == too_many_shares;
}

}  // namespace

bool is_senders_fault(const ShareVerdict& verdict) noexcept {
    const auto* error = std::get_if<chain::SubmitError>(&verdict);
    const auto* rule = error ? std::get_if<chain::RuleError>(error) : nullptr;
    if (rule == nullptr) return false;
    const auto* segment = std::get_if<chain::SegmentError>(rule);
    if (segment != nullptr && depends_on_branch(*segment)) return false;
    const auto group = chain::blame(*rule);
    return group == chain::Consequence::malformed || group == chain::Consequence::invalid;
}

}  // namespace gradient::node
