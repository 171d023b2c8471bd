#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gradient::cli {

/// How well predictions fit: means over the tokens predicted.
struct NgramScore {
    std::uint64_t rows = 0;
    double brier = 0;  ///< mean of |p - one-hot|^2
    double accuracy =
        0;  ///< share of tokens that were the most probable one (the least token of several)
};

/// Tables of how often a token followed the one or two before it: what a trained model is measured
/// against. A context never seen in training is answered by the next shorter one. No smoothing.
class NgramTables {
  public:
    /// Longest context plus the token itself.
    static constexpr std::size_t kMaxOrder = 3;

    /// Counts the training tokens, each below `vocabulary` (at most 256). Takes vocabulary^3
    /// counters.
    NgramTables(std::span<const std::uint8_t> training, std::size_t vocabulary);

    /// Predicts each token of `held_out` from the ones before it with the table of `order` (1 to
    /// 3): the first ones have the end of the training tokens before them, as the held-out part
    /// follows the training part.
    [[nodiscard]] NgramScore evaluate(std::size_t order,
                                      std::span<const std::uint8_t> held_out) const;

  private:
    // A context's predictions in the two numbers that a score needs.
    struct Summary {
        std::uint64_t total = 0;  // of the context's counts
        double squared_sum = 0;   // of the probabilities
        std::size_t most_probable = 0;
    };

    [[nodiscard]] std::span<const std::uint32_t> row(std::size_t order, std::size_t context) const;

    std::size_t vocabulary_;
    std::array<std::uint8_t, kMaxOrder - 1> training_end_{};
    // By order - 1: counts (context, token), and a summary for each context.
    std::array<std::vector<std::uint32_t>, kMaxOrder> counts_;
    std::array<std::vector<Summary>, kMaxOrder> summaries_;
};

}  // namespace gradient::cli
