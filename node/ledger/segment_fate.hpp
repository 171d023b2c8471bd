#pragma once

#include <cstdint>

namespace gradient::node {

/// What has become of the segment of a lane. The last word counts: a change of branch may take back
/// what was said before.
enum class SegmentFate : std::uint8_t {
    ended_block,  ///< a block of the active chain ends with it
    included,     ///< a block of the active chain includes it as a share
    waiting,      ///< its block has left the active chain, and another one may include it
    given_up,     ///< it is kept no longer: refused, evicted, or too late for any block
};

}  // namespace gradient::node
