#pragma once

#include <cstdint>
#include <span>

namespace gradient::model {

/// Where a batch's rows come from. Inputs and targets are 12-bit mantissas in units of 2^-10
/// (|m| <= 2047), so 1.0 is 1024.
///
/// Sequences 0 .. training_sequences()-1 may overlap (any start in the training part); the scored
/// rows of held-out sequences do not overlap, and none of their rows is ever trained on.
class Dataset {
  public:
    Dataset() = default;
    Dataset(const Dataset&) = default;
    Dataset& operator=(const Dataset&) = default;
    virtual ~Dataset() = default;

    /// Widths of A1 and A2, of A3, and of B.
    virtual std::uint16_t width() const noexcept = 0;
    virtual std::uint16_t value_width() const noexcept = 0;
    virtual std::uint16_t outputs() const noexcept = 0;

    /// Number of training and held-out sequences of `rows` rows.
    virtual std::uint64_t training_sequences(std::uint16_t rows) const noexcept = 0;
    virtual std::uint64_t held_out_sequences(std::uint16_t rows) const noexcept = 0;

    /// Rows at the start of a held-out sequence that only give context and are not scored.
    virtual std::uint16_t context_rows() const noexcept { return 0; }

    /// Fills one sequence: a1, a2 (rows, width), a3 (rows, value_width), b (rows, outputs),
    /// row-major. Every element is written. `index` must be below the count above.
    virtual void fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                               std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                               std::span<std::int16_t> b) const noexcept = 0;
    virtual void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                               std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                               std::span<std::int16_t> b) const noexcept = 0;
};

}  // namespace gradient::model
