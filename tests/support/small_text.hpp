#pragma once

#include "chain/network.hpp"
#include "model/dataset.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gradient::test {

/// A made-up text of sixteen letters in which the two last letters tell much of the next one, as
/// rows for the smallest model that can learn it: 1,536 parameters.
class SmallText final : public model::Dataset {
  public:
    static constexpr std::uint16_t kLetters = 16;
    static constexpr std::size_t kTrainingTokens = 8192;
    static constexpr std::size_t kHeldOutTokens = 2048;

    explicit SmallText(std::uint64_t seed);

    std::uint16_t width() const noexcept override { return 2 * kLetters; }
    std::uint16_t value_width() const noexcept override { return 2 * kLetters; }
    std::uint16_t outputs() const noexcept override { return kLetters; }
    std::uint64_t training_sequences(std::uint16_t rows) const noexcept override;
    std::uint64_t held_out_sequences(std::uint16_t rows) const noexcept override;
    void fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override;
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override;

    /// All letters as bytes: what a chain spec commits to.
    [[nodiscard]] const std::vector<std::uint8_t>& tokens() const noexcept { return tokens_; }

  private:
    std::vector<std::uint8_t> tokens_;
};

/// A network in the default network's ratios, its unit counts divided by `kUnitScale`: a lane runs
/// 100 units a block (1,000), a hit takes at least 10 (100), 13 units are paid in full (128). Hits
/// per win, guards, rewards, cut and lateness are the default ones. Fees for bytes are raised by
/// as much as openings are smaller, so that a share pays the same part of its reward.
struct SimulatedNetwork {
    static constexpr std::uint32_t kUnitScale = 10;
    static constexpr std::uint32_t kLaneUnits = 100;  ///< a lane of usual speed and block

    double lanes = 2;        ///< of usual speed: difficulty is set for as many
    std::uint64_t seed = 1;  ///< of the text
};

[[nodiscard]] std::shared_ptr<const chain::Network> make_simulated_network(
    const SimulatedNetwork& shape);

}  // namespace gradient::test
