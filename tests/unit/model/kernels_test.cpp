#include "model/numerics/kernels.hpp"

#include "model/numerics/engine.hpp"
#include "tests/support/random_dataset.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace gradient::model {
namespace {

using test::Lcg;

struct NamedTable {
    std::string_view name;
    const Kernels* kernels;
};

std::vector<NamedTable> tables_here() {
    std::vector<NamedTable> tables;
    for (const EngineKind kind : available_engines())
        tables.push_back({engine_name(kind), *find_engine(kind)});
    return tables;
}

/// Floor division by a power of two, by division.
std::int64_t floor_shift(std::int64_t value, int shift) {
    const std::int64_t divisor = std::int64_t{1} << shift;
    std::int64_t quotient = value / divisor;
    if (quotient * divisor > value) --quotient;
    return quotient;
}

/// round_shift of SPEC.md section 1.1 in wide arithmetic: floor(a / 2^s + 1/2 + h / 256).
std::int64_t expected_round(std::int64_t a, int s, int h) {
    return floor_shift(a * 256 + ((std::int64_t{h} + 128) << s), s + 8);
}

std::int64_t entry(const std::vector<std::int16_t>& m, std::size_t columns, std::size_t i,
                   std::size_t j) {
    return m[i * columns + j];
}

void check_product(const NamedTable& table, ProductShape shape, std::int32_t magnitude) {
    const auto [form, mask, m, n, k, packed] = shape;
    Lcg lcg(m * 1000 + n * 10 + k);
    std::vector<std::int16_t> a(m * k);
    std::vector<std::int16_t> b(k * n);
    const bool extreme = magnitude == 2047;
    for (auto& x : a)
        x = static_cast<std::int16_t>(extreme ? (lcg.next() % 8 == 0 ? -2047 : 2047)
                                              : lcg.in(-magnitude, magnitude));
    for (auto& x : b) x = static_cast<std::int16_t>(extreme ? 2047 : lcg.in(-magnitude, magnitude));
    const std::size_t a_columns = form == Form::atb ? m : k;
    if (mask == Mask::lower_a)
        for (std::size_t i = 0; i < a.size() / a_columns; ++i)
            for (std::size_t j = i + 1; j < a_columns; ++j) a[i * a_columns + j] = 0;
    std::vector<std::int32_t> c(m * n, 77);
    std::vector<std::byte> pack(kPackBytes);
    std::vector<std::int16_t> packed_b(b.size());
    table.kernels->pack_rows(b.data(), form == Form::abt ? n : k, form == Form::abt ? k : n,
                             packed_b.data());
    const std::uint32_t largest = table.kernels->multiply(
        shape, a.data(), packed ? packed_b.data() : b.data(), c.data(), pack.data());
    std::int64_t expected_largest = 0;
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            if (mask == Mask::lower_result && j > i) continue;
            std::int64_t sum = 0;
            for (std::size_t q = 0; q < k; ++q)
                sum += (form == Form::atb ? entry(a, m, q, i) : entry(a, k, i, q)) *
                       (form == Form::abt ? entry(b, k, j, q) : entry(b, n, q, j));
            ASSERT_EQ(c[i * n + j], sum) << table.name << " at " << i << ", " << j;
            expected_largest = std::max(expected_largest, std::abs(sum));
        }
    EXPECT_EQ(largest, mask == Mask::lower_result ? 0 : expected_largest) << table.name;
}

TEST(Products, are_exact_for_every_form_mask_and_shape) {
    for (const auto& table : tables_here())
        for (const std::int32_t magnitude : {2047, 2046, 3}) {
            for (const std::size_t m : {16U, 48U, 64U})
                for (const std::size_t n : {16U, 80U, 128U})
                    for (const std::size_t k : {16U, 64U, 240U})
                        for (const Form form : {Form::ab, Form::abt, Form::atb})
                            check_product(table, {form, Mask::none, m, n, k}, magnitude);
            check_product(table, {Form::atb, Mask::none, 64, 48, 512}, magnitude);
            check_product(table, {Form::ab, Mask::none, 64, 80, 256, true}, magnitude);
            for (const std::size_t rows : {16U, 48U, 64U, 128U}) {
                check_product(table, {Form::abt, Mask::lower_result, rows, rows, 64}, magnitude);
                check_product(table, {Form::ab, Mask::lower_a, rows, 96, rows}, magnitude);
                check_product(table, {Form::atb, Mask::lower_a, rows, 96, rows}, magnitude);
            }
        }
}

TEST(Rounding, is_the_specified_floor_for_every_shift_and_byte) {
    for (const auto& table : tables_here())
        for (int s = 0; s <= 40; ++s) {
            const std::int64_t limit = s <= 18 ? std::int64_t{2045} << s : (std::int64_t{1} << 30);
            Lcg lcg(static_cast<std::uint64_t>(s) + 1);
            std::vector<std::int32_t> acc(1024);
            std::vector<std::uint8_t> noise(acc.size());
            for (std::size_t i = 0; i < acc.size(); ++i) {
                const std::int64_t draw = (std::int64_t{lcg.in(-(1 << 23), 1 << 23)} * limit) >> 23;
                acc[i] = static_cast<std::int32_t>(i % 7 == 0 ? limit : i % 7 == 1 ? -limit : draw);
                if (i % 7 == 2) acc[i] = 0;
                noise[i] = static_cast<std::uint8_t>(i);
            }
            std::vector<std::int16_t> out(acc.size());
            table.kernels->round(acc.data(), noise.data(), out.data(), acc.size(), s);
            for (std::size_t i = 0; i < acc.size(); ++i)
                ASSERT_EQ(out[i], expected_round(acc[i], std::min(s, 48), 2 * noise[i] - 255))
                    << table.name << " shift " << s << " value " << acc[i];
            table.kernels->round(acc.data(), nullptr, out.data(), acc.size(), s);
            for (std::size_t i = 0; i < acc.size(); ++i)
                ASSERT_EQ(out[i], expected_round(acc[i], s, 0)) << table.name << " shift " << s;
        }
}

TEST(Rounding, is_unbiased_and_gives_an_exact_zero_noise_of_one_unit) {
    std::vector<std::uint8_t> noise(256);
    for (std::size_t i = 0; i < 256; ++i) noise[i] = static_cast<std::uint8_t>(i);
    std::vector<std::int16_t> out(256);
    for (const auto& table : tables_here())
        for (const std::int32_t value : {0, 1, 100, 255, 256, -77, 12345}) {
            const std::vector<std::int32_t> acc(256, value);
            table.kernels->round(acc.data(), noise.data(), out.data(), 256, 8);
            double mean = 0;
            for (const std::int16_t q : out) mean += q / 256.0;
            EXPECT_NEAR(mean, value / 256.0, 1.0 / 256) << table.name;
            if (value != 0) continue;
            EXPECT_EQ(std::count(out.begin(), out.end(), 0), 128);
            EXPECT_EQ(std::count(out.begin(), out.end(), 1), 64);
            EXPECT_EQ(std::count(out.begin(), out.end(), -1), 64);
        }
}

TEST(ScaleShift, is_the_smallest_that_leaves_room_for_the_noise) {
    EXPECT_EQ(scale_shift(0), 0);
    EXPECT_EQ(scale_shift(2045), 0);
    EXPECT_EQ(scale_shift(2046), 1);
    EXPECT_EQ(scale_shift(4090), 1);
    EXPECT_EQ(scale_shift(4091), 2);
    EXPECT_EQ(scale_shift(0x7fffffff), 21);
}

TEST(Jitter, stays_within_its_amplitude_and_twelve_bits) {
    for (const auto& table : tables_here())
        for (const std::int32_t amplitude : {1, 16, 512}) {
            std::vector<std::int16_t> base(768);
            std::vector<std::uint8_t> noise(base.size());
            for (std::size_t i = 0; i < base.size(); ++i) {
                base[i] = static_cast<std::int16_t>(i < 256 ? 0 : i < 512 ? 2047 : -2047);
                noise[i] = static_cast<std::uint8_t>(i);
            }
            std::vector<std::int16_t> out(base.size());
            table.kernels->jitter(base.data(), noise.data(), out.data(), base.size(), amplitude);
            for (std::size_t i = 0; i < base.size(); ++i) {
                const std::int64_t moved =
                    base[i] + floor_shift(std::int64_t{2 * noise[i] - 255} * amplitude + 128, 8);
                ASSERT_EQ(out[i], std::clamp<std::int64_t>(moved, -2047, 2047)) << table.name;
                ASSERT_LE(std::abs(out[i] - base[i]), amplitude);
            }
        }
}

TEST(Softmax, follows_the_real_one_to_eleven_bits_on_every_engine) {
    const std::size_t n = 64;
    Lcg lcg(3);
    std::vector<std::int32_t> scores(n * n);
    for (auto& s : scores) s = lcg.in(-(1 << 22), 1 << 22);  // +-4 at 2^-20
    for (const bool causal : {true, false}) {
        std::vector<std::int16_t> first;
        for (const auto& table : tables_here()) {
            std::vector<std::int16_t> f(n * n, 99);
            table.kernels->softmax(scores.data(), nullptr, f.data(), n, causal, 20 - 12);
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t valid = causal ? i + 1 : n;
                double sum = 0;
                for (std::size_t j = 0; j < valid; ++j)
                    sum += std::exp(std::ldexp(scores[i * n + j], -20));
                for (std::size_t j = 0; j < n; ++j) {
                    const double expected =
                        j < valid ? std::exp(std::ldexp(scores[i * n + j], -20)) / sum : 0.0;
                    ASSERT_NEAR(f[i * n + j] / 2048.0, expected, 1.0 / 2048) << table.name;
                    if (j >= valid) {
                        ASSERT_EQ(f[i * n + j], 0);
                    }
                }
            }
            if (first.empty()) first = f;
            EXPECT_EQ(f, first) << table.name;
        }
    }
}

TEST(Softmax, has_a_rule_for_every_scale_and_score) {
    const std::size_t n = 16;
    for (const int k : {-40, -14, -5, 0, 3, 31, 60}) {
        std::vector<std::int32_t> scores(n * n, 0);
        scores[3] = (1 << 30) - 1;
        scores[5] = -(1 << 30);
        scores[20] = 1;
        std::vector<std::int16_t> first;
        for (const auto& table : tables_here()) {
            std::vector<std::int16_t> f(n * n);
            table.kernels->softmax(scores.data(), nullptr, f.data(), n, false, k);
            for (std::size_t i = 0; i < n; ++i) {
                int sum = 0;
                for (std::size_t j = 0; j < n; ++j) sum += f[i * n + j];
                EXPECT_NEAR(sum, 2048, 8) << table.name << " k " << k << " row " << i;
            }
            if (first.empty()) first = f;
            EXPECT_EQ(f, first) << table.name;
        }
    }
}

TEST(Update, rounds_half_to_even_and_saturates) {
    const std::vector<std::int32_t> gradients{0,  1,  2,  3,  5,  6,   7,          -1,         -2,
                                              -3, -5, -6, -7, 10, -10, 2145387008, -2145387008};
    for (const auto& table : tables_here())
        for (int w = -63; w <= 40; ++w)
            for (const std::int32_t mantissa : {1, 3, 255}) {
                std::vector<std::int32_t> x(gradients.size(), 1000);
                table.kernels->update(x.data(), gradients.data(), x.size(), {mantissa, w});
                for (std::size_t i = 0; i < x.size(); ++i) {
                    __extension__ using Wide = __int128;
                    const Wide d = static_cast<Wide>(gradients[i]) * mantissa;
                    Wide step = 0;
                    if (w >= 0) {
                        step = d << std::min(w, 20);
                    } else {
                        const int s = std::min(-w, 62);
                        const Wide divisor = static_cast<Wide>(1) << s;
                        step = d / divisor;
                        if (step * divisor > d) --step;
                        const Wide rest = d - step * divisor;
                        if (2 * rest > divisor || (2 * rest == divisor && step % 2 != 0)) ++step;
                    }
                    Wide expected = 1000 - step;
                    expected = std::min<Wide>(expected, kParameterLimit);
                    expected = std::max<Wide>(expected, -kParameterLimit);
                    ASSERT_EQ(x[i], static_cast<std::int64_t>(expected))
                        << table.name << " w " << w << " g " << gradients[i];
                }
            }
}

}  // namespace
}  // namespace gradient::model
