#include "model/text/text_dataset.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gradient::model {
namespace {

constexpr std::size_t kVocabulary = 64;
constexpr std::uint16_t kWidth = 128;
constexpr std::uint16_t kValueWidth = 256;
constexpr std::int16_t kOne = 1024;

/// The first rows of a sequence are registers: fixed keys and values that carry no token, so that
/// attention has somewhere to rest (SPEC.md section 5.1).
constexpr std::size_t kRegisters = 16;

/// Tokens of context before a row's own token that a row may look at.
constexpr std::size_t kLags = 3;

/// Substance: a token is in common use from one in this many on; a run is this many tokens.
constexpr std::size_t kCommonShare = 256;
constexpr std::size_t kRunTokens = 10;
constexpr std::uint64_t kRunMask = (std::uint64_t{1} << 60) - 1;  // ten tokens of six bits

/// A group of columns of a row, exactly one of which is 1.
struct Group {
    enum class Kind : std::uint8_t {
        token,     ///< the token `reach` places back; rarer ones share the last column
        hash,      ///< a hash of the last `reach` + 1 tokens
        position,  ///< the number of a register row
    } kind;
    std::uint8_t reach;
    std::uint16_t columns;
};

using enum Group::Kind;
constexpr std::array<Group, 5> kQuery{
    {{token, 0, 40}, {token, 1, 32}, {token, 2, 24}, {token, 3, 16}, {hash, 1, 16}}};
constexpr std::array<Group, 5> kKey{
    {{token, 0, 40}, {token, 1, 32}, {token, 2, 24}, {token, 3, 16}, {position, 0, 16}}};
constexpr std::array<Group, 5> kValue{
    {{token, 0, 64}, {token, 1, 64}, {hash, 1, 64}, {hash, 2, 48}, {position, 0, 16}}};

constexpr std::size_t columns_of(std::span<const Group> groups) noexcept {
    std::size_t columns = 0;
    for (const Group& group : groups) columns += group.columns;
    return columns;
}
static_assert(columns_of(kQuery) == kWidth && columns_of(kKey) == kWidth &&
              columns_of(kValue) == kValueWidth);

std::uint32_t mix(std::uint32_t x) noexcept {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return x;
}

/// The hash state after two tokens, for every pair: h(earlier, later) starts from here.
std::vector<std::uint32_t> make_pair_states() {
    std::vector<std::uint32_t> states(kVocabulary * kVocabulary);
    for (std::uint32_t earlier = 0; earlier < kVocabulary; ++earlier)
        for (std::uint32_t later = 0; later < kVocabulary; ++later)
            states[earlier * kVocabulary + later] = mix(mix(131 + earlier + 1) * 131 + later + 1);
    return states;
}

/// Hash of the last `reach` + 1 tokens up to `own`; `reach` is 1 or 2.
std::uint32_t hash_context(const std::uint8_t* own, std::uint8_t reach) noexcept {
    static const std::vector<std::uint32_t> states = make_pair_states();
    const auto pair = [&](const std::uint8_t* later) {
        return states[*(later - 1) * kVocabulary + *later];
    };
    const std::uint32_t h = reach == 1 ? pair(own) : mix(pair(own - 1) * 131 + *own + 1);
    return mix(h + 0x9e3779b9U);
}

/// Column of the group that is 1 in a row; `own` points at the row's own token.
template <Group group>
std::size_t column(const std::uint8_t* own, std::size_t row) noexcept {
    if constexpr (group.kind == token) {
        return std::min<std::size_t>(*(own - group.reach), group.columns - 1U);
    } else if constexpr (group.kind == hash) {
        return hash_context(own, group.reach) % group.columns;
    } else {
        return row % group.columns;
    }
}

template <const auto& groups, std::size_t number>
void mark_group(bool is_register, const std::uint8_t* own, std::size_t row,
                std::int16_t* out) noexcept {
    constexpr Group group = groups[number];
    constexpr std::size_t offset = columns_of(std::span(groups).first(number));
    if ((group.kind == position) == is_register) out[offset + column<group>(own, row)] = kOne;
}

template <const auto& groups>
void fill_row(bool is_register, const std::uint8_t* own, std::size_t row,
              std::int16_t* out) noexcept {
    [&]<std::size_t... number>(std::index_sequence<number...>) {
        (mark_group<groups, number>(is_register, own, row, out), ...);
    }
    (std::make_index_sequence<groups.size()>{});
}

/// `first` points at the token of row 0 and has kLags tokens before it.
void fill_inputs(const std::uint8_t* first, std::uint16_t rows, std::span<std::int16_t> a1,
                 std::span<std::int16_t> a2, std::span<std::int16_t> a3) noexcept {
    std::ranges::fill(a1, std::int16_t{0});
    std::ranges::fill(a2, std::int16_t{0});
    std::ranges::fill(a3, std::int16_t{0});
    for (std::size_t i = 0; i < rows; ++i) {
        const bool is_register = i < kRegisters;
        fill_row<kQuery>(false, first + i, i, a1.data() + i * kWidth);
        fill_row<kKey>(is_register, first + i, i, a2.data() + i * kWidth);
        fill_row<kValue>(is_register, first + i, i, a3.data() + i * kValueWidth);
    }
}

void fill_sequence(const std::uint8_t* first, std::uint16_t rows, std::span<std::int16_t> a1,
                   std::span<std::int16_t> a2, std::span<std::int16_t> a3,
                   std::span<std::int16_t> b) noexcept {
    fill_inputs(first, rows, a1, a2, a3);
    std::ranges::fill(b, std::int16_t{0});
    for (std::size_t i = 0; i < rows; ++i) b[i * kVocabulary + first[i + 1]] = kOne;
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

tl::expected<void, TaskError> TextDataset::check_substance() const {
    std::array<std::size_t, kVocabulary> counts{};
    for (const std::uint8_t token : training_tokens()) ++counts[token];
    const auto common = std::ranges::count_if(
        counts, [&](std::size_t count) { return count >= training_size_ / kCommonShare; });
    if (static_cast<std::size_t>(common) < kMinCommonTokens)
        return tl::unexpected(TaskError::data_constant);

    // A text that repeats a string of L tokens has at most L distinct runs. Runs are counted in
    // 2^16 classes, which can only hide a few of them.
    std::vector<bool> seen(std::size_t{1} << 16);
    std::size_t distinct = 0;
    std::uint64_t run = 0;
    for (std::size_t i = 0; i < training_size_; ++i) {
        run = (run * kVocabulary + tokens_[i]) & kRunMask;
        if (i + 1 < kRunTokens) continue;
        const std::size_t place = run * 0x9e3779b97f4a7c15U >> 48;
        if (!seen[place]) ++distinct;
        seen[place] = true;
    }
    if (distinct < kMinDistinctRuns) return tl::unexpected(TaskError::data_repetitive);
    return {};
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
    return kValueWidth;
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
    config.value_width = kValueWidth;
    config.outputs = kVocabulary;
    config.x_exponent = -8;
    config.y_exponent = -9;
    config.x_rate_shift = 3;
    config.y_rate_shift = 8;
    config.jitter = 16;
    config.x_init = 16;
    // About 1.5 times what a unit of 16 steps moves each matrix once the first hundred are over.
    config.x_clip = 900'000;
    config.y_clip = 200'000;
    return config;
}

}  // namespace gradient::model
