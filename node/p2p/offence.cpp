#include "node/p2p/offence.hpp"

#include <type_traits>

namespace gradient::node {

std::string_view describe(ProtocolOffence offence) noexcept {
    switch (offence) {
        case ProtocolOffence::unknown_type:
            return "a message is of a type that does not exist";
        case ProtocolOffence::frame_too_large:
            return "a message is longer than any of its type may be";
        case ProtocolOffence::frame_too_slow:
            return "a message has begun and did not come to its end in time";
        case ProtocolOffence::hello_expected:
            return "another message came before hello";
        case ProtocolOffence::second_hello:
            return "hello came twice";
        case ProtocolOffence::wrong_network:
            return "the peer is of another network, genesis or protocol version";
        case ProtocolOffence::unsolicited:
            return "an answer came that nobody had asked for";
        case ProtocolOffence::wrong_answer:
            return "an answer is not to what was asked";
        case ProtocolOffence::unordered_request:
            return "places or heights of a request do not ascend";
        case ProtocolOffence::too_many_requests:
            return "the peer asks for more, or tells more, than any honest node does";
        case ProtocolOffence::broken_headers:
            return "headers do not follow one another";
        case ProtocolOffence::false_claim:
            return "there is less work behind the peer's headers than it claims";
        case ProtocolOffence::false_evidence:
            return "a header's work evidence shows no work, or is missing where it must be";
        case ProtocolOffence::false_snapshot:
            return "a part of a snapshot does not have its hash, or the snapshot not its root";
        case ProtocolOffence::stalled:
            return "the peer does not send what it was asked for and has";
    }
    return "";
}

std::string describe(const Offence& offence) {
    return std::visit(
        [](const auto& fault) -> std::string {
            using Fault = std::decay_t<decltype(fault)>;
            if constexpr (std::is_same_v<Fault, chain::CodecError>) {
                return std::string(chain::to_string(fault));
            } else if constexpr (std::is_same_v<Fault, ProtocolOffence>) {
                return std::string(describe(fault));
            } else {
                return std::string(chain::describe(fault));
            }
        },
        offence);
}

}  // namespace gradient::node
