#pragma once

#include "chain/base/bytes.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace gradient::node {

/// Random choices that only its seed decides: as secret as that, and repeatable in tests. Not for
/// keys.
class Dice {
  public:
    explicit Dice(const chain::Hash256& seed) : engine_(start(seed)) {}

    /// A number below `bound`, which is not zero.
    [[nodiscard]] std::size_t below(std::size_t bound) {
        return static_cast<std::size_t>(engine_() % bound);
    }

    /// A time from `least` to `most`.
    [[nodiscard]] std::chrono::milliseconds between(std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most) {
        const auto span = static_cast<std::size_t>((most - least).count()) + 1;
        return least + std::chrono::milliseconds(below(span));
    }

  private:
    static std::mt19937_64 start(const chain::Hash256& seed) {
        std::seed_seq sequence(seed.bytes.begin(), seed.bytes.end());
        return std::mt19937_64(sequence);
    }

    std::mt19937_64 engine_;
};

}  // namespace gradient::node
