#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::cli {

/// Draws tokens from regression outputs. The outputs estimate probabilities by least squares: they
/// may be slightly negative and need not sum to one, so negative ones count as zero and the rest is
/// normalised.
class Sampler {
  public:
    /// `temperature` 0 takes the largest output always; 1 follows the estimates; between, likely
    /// tokens gain. The same seed and outputs give the same tokens.
    Sampler(double temperature, std::uint64_t seed);

    /// The probabilities that next() draws from; they sum to one. Precondition: outputs is not
    /// empty.
    [[nodiscard]] std::vector<double> probabilities(std::span<const std::int32_t> outputs) const;

    /// Index of the output drawn.
    [[nodiscard]] std::size_t next(std::span<const std::int32_t> outputs);

  private:
    double temperature_;
    std::uint64_t state_;
};

/// Bytes as valid UTF-8: what is not becomes U+FFFD.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

/// Valid UTF-8 without control characters except newline and tab, which a terminal would obey.
[[nodiscard]] std::string for_terminal(std::string_view bytes);

}  // namespace gradient::cli
