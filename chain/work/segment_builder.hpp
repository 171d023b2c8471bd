#pragma once

#include "chain/base/result.hpp"
#include "chain/crypto/key.hpp"
#include "chain/types/header.hpp"
#include "chain/types/segment.hpp"
#include "chain/work/lane.hpp"

#include <cstdint>
#include <span>

namespace gradient::chain {

/// A lane as far as it has run, signed and opened.
struct BuiltSegment {
    Segment segment;
    Header header;                        ///< template, K and s_K: a block's header if unit K wins
    TicketClass last = TicketClass::hit;  ///< class of unit K's ticket
    std::uint32_t hits = 0;
    WorkEvidence evidence;  ///< of the header
};

/// Ends a segment at the lane's last unit, draws and replays the guards, signs. `key` must be that
/// of the template's miner. The lane may go on afterwards.
[[nodiscard]] Result<BuiltSegment, LaneError> build_segment(const Lane& lane, const SecretKey& key,
                                                            model::Trainer& trainer);

/// The work evidence that a whole segment holds, given s_0 .. s_K. Precondition: the body passes
/// the structural rules, so that its last opening is that of unit K.
[[nodiscard]] WorkEvidence evidence_of(const SegmentBody& body, std::span<const Hash256> digests);

}  // namespace gradient::chain
