#pragma once

// Drawn rounds of segments for tests of the settlement.

#include "chain/state/settlement.hpp"

#include <cstdint>
#include <random>
#include <vector>

namespace gradient::test {

/// Segments that own their deltas.
struct OwnedRound {
    std::vector<std::vector<std::int32_t>> deltas;
    std::vector<chain::SettledSegment> segments;

    void add(std::uint32_t hits, std::uint32_t paid_units, std::uint32_t lateness,
             std::vector<std::int32_t> delta) {
        deltas.push_back(std::move(delta));
        segments.push_back({hits, paid_units, lateness, {}});
        for (std::size_t j = 0; j < deltas.size(); ++j) segments[j].delta = deltas[j];
    }
};

/// A delta of which every entry is drawn evenly from within +-amplitude.
inline std::vector<std::int32_t> drawn_delta(std::mt19937_64& random, std::size_t size,
                                             std::int32_t amplitude) {
    std::vector<std::int32_t> delta(size);
    for (std::int32_t& entry : delta) {
        entry =
            static_cast<std::int32_t>(random() % (2 * static_cast<std::uint64_t>(amplitude) + 1)) -
            amplitude;
    }
    return delta;
}

}  // namespace gradient::test
