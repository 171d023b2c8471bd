#include "chain/consensus/header_rules.hpp"

#include "chain/consensus/difficulty.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/digests.hpp"
#include "chain/work/unit.hpp"

#include <utility>

namespace gradient::chain {

CheckedHeader::CheckedHeader(const Header& header) noexcept
    : header_(header), id_(header_id(header)), template_hash_(chain::template_hash(header.tmpl)) {}

ProvenHeader::ProvenHeader(const CheckedHeader& checked,
                           std::vector<std::int32_t> parameters) noexcept
    : checked_(checked), parameters_(std::move(parameters)) {}

Result<void, HeaderError> check_header_form(const Header& header,
                                            const ConsensusParams& params) noexcept {
    if (header.tmpl.version != kTemplateVersion) return fail(HeaderError::unknown_version);
    if (header.tmpl.height == 0) return fail(HeaderError::genesis_height);
    if (header.units == 0) return fail(HeaderError::no_units);
    if (header.units > params.work.max_units) return fail(HeaderError::too_many_units);
    if (!target_of(header.tmpl.bits, params)) return fail(HeaderError::bad_target);
    return {};
}

Result<void, HeaderError> check_claim(const Header& header, std::uint64_t unit_work,
                                      const ConsensusParams& params) noexcept {
    const auto target = target_of(header.tmpl.bits, params);
    if (!target) return fail(HeaderError::bad_target);
    const Targets targets = targets_for(*target, unit_work, params.work);
    if (targets.classify(header.last_digest) != TicketClass::win) {
        return fail(HeaderError::ticket_above_target);
    }
    return {};
}

Result<CheckedHeader, HeaderError> validate_header(const Header& header,
                                                   const ParentContext& parent,
                                                   const ConsensusParams& params,
                                                   std::uint64_t now_ms) noexcept {
    const Template& tmpl = header.tmpl;
    TRY(check_header_form(header, params));
    if (tmpl.parent != parent.id) return fail(HeaderError::wrong_parent);
    if (tmpl.height != parent.height + 1) return fail(HeaderError::wrong_height);
    if (tmpl.time_ms <= parent.time_ms) return fail(HeaderError::time_not_after_parent);
    if (tmpl.bits != next_bits(params, parent.height, parent.time_ms)) {
        return fail(HeaderError::wrong_bits);
    }
    if (tmpl.history_root != parent.history_root) return fail(HeaderError::wrong_history_root);
    if (tmpl.task != parent.task) return fail(HeaderError::wrong_task);
    TRY(check_claim(header, parent.unit_work, params));
    // Last, so that a header is held only if nothing else is wrong with it.
    if (tmpl.time_ms > now_ms && tmpl.time_ms - now_ms > params.max_future_ms) {
        return fail(HeaderError::time_too_far);
    }
    CheckedHeader checked(header);
    checked.targets_ = targets_for(*target_of(tmpl.bits, params), parent.unit_work, params.work);
    checked.work_ = block_work(tmpl.bits);
    return checked;
}

namespace {

// s_{K-1} as the evidence has it.
Result<Hash256, HeaderError> digest_before_last(const CheckedHeader& header,
                                                const WorkEvidence& evidence, const Hash256& state,
                                                const LaneStart& start) noexcept {
    const Hash256& tmpl = header.template_hash();
    const Hash256 first = lane_digest(tmpl, start.state);
    const std::uint32_t units = header.header().units;
    if (units == 1) {
        if (!evidence.previous_digest.is_zero()) return fail(HeaderError::bad_evidence_start);
        if (state != start.state) return fail(HeaderError::bad_evidence_start);
        return first;
    }
    if (units == 2 && evidence.previous_digest != first) {
        return fail(HeaderError::bad_evidence_start);
    }
    return unit_digest(tmpl, units - 1, evidence.previous_digest, state);
}

}  // namespace

Result<ProvenHeader, HeaderError> verify_evidence(const CheckedHeader& header,
                                                  const std::optional<WorkEvidence>& evidence,
                                                  const LaneStart& start, model::Trainer& trainer) {
    if (!evidence) return fail(HeaderError::evidence_missing);
    const CodedState& before = evidence->before;
    auto parameters = decode_delta(*start.parameters, before.delta);
    if (!parameters) return fail(HeaderError::bad_evidence_coding);
    const Hash256 state = state_digest(model_digest(*parameters), before.loss, before.gradient);
    TRY_ASSIGN(const Hash256 previous, digest_before_last(header, *evidence, state, start));
    const auto outcome =
        run_unit(trainer, header.template_hash(), header.header().units, previous, *parameters);
    if (!outcome) return fail(HeaderError::evidence_differs);
    if (outcome->digest != header.header().last_digest) return fail(HeaderError::evidence_differs);
    return ProvenHeader(header, *std::move(parameters));
}

}  // namespace gradient::chain
