#include "chain/light/work_sampling.hpp"

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gradient::chain {

namespace {

U256 difference(const U256& a, const U256& b) noexcept {
    return checked_sub(a, b).value_or(U256());
}

// ln((total - end) / (total - first)), below zero.
double log_span(const SampledRange& range) noexcept {
    return std::log(difference(range.total, range.end).to_double()) -
           std::log(difference(range.total, range.first).to_double());
}

// floor(value * fraction) but for rounding in the last of the fraction's 53 bits; 0 < fraction
// <= 1.
U256 scaled(const U256& value, double fraction) noexcept {
    int exponent = 0;
    const double mantissa = std::frexp(fraction, &exponent);  // in [1/2, 1)
    constexpr int kBits = 53;
    const auto factor = static_cast<std::uint64_t>(std::ldexp(mantissa, kBits));
    const unsigned spare = value.bit_length() > 192 ? 64 : 0;  // room for the product
    const U256 product = saturating_mul(value >> spare, factor);
    const int shift = kBits - exponent - static_cast<int>(spare);
    return shift >= 0 ? product >> static_cast<unsigned>(shift)
                      : product << static_cast<unsigned>(-shift);
}

// Uniform in [0, 1).
double uniform(const Hash256& seed, std::uint64_t number) noexcept {
    static const TaggedHasher kHasher("gradient/light/sample");
    const Bytes index = encode(number);
    const Hash256 hash = kHasher(seed, ByteSpan(index));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i) bits = bits << 8U | hash.bytes[i];
    return std::ldexp(static_cast<double>(bits >> 11U), -53);
}

}  // namespace

double miss_chance(const SampledRange& range, double real_part) noexcept {
    return std::max(0.0, 1 - std::log(real_part) / log_span(range));
}

std::optional<std::size_t> sample_count(const SampledRange& range) noexcept {
    const double miss = miss_chance(range, kRealPart);
    if (miss <= 0) return kMinSamples;
    const double count = std::ceil(kSecurityBits / -std::log2(miss));
    if (!(count <= static_cast<double>(kMaxSamples))) return std::nullopt;
    return std::max(kMinSamples, static_cast<std::size_t>(count));
}

std::vector<U256> draw_samples(const SampledRange& range, const Hash256& seed, std::size_t count) {
    CHECK(range.first < range.end && range.end < range.total);
    const double span = log_span(range);
    const U256 widest = difference(range.total, range.first);
    const U256 last = difference(range.end, U256(1));
    std::vector<U256> works;
    works.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        // What is left of the chain at a sample is spread evenly in its logarithm.
        const U256 left = scaled(widest, std::exp(span * uniform(seed, i)));
        works.push_back(std::clamp(difference(range.total, left), range.first, last));
    }
    return works;
}

}  // namespace gradient::chain
