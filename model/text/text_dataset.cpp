#include "model/text/text_dataset.hpp"

#include <algorithm>
#include <numeric>

namespace gradient::model {
namespace {

constexpr std::size_t kVocabulary = 64;
constexpr std::uint16_t kWidth = 128;
constexpr std::int16_t kOne = 1024;

/// The first rows of a sequence are registers: fixed keys and values that carry no token, so that
/// attention has somewhere to rest (SPEC.md section 5).
constexpr std::size_t kRegisters = 16;

/// Tokens of context before a row's own token that a row may look at.
constexpr std::size_t kLags = 4;

/// A group of columns of a row, exactly one of which is 1.
struct Group {
    enum class Kind : std::uint8_t { token, pair, row } kind;
    std::uint8_t lag;  ///< token: how many tokens back; pair: of its later token
    std::uint16_t columns;
};

constexpr Group kQuery[]{{Group::Kind::token, 0, 64}, {Group::Kind::token, 1, 64}};
constexpr Group kKey[]{{Group::Kind::token, 0, 48},
                       {Group::Kind::token, 1, 32},
                       {Group::Kind::token, 2, 32},
                       {Group::Kind::row, 0, 16}};
constexpr Group kValue[]{
    {Group::Kind::token, 0, 64}, {Group::Kind::pair, 0, 48}, {Group::Kind::row, 0, 16}};

std::uint32_t mix(std::uint32_t x) noexcept {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return x;
}

/// Column of the group that is 1 in a row; `token` points at the row's own token.
std::size_t column(const Group& group, const std::uint8_t* token, std::size_t row) noexcept {
    switch (group.kind) {
        case Group::Kind::token:
            return std::min<std::size_t>(token[-std::ptrdiff_t{group.lag}], group.columns - 1U);
        case Group::Kind::pair: {
            const std::uint32_t later = token[-std::ptrdiff_t{group.lag}];
            const std::uint32_t earlier = token[-std::ptrdiff_t{group.lag} - 1];
            return mix(earlier * 256 + later + 1) % group.columns;
        }
        case Group::Kind::row:
            return row % group.columns;
    }
    return 0;
}

void fill_row(std::span<const Group> groups, bool is_register, const std::uint8_t* token,
              std::size_t row, std::int16_t* out) noexcept {
    for (const Group& group : groups) {
        if ((group.kind == Group::Kind::row) == is_register) out[column(group, token, row)] = kOne;
        out += group.columns;
    }
}

/// `token` points at the token of row 0 and has kLags tokens before it.
void fill_inputs(const std::uint8_t* token, std::uint16_t rows, std::span<std::int16_t> a1,
                 std::span<std::int16_t> a2, std::span<std::int16_t> a3) noexcept {
    std::ranges::fill(a1, std::int16_t{0});
    std::ranges::fill(a2, std::int16_t{0});
    std::ranges::fill(a3, std::int16_t{0});
    for (std::size_t i = 0; i < rows; ++i) {
        const bool is_register = i < kRegisters;
        fill_row(kQuery, false, token + i, i, a1.data() + i * kWidth);
        fill_row(kKey, is_register, token + i, i, a2.data() + i * kWidth);
        fill_row(kValue, is_register, token + i, i, a3.data() + i * kWidth);
    }
}

void fill_sequence(const std::uint8_t* token, std::uint16_t rows, std::span<std::int16_t> a1,
                   std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                   std::span<std::int16_t> b) noexcept {
    fill_inputs(token, rows, a1, a2, a3);
    std::ranges::fill(b, std::int16_t{0});
    for (std::size_t i = 0; i < rows; ++i) b[i * kVocabulary + token[i + 1]] = kOne;
}

}  // namespace

tl::expected<TextDataset, TaskError> TextDataset::create(std::span<const std::uint8_t> text) {
    if (text.size() < kMinBytes) return tl::unexpected(TaskError::data_too_short);
    if (text.size() > kMaxBytes) return tl::unexpected(TaskError::data_mismatch);
    TextDataset data;
    data.training_size_ = text.size() - text.size() / 10;
    std::array<std::uint64_t, 256> counts{};
    for (const std::uint8_t byte : text.first(data.training_size_)) ++counts[byte];
    std::array<std::uint8_t, 256> order{};
    std::iota(order.begin(), order.end(), std::uint8_t{0});
    std::ranges::stable_sort(order,
                             [&](std::uint8_t a, std::uint8_t b) { return counts[a] > counts[b]; });
    data.token_of_byte_.fill(kVocabulary - 1);
    data.byte_of_token_.fill('?');
    for (std::size_t rank = 0; rank + 1 < kVocabulary; ++rank) {
        if (counts[order[rank]] == 0) break;
        data.token_of_byte_[order[rank]] = static_cast<std::uint8_t>(rank);
        data.byte_of_token_[rank] = order[rank];
    }
    data.tokens_.resize(text.size());
    std::ranges::transform(text, data.tokens_.begin(),
                           [&](std::uint8_t byte) { return data.token_of_byte_[byte]; });
    return data;
}

std::span<const std::uint8_t> TextDataset::training_tokens() const noexcept {
    return std::span(tokens_).first(training_size_);
}

std::span<const std::uint8_t> TextDataset::held_out_tokens() const noexcept {
    return std::span(tokens_).subspan(training_size_);
}

std::uint16_t TextDataset::width() const noexcept {
    return kWidth;
}
std::uint16_t TextDataset::value_width() const noexcept {
    return kWidth;
}
std::uint16_t TextDataset::outputs() const noexcept {
    return kVocabulary;
}
std::uint16_t TextDataset::context_rows() const noexcept {
    return kRegisters;
}

std::uint64_t TextDataset::training_sequences(std::uint16_t rows) const noexcept {
    const std::size_t needed = kLags + rows + std::size_t{1};
    return training_size_ < needed ? 0 : training_size_ - needed + 1;
}

std::uint64_t TextDataset::held_out_sequences(std::uint16_t rows) const noexcept {
    const std::size_t needed = kLags + rows + std::size_t{1};
    const std::size_t size = tokens_.size() - training_size_;
    if (rows <= kRegisters || size < needed) return 0;
    return (size - needed) / (rows - kRegisters) + 1;
}

void TextDataset::fill_training(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                                std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                                std::span<std::int16_t> b) const noexcept {
    fill_sequence(tokens_.data() + kLags + index, rows, a1, a2, a3, b);
}

void TextDataset::fill_held_out(std::uint64_t index, std::uint16_t rows, std::span<std::int16_t> a1,
                                std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                                std::span<std::int16_t> b) const noexcept {
    fill_sequence(tokens_.data() + training_size_ + kLags + index * (rows - kRegisters), rows, a1,
                  a2, a3, b);
}

void TextDataset::fill_prompt(std::span<const std::uint8_t> tokens, std::uint16_t rows,
                              std::span<std::int16_t> a1, std::span<std::int16_t> a2,
                              std::span<std::int16_t> a3) const noexcept {
    std::array<std::uint8_t, 256 + kLags> window{};
    const std::size_t wanted = rows + kLags;
    const std::size_t given = std::min(tokens.size(), wanted);
    std::ranges::copy(tokens.last(given),
                      window.begin() + static_cast<std::ptrdiff_t>(wanted - given));
    fill_inputs(window.data() + kLags, rows, a1, a2, a3);
}

AttentionConfig TextDataset::default_config() noexcept {
    AttentionConfig config;
    config.outputs = kVocabulary;
    return config;
}

}  // namespace gradient::model
