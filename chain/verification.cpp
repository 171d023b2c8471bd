#include "chain/verification.hpp"

#include "chain/base/check.hpp"
#include "chain/transition/apply.hpp"

#include <utility>

namespace gradient::chain {

namespace {

std::string_view sentence(LedgerError error) noexcept {
    switch (error) {
        case LedgerError::duplicate:
            return "the block is known already";
        case LedgerError::too_little_work:
            return "the block's branch has too little work beside the tip's";
        case LedgerError::condemned:
            return "the block or its parent has broken a rule before";
        case LedgerError::halted:
            return "a write to the data directory has failed; start again once its cause is "
                   "removed";
    }
    return "unknown ledger error";
}

Consequence group(LedgerError error) noexcept {
    switch (error) {
        case LedgerError::duplicate:
        case LedgerError::too_little_work:
            return Consequence::not_yet;
        case LedgerError::condemned:
            return Consequence::invalid;
        case LedgerError::halted:
            return Consequence::ours;
    }
    return Consequence::ours;
}

}  // namespace

std::string describe(const SubmitError& error) {
    if (const auto* ledger = std::get_if<LedgerError>(&error))
        return std::string(sentence(*ledger));
    if (const auto* rule = std::get_if<RuleError>(&error)) return std::string(describe(*rule));
    return std::get<StoreError>(error).message;
}

Consequence blame(const SubmitError& error) noexcept {
    if (const auto* ledger = std::get_if<LedgerError>(&error)) return group(*ledger);
    if (const auto* rule = std::get_if<RuleError>(&error)) return blame(*rule);
    return Consequence::ours;
}

Candidate::Candidate(const CheckedHeader& header, std::shared_ptr<const Block> block,
                     std::shared_ptr<const ParentState> parent) noexcept
    : header_(header), block_(std::move(block)), parent_(std::move(parent)) {}

Result<CheckedBlock, RuleError> check_candidate(const Candidate& candidate) {
    const ParentState& parent = candidate.parent();
    return check_block(candidate.header(), candidate.block(),
                       {parent.index().state_root, parent.start()}, parent.network().params());
}

Result<VerifiedBlock, SubmitError> finish_candidate(const Candidate& candidate,
                                                    const ProvenBlock& proven) {
    CHECK(proven.id() == candidate.id());
    const ParentState& parent = candidate.parent();
    const Header& header = candidate.header().header();

    VerifiedBlock verified;
    verified.id_ = candidate.id();
    verified.block_ = candidate.block();
    verified.mean_loss_ = proven.winner().mean_loss();
    TRY_ASSIGN(verified.diff_,
               apply_block(parent.state(), header, outcome_of(proven), parent.network().params()));

    BlockIndex& index = verified.index_;
    index.header = header;
    index.cumulative_work =
        saturating_add(parent.index().cumulative_work, candidate.header().work());
    TRY_ASSIGN(index.state_root, parent.root_after(verified.diff_));
    index.history = parent.index().history;
    const auto appended =
        index.history.append({verified.id_, header.tmpl.height, header.tmpl.time_ms,
                              parent.index().cumulative_work, index.cumulative_work});
    CHECK(appended);  // header rules: heights and times grow, work is positive
    index.hits = proven.winner().hits();
    index.replayed_units = proven.winner().units_replayed();
    return verified;
}

Result<VerifiedBlock, SubmitError> verify_candidate(const Candidate& candidate,
                                                    model::Trainer& trainer) {
    TRY_ASSIGN(const CheckedBlock checked, check_candidate(candidate));
    TRY_ASSIGN(const ProvenBlock proven, verify_block(checked, trainer));
    return finish_candidate(candidate, proven);
}

}  // namespace gradient::chain
