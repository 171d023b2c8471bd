#include "tools/cli/sampling.hpp"

#include "chain/base/check.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gradient::cli {

namespace {

// SplitMix64: short, and the same everywhere, which std::discrete_distribution is not.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

// Length of the valid UTF-8 sequence at the front; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto continues = [&](std::size_t i, unsigned low, unsigned high) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const std::uint8_t b = byte(0);
    if (b < 0x80) return 1;
    if (b >= 0xc2 && b <= 0xdf) return continues(1, 0x80, 0xbf) ? 2 : 0;
    if (b >= 0xe0 && b <= 0xef) {
        const unsigned low = b == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = b == 0xed ? 0x9f : 0xbf;
        return continues(1, low, high) && continues(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (b >= 0xf0 && b <= 0xf4) {
        const unsigned low = b == 0xf0 ? 0x90 : 0x80;
        const unsigned high = b == 0xf4 ? 0x8f : 0xbf;
        return continues(1, low, high) && continues(2, 0x80, 0xbf) && continues(3, 0x80, 0xbf) ? 4
                                                                                               : 0;
    }
    return 0;
}

}  // namespace

Sampler::Sampler(double temperature, std::uint64_t seed)
    : temperature_(temperature), state_(seed) {}

std::vector<double> Sampler::probabilities(std::span<const std::int32_t> outputs) const {
    CHECK(!outputs.empty());
    const auto largest = std::ranges::max_element(outputs);
    std::vector<double> weights(outputs.size(), 0.0);
    if (*largest <= 0 || temperature_ <= 0) {
        weights[static_cast<std::size_t>(largest - outputs.begin())] = 1;
        return weights;
    }
    double sum = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        // Relative to the largest, so that small temperatures do not underflow everything.
        const double share = std::max(outputs[i], 0) / static_cast<double>(*largest);
        weights[i] = std::pow(share, 1 / temperature_);
        sum += weights[i];
    }
    for (double& weight : weights) weight /= sum;
    return weights;
}

std::size_t Sampler::next(std::span<const std::int32_t> outputs) {
    const auto weights = probabilities(outputs);
    const double point = static_cast<double>(next_random(state_) >> 11U) * 0x1p-53;
    double sum = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] == 0) continue;
        last = i;  // where rounding leaves the sum short of one
        sum += weights[i];
        if (point < sum) return i;
    }
    return last;
}

std::string to_utf8(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        const std::size_t size = sequence_length(bytes);
        text += size > 0 ? bytes.substr(0, size) : std::string_view("\xef\xbf\xbd");
        bytes.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return text;
}

std::string for_terminal(std::string_view bytes) {
    std::string text = to_utf8(bytes);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        const bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
        if (control) text[i] = '?';
        // U+0080..U+009F, the 8-bit control characters
        if (byte == 0xc2 && i + 1 < text.size() && static_cast<std::uint8_t>(text[i + 1]) < 0xa0) {
            text.replace(i, 2, "?");
        }
    }
    return text;
}

}  // namespace gradient::cli
