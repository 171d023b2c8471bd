#pragma once

#include "chain/base/result.hpp"
#include "chain/base/u256.hpp"
#include "chain/consensus/errors.hpp"
#include "chain/consensus/params.hpp"
#include "chain/types/header.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/lane.hpp"
#include "chain/work/targets.hpp"
#include "model/task.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gradient::chain {

/// What the rules need to know of a header's parent.
struct ParentContext {
    Hash256 id;
    std::uint64_t height = 0;
    std::uint64_t time_ms = 0;
    Hash256 history_root;         ///< over all headers up to and including the parent
    std::uint32_t task = 0;       ///< id of the task that the parent's children train
    std::uint64_t unit_work = 0;  ///< reference FLOPs of one unit of that task
};

/// A header that satisfies every rule except that its work is unproved: it weighs nothing yet.
class CheckedHeader {
  public:
    [[nodiscard]] const Header& header() const noexcept { return header_; }
    [[nodiscard]] const Hash256& id() const noexcept { return id_; }
    /// T.
    [[nodiscard]] const Hash256& template_hash() const noexcept { return template_hash_; }
    [[nodiscard]] const Targets& targets() const noexcept { return targets_; }
    /// Work in reference FLOPs.
    [[nodiscard]] const U256& work() const noexcept { return work_; }

  private:
    explicit CheckedHeader(const Header& header) noexcept;
    friend Result<CheckedHeader, HeaderError> validate_header(const Header&, const ParentContext&,
                                                              const ConsensusParams&,
                                                              std::uint64_t) noexcept;
    Header header_;
    Hash256 id_;
    Hash256 template_hash_;
    Targets targets_;
    U256 work_;
};

/// Rules that need nothing but the header: version, height, units, form of the target.
[[nodiscard]] Result<void, HeaderError> check_header_form(const Header& header,
                                                          const ConsensusParams& params) noexcept;

/// Whether the last digest's ticket wins, for units of `unit_work` reference FLOPs. Two hashes: a
/// filter, since the digest may be invented. Precondition: check_header_form passed.
[[nodiscard]] Result<void, HeaderError> check_claim(const Header& header, std::uint64_t unit_work,
                                                    const ConsensusParams& params) noexcept;

/// Every rule for a header that needs no replay, cheapest first. `now_ms` is this node's clock.
[[nodiscard]] Result<CheckedHeader, HeaderError> validate_header(const Header& header,
                                                                 const ParentContext& parent,
                                                                 const ConsensusParams& params,
                                                                 std::uint64_t now_ms) noexcept;

/// A header whose last unit has been replayed: its work counts.
class ProvenHeader {
  public:
    [[nodiscard]] const CheckedHeader& checked() const noexcept { return checked_; }
    [[nodiscard]] const Header& header() const noexcept { return checked_.header(); }
    [[nodiscard]] const Hash256& id() const noexcept { return checked_.id(); }
    /// theta_K.
    [[nodiscard]] const std::vector<std::int32_t>& parameters() const noexcept {
        return parameters_;
    }

  private:
    ProvenHeader(const CheckedHeader& checked, std::vector<std::int32_t> parameters) noexcept;
    friend Result<ProvenHeader, HeaderError> verify_evidence(const CheckedHeader&,
                                                             const std::optional<WorkEvidence>&,
                                                             const LaneStart&, model::Trainer&);
    CheckedHeader checked_;
    std::vector<std::int32_t> parameters_;
};

/// Checks a header's work evidence: decodes the state before unit K, derives s_{K-1}, replays unit
/// K. One replay at most. `start` is that of the header's lane; the trainer that of its task.
[[nodiscard]] Result<ProvenHeader, HeaderError> verify_evidence(
    const CheckedHeader& header, const std::optional<WorkEvidence>& evidence,
    const LaneStart& start, model::Trainer& trainer);

}  // namespace gradient::chain
