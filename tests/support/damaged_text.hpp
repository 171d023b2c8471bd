#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace gradient {

/// Gives `visit` the text cut off at every `stride`-th place; never the whole or all but its last
/// byte.
template <class Visit>
void each_truncation(const std::string& text, std::size_t stride, Visit visit) {
    for (std::size_t size = 0; size + 2 < text.size(); size += stride) visit(text.substr(0, size));
}

/// Gives `visit` the text with one to four random bytes changed, `count` times.
template <class Visit>
void each_damage(const std::string& text, std::uint32_t seed, int count, Visit visit) {
    std::mt19937 random(seed);
    for (int round = 0; round < count; ++round) {
        std::string damaged = text;
        for (auto changes = 1 + random() % 4; changes > 0; --changes) {
            damaged[random() % damaged.size()] = static_cast<char>(random() & 0xffU);
        }
        visit(damaged);
    }
}

}  // namespace gradient
