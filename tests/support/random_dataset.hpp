#pragma once

#include "model/dataset.hpp"

#include <algorithm>
#include <cstdint>

namespace gradient::test {

/// A small integer generator for test data; the same numbers everywhere (numerical recipes' LCG).
class Lcg {
  public:
    explicit Lcg(std::uint64_t seed) noexcept
        : state_(static_cast<std::uint32_t>(seed * 2654435761U) + 1) {}
    std::uint32_t next() noexcept {
        state_ = state_ * 1664525U + 1013904223U;
        return state_ >> 8;
    }
    /// Uniform in low..high.
    std::int32_t in(std::int32_t low, std::int32_t high) noexcept {
        return low + static_cast<std::int32_t>(next() % static_cast<std::uint32_t>(high - low + 1));
    }

  private:
    std::uint32_t state_;
};

/// Dense random mantissas with entries in +-magnitude, or constant where `constant` is set.
class RandomDataset final : public model::Dataset {
  public:
    RandomDataset(std::uint16_t width, std::uint16_t value_width, std::uint16_t outputs,
                  std::int16_t magnitude, bool constant = false) noexcept
        : width_(width),
          value_width_(value_width),
          outputs_(outputs),
          magnitude_(magnitude),
          constant_(constant) {}

    std::uint16_t width() const noexcept override { return width_; }
    std::uint16_t value_width() const noexcept override { return value_width_; }
    std::uint16_t outputs() const noexcept override { return outputs_; }
    std::uint64_t training_sequences(std::uint16_t /*rows*/) const noexcept override { return 97; }
    std::uint64_t held_out_sequences(std::uint16_t /*rows*/) const noexcept override { return 11; }
    void fill_training(std::uint64_t index, std::uint16_t /*rows*/, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        Lcg lcg(index);
        for (const auto& out : {a1, a2, a3, b})
            std::ranges::generate(out, [&] {
                return constant_ ? magnitude_
                                 : static_cast<std::int16_t>(lcg.in(-magnitude_, magnitude_));
            });
    }
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override {
        fill_training(index + 1000, rows, a1, a2, a3, b);
    }

  private:
    std::uint16_t width_, value_width_, outputs_;
    std::int16_t magnitude_;
    bool constant_;
};

}  // namespace gradient::test
