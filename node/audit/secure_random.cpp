#include "node/audit/secure_random.hpp"

#include "node/setup/failure.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstring>

namespace gradient::node {

void fill_random(std::span<std::uint8_t> bytes) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw Failure(ExitCode::failure, "The system's random number generator failed.");
    }
}

std::uint64_t random_below(std::uint64_t bound) {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill_random(bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    return value % bound;
}

}  // namespace gradient::node
