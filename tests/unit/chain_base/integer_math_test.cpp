#include "chain/base/integer_math.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace gradient::chain {
namespace {

__extension__ using i128 = __int128;
__extension__ using u128 = unsigned __int128;

TEST(IntegerMath, division_goes_toward_minus_infinity) {
    EXPECT_EQ(floor_divide(7, 2), 3);
    EXPECT_EQ(floor_divide(-7, 2), -4);
    EXPECT_EQ(floor_divide(-8, 2), -4);
    EXPECT_EQ(floor_divide(-1, INT64_MAX), -1);
    EXPECT_EQ(floor_divide(0, 5), 0);
    EXPECT_EQ(floor_divide(INT64_MIN, 1), INT64_MIN);
    EXPECT_EQ(floor_divide(INT64_MIN, INT64_MAX), -2);
    EXPECT_EQ(floor_divide(INT64_MAX, INT64_MAX), 1);
}

TEST(IntegerMath, a_quotient_is_the_largest_number_that_fits) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        const auto dividend =
            static_cast<std::int64_t>(random() >> (random() % 64)) * (random() % 2 == 0 ? 1 : -1);
        const auto divisor = static_cast<std::int64_t>((random() >> (1 + random() % 62)) | 1U);
        const i128 quotient = floor_divide(dividend, divisor);
        ASSERT_LE(quotient * divisor, dividend) << dividend << ' ' << divisor;
        ASSERT_GT((quotient + 1) * divisor, dividend) << dividend << ' ' << divisor;
    }
}

TEST(IntegerMath, a_root_is_the_largest_number_whose_square_fits) {
    const auto expect_root = [](std::uint64_t value) {
        const u128 root = integer_sqrt(value);
        ASSERT_LE(root * root, value);
        ASSERT_GT((root + 1) * (root + 1), value);
    };
    for (std::uint64_t value = 0; value < 5000; ++value) expect_root(value);
    for (const std::uint64_t root : {65'535UL, 65'536UL, 3'037'000'499UL, 0xffffffffUL}) {
        expect_root(root * root - 1);
        expect_root(root * root);
        expect_root(root * root + 1);
    }
    expect_root(UINT64_MAX);
    std::mt19937_64 random(2);
    for (int i = 0; i < 10'000; ++i) expect_root(random() >> (random() % 64));
}

TEST(IntegerMath, magnitudes_reach_the_smallest_number) {
    EXPECT_EQ(magnitude(0), 0U);
    EXPECT_EQ(magnitude(-5), 5U);
    EXPECT_EQ(magnitude(INT32_MAX), 0x7fffffffU);
    EXPECT_EQ(magnitude(INT32_MIN), 0x80000000U);
}

static_assert(floor_divide(-3, 2) == -2 && integer_sqrt(99) == 9);  // at compile time as well

}  // namespace
}  // namespace gradient::chain
