#pragma once

#include "node/p2p/messages.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace gradient::node {

/// Whole frames that went one way over a connection, by type of message.
struct Traffic {
    std::array<std::uint64_t, kMessageTypes> messages{};
    std::array<std::uint64_t, kMessageTypes> bytes{};  ///< with the frames' headers

    void count(std::uint8_t type, std::size_t frame_bytes) noexcept {
        ++messages[type];
        bytes[type] += frame_bytes;
    }
};

}  // namespace gradient::node
