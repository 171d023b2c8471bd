#pragma once

#include <cstdint>
#include <span>

namespace gradient::node {

/// Fills with bytes that nobody can predict. Throws Failure(failure).
void fill_random(std::span<std::uint8_t> bytes);

/// A number below `bound` (not zero) that nobody can predict, up to a bias of bound / 2^64.
[[nodiscard]] std::uint64_t random_below(std::uint64_t bound);

}  // namespace gradient::node
