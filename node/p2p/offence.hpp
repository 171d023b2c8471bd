#pragma once

#include "chain/base/codec.hpp"
#include "chain/pool/pool_errors.hpp"
#include "chain/pool/share_pool.hpp"
#include "chain/verification.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace gradient::node {

/// What a peer does that breaks this protocol, whatever the chain says of it.
enum class ProtocolOffence : std::uint8_t {
    unknown_type,       // a frame of a type that does not exist
    frame_too_large,    // a length above the limit of its type
    frame_too_slow,     // a frame that does not come to its end
    hello_expected,     // another message before hello
    second_hello,       // hello twice
    wrong_network,      // another network, genesis or protocol version
    unsolicited,        // an answer that nobody asked for
    wrong_answer,       // an answer that is not to what was asked
    unordered_request,  // places or heights that do not ascend
    too_many_requests,  // more asked, or told, than any honest node does
    broken_headers,     // headers that do not follow one another
    false_claim,        // less work behind its headers than it claims
    false_evidence,     // work evidence that shows no work, or none where it must have it
    false_snapshot,     // a part that does not have its hash, or a snapshot without its root
    stalled,            // asked for what it has, it does not send
};

/// One sentence for the offence.
[[nodiscard]] std::string_view describe(ProtocolOffence offence) noexcept;

/// Whatever may be held against a peer.
using Offence = std::variant<ProtocolOffence, chain::CodecError, chain::SubmitError,
                             chain::PoolError, chain::ShareRefusal>;

/// One sentence for the offence.
[[nodiscard]] std::string describe(const Offence& offence);

}  // namespace gradient::node
