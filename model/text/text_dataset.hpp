#pragma once

#include "model/dataset.hpp"
#include "model/task.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gradient::model {

/// Text as a data set: bytes to tokens by a vocabulary fixed by the training part, rows from the
/// context of each token, targets one-hot of the next token (model/SPEC.md section 5.1).
class TextDataset final : public Dataset {
  public:
    /// Smallest text that has a training part and a held-out part worth the name.
    static constexpr std::size_t kMinBytes = 4096;
    /// Largest text of one task.
    static constexpr std::size_t kMaxBytes = 16 * 1024 * 1024;

    /// Substance (model/SPEC.md section 5.3): fewest tokens in common use, and fewest distinct runs
    /// of ten tokens, in the training part.
    static constexpr std::size_t kMinCommonTokens = 8;
    static constexpr std::size_t kMinDistinctRuns = 1024;

    /// Fails with data_too_short below kMinBytes or data_mismatch above kMaxBytes.
    static tl::expected<TextDataset, TaskError> create(std::span<const std::uint8_t> text);

    /// Why this text is too poor to be mined on: data_constant or data_repetitive. Integers only,
    /// so part of consensus; reads the training part twice.
    tl::expected<void, TaskError> check_substance() const;

    /// Token of a byte; bytes outside the vocabulary share the last token, 63.
    std::uint8_t token_of(std::uint8_t byte) const noexcept { return token_of_byte_[byte]; }
    /// A byte that stands for the token ("?" for the shared one).
    std::uint8_t byte_of(std::uint8_t token) const noexcept { return byte_of_token_[token]; }
    /// Tokens of the training part and of the held-out part (the last tenth).
    std::span<const std::uint8_t> training_tokens() const noexcept;
    std::span<const std::uint8_t> held_out_tokens() const noexcept;

    /// Rows for a prompt: the last `rows` positions of `tokens` (padded in front with token 0),
    /// so that row rows-1 predicts the token after the prompt.
    void fill_prompt(std::span<const std::uint8_t> tokens, std::uint16_t rows,
                     std::span<std::int16_t> a1, std::span<std::int16_t> a2,
                     std::span<std::int16_t> a3) const noexcept;

    std::uint16_t width() const noexcept override;
    std::uint16_t value_width() const noexcept override;
    std::uint16_t outputs() const noexcept override;
    std::uint16_t context_rows() const noexcept override;
    std::uint64_t training_sequences(std::uint16_t rows) const noexcept override;
    std::uint64_t held_out_sequences(std::uint16_t rows) const noexcept override;
    void fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override;
    void fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                       std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                       std::span<std::int16_t> b) const noexcept override;

    /// The configuration a text network uses unless told otherwise.
    static AttentionConfig default_config() noexcept;

  private:
    TextDataset() = default;
    std::vector<std::uint8_t> tokens_;
    std::size_t training_size_ = 0;
    std::array<std::uint8_t, 256> token_of_byte_{};
    std::array<std::uint8_t, 256> byte_of_token_{};
};

}  // namespace gradient::model
