#include "chain/types/limits.hpp"
#include "chain/work/delta_codec.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace gradient::chain {
namespace {

using Values = std::vector<std::int32_t>;

constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();

// base + differences of about the given number of bits.
Values moved(const Values& base, unsigned bits, std::uint32_t seed) {
    std::mt19937 random(seed);
    Values value = base;
    for (std::int32_t& entry : value) {
        entry += static_cast<std::int32_t>(random() >> (32 - bits)) - (1 << (bits - 1));
    }
    return value;
}

Values some_base(std::size_t count) {
    Values base(count);
    for (std::size_t i = 0; i < count; ++i) base[i] = static_cast<std::int32_t>(i * 977) - 40'000;
    return base;
}

DeltaError error_of(const Values& base, ByteSpan coded) {
    const auto decoded = decode_delta(base, coded);
    EXPECT_FALSE(decoded.has_value());
    return decoded ? DeltaError{} : decoded.error();
}

// The coding read from the specification, bit by bit and parameter by parameter.
Bytes naive_block(const std::vector<std::uint64_t>& values) {
    if (std::ranges::all_of(values, [](auto value) { return value == 0; })) return {255};
    std::vector<bool> best;
    std::uint8_t chosen = 0;
    for (unsigned rice = 0; rice <= kMaxRice; ++rice) {
        std::vector<bool> bits;
        for (const std::uint64_t value : values) {
            bits.insert(bits.end(), static_cast<std::size_t>(value >> rice), true);
            bits.push_back(false);
            for (unsigned i = 0; i < rice; ++i) bits.push_back((value >> i & 1) != 0);
        }
        if (!best.empty() && bits.size() >= best.size()) continue;
        best = bits;
        chosen = static_cast<std::uint8_t>(rice);
    }
    Bytes bytes(1 + (best.size() + 7) / 8);
    bytes[0] = chosen;
    for (std::size_t i = 0; i < best.size(); ++i) {
        if (best[i]) bytes[1 + i / 8] = static_cast<std::uint8_t>(bytes[1 + i / 8] | 1U << i % 8);
    }
    return bytes;
}

TEST(DeltaCodec, round_trips_at_every_size_and_spread) {
    for (const std::size_t count : {0U, 1U, 255U, 256U, 257U, 1000U}) {
        for (unsigned bits = 1; bits <= 31; ++bits) {
            const Values base = some_base(count);
            const Values value = moved(base, bits, bits);
            const Bytes coded = encode_delta(base, value);
            EXPECT_LE(coded.size(), max_delta_bytes(count));
            const auto decoded = decode_delta(base, coded);
            ASSERT_TRUE(decoded.has_value()) << count << ' ' << bits;
            EXPECT_EQ(*decoded, value);
        }
    }
}

TEST(DeltaCodec, codes_the_extremes_of_32_bits) {
    const Values base{kMin, kMax, kMin, kMax, 0, 0};
    const Values value{kMax, kMin, kMin, kMax, kMin, kMax};
    const Bytes coded = encode_delta(base, value);
    EXPECT_EQ(*decode_delta(base, coded), value);
    const Values low(256, kMin);
    const Values high(256, kMax);
    EXPECT_LE(encode_delta(low, high).size(), max_delta_bytes(256));
    EXPECT_EQ(*decode_delta(low, encode_delta(low, high)), high);
    EXPECT_EQ(*decode_delta(high, encode_delta(high, low)), low);
}

TEST(DeltaCodec, no_change_takes_a_byte_for_each_block) {
    const Values base = some_base(1000);
    EXPECT_EQ(encode_delta(base, base), Bytes(4, 255));
    EXPECT_EQ(*decode_delta(base, Bytes(4, 255)), base);
}

TEST(DeltaCodec, pins_known_bytes) {
    // u = 2 4 1 0; r = 0 takes 3 + 5 + 2 + 1 = 11 bits, r = 1 takes 3 + 4 + 2 + 2 = 11: the smaller
    EXPECT_EQ(to_hex(encode_delta(Values{0, 0, 0, 0}, Values{1, 2, -1, 0})),
              "00"
              "7b01");
}

TEST(DeltaCodec, agrees_with_the_definition) {
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        const std::size_t count = 1 + random() % 40;
        const auto bits = static_cast<unsigned>(1 + random() % 12);
        Values value(count);
        std::vector<std::uint64_t> mapped(count);
        for (std::size_t i = 0; i < count; ++i) {
            // mostly small with outliers, where the best parameter is not that of the mean
            value[i] = static_cast<std::int32_t>(random() % (1U << bits)) - (1 << (bits - 1));
            if (random() % 16 == 0) value[i] *= 8;
            mapped[i] = value[i] >= 0 ? 2 * static_cast<std::uint64_t>(value[i])
                                      : 2 * static_cast<std::uint64_t>(-value[i]) - 1;
        }
        EXPECT_EQ(encode_delta(Values(count), value), naive_block(mapped));
    }
}

TEST(DeltaCodec, no_two_codings_decode_to_one_value) {
    // Every single and double bit flip either fails or decodes to what encodes to those very bytes.
    const Values base = some_base(20);
    const Bytes coded = encode_delta(base, moved(base, 5, 1));
    const std::size_t bits = 8 * coded.size();
    std::size_t decoded_count = 0;
    for (std::size_t a = 0; a < bits; ++a) {
        for (std::size_t b = a; b < bits; ++b) {
            Bytes flipped = coded;
            flipped[a / 8] = static_cast<std::uint8_t>(flipped[a / 8] ^ 1U << a % 8);
            if (b != a) flipped[b / 8] = static_cast<std::uint8_t>(flipped[b / 8] ^ 1U << b % 8);
            const auto decoded = decode_delta(base, flipped);
            if (!decoded) continue;
            ++decoded_count;
            EXPECT_EQ(encode_delta(base, *decoded), flipped);
        }
    }
    EXPECT_GT(decoded_count, 0U);
}

TEST(DeltaCodec, refuses_truncated_bytes) {
    const Values base = some_base(600);
    const Bytes coded = encode_delta(base, moved(base, 9, 2));
    for (std::size_t size = 0; size < coded.size(); ++size) {
        EXPECT_FALSE(decode_delta(base, ByteSpan(coded).first(size)).has_value());
    }
    EXPECT_EQ(error_of(base, {}), DeltaError::truncated);
}

TEST(DeltaCodec, refuses_trailing_bytes) {
    const Values base = some_base(10);
    Bytes coded = encode_delta(base, moved(base, 9, 2));
    coded.push_back(0);
    EXPECT_EQ(error_of(base, coded), DeltaError::trailing_bytes);
    EXPECT_EQ(error_of({}, Bytes{255}), DeltaError::trailing_bytes);
}

TEST(DeltaCodec, refuses_unknown_parameters) {
    EXPECT_EQ(error_of(Values(1), Bytes{kMaxRice + 1, 0, 0, 0, 0, 0}), DeltaError::bad_parameter);
    EXPECT_EQ(error_of(Values(1), Bytes{254, 0}), DeltaError::bad_parameter);
}

TEST(DeltaCodec, refuses_another_parameter_than_the_prescribed) {
    const Values base(4);
    EXPECT_EQ(error_of(base, Bytes{1, 0}), DeltaError::non_canonical);  // zeros: 255
    // 1 2 -1 0 with r = 1: as short as with r = 0, but not the smaller
    // u = 2 4 1 0 -> 10 0 | 110 0 | 0 1 | 0 0, lowest first
    EXPECT_EQ(error_of(base, Bytes{1, 0b10011001, 0b000}), DeltaError::non_canonical);
}

TEST(DeltaCodec, refuses_padding_that_is_not_zero) {
    Bytes coded = encode_delta(Values(4), Values{1, 2, -1, 0});
    coded.back() |= 0x80;
    EXPECT_EQ(error_of(Values(4), coded), DeltaError::non_canonical);
}

TEST(DeltaCodec, refuses_sums_outside_32_bits) {
    EXPECT_EQ(error_of(Values{kMax}, encode_delta(Values{0}, Values{1})), DeltaError::out_of_range);
    EXPECT_EQ(error_of(Values{kMin}, encode_delta(Values{0}, Values{-1})),
              DeltaError::out_of_range);
    EXPECT_EQ(error_of(Values{0}, encode_delta(Values{kMin}, Values{kMax})),
              DeltaError::out_of_range);
    // 34 ones with r = 33: a difference of more than 33 bits
    EXPECT_EQ(error_of(Values{0}, Bytes{33, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0}),
              DeltaError::out_of_range);
}

TEST(DeltaCodec, a_model_of_33000_parameters_stays_below_80_kb) {
    const Values base = some_base(33'000);
    std::mt19937 random(5);
    std::normal_distribution<double> normal(0, 1 << 16);
    Values value = base;
    for (std::int32_t& entry : value) entry += static_cast<std::int32_t>(normal(random));
    EXPECT_LT(encode_delta(base, value).size(), 80'000U);
}

}  // namespace
}  // namespace gradient::chain
