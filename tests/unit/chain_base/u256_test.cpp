#include "chain/base/u256.hpp"

#include <gtest/gtest.h>

#include <array>

namespace gradient::chain {
namespace {

U256 hex(std::string_view digits) {
    const std::string padded = std::string(64 - digits.size(), '0') + std::string(digits);
    return U256::from_big_endian(Hash256::from_hex(padded).value());
}

// A repeatable mixture of small, large, dense and sparse numbers.
U256 sample(std::uint64_t& state) {
    std::array<std::uint64_t, 4> limbs{};
    for (auto& limb : limbs) {
        state = state * 6364136223846793005 + 1442695040888963407;
        limb = state ^ (state >> 29);
    }
    return U256(limbs) >> static_cast<unsigned>(state >> 56);
}

TEST(U256, compares_by_value) {
    EXPECT_LT(U256(1), U256(2));
    EXPECT_LT(U256(UINT64_MAX), hex("10000000000000000"));
    EXPECT_LT(hex("ffffffffffffffff"), U256::max());
    EXPECT_EQ(hex("2a"), U256(42));
}

TEST(U256, big_endian_and_wire_form_are_opposite) {
    const U256 value = hex("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
    EXPECT_EQ(value.to_big_endian().bytes[0], 1);
    EXPECT_EQ(encode(value).front(), 0x20);
    EXPECT_EQ(decode_exact<U256>(encode(value)), value);
    EXPECT_EQ(U256::from_big_endian(value.to_big_endian()), value);
    EXPECT_EQ(decode_exact<U256>(Bytes(31)).error(), CodecError::truncated);
}

TEST(U256, additions_carry_and_refuse_overflow) {
    EXPECT_EQ(checked_add(hex("ffffffffffffffffffffffffffffffff"), U256(1)),
              hex("100000000000000000000000000000000"));
    EXPECT_FALSE(checked_add(U256::max(), U256(1)));
    EXPECT_EQ(saturating_add(U256::max(), U256(1)), U256::max());
    EXPECT_EQ(checked_add(U256::max(), U256()), U256::max());
}

TEST(U256, subtractions_borrow_and_refuse_negatives) {
    EXPECT_EQ(checked_sub(hex("100000000000000000000000000000000"), U256(1)),
              hex("ffffffffffffffffffffffffffffffff"));
    EXPECT_FALSE(checked_sub(U256(), U256(1)));
    EXPECT_EQ(checked_sub(U256::max(), U256::max()), U256());
}

TEST(U256, products_refuse_overflow_at_the_last_bit) {
    const U256 root = hex("ffffffffffffffffffffffffffffffff");
    EXPECT_EQ(checked_mul(root, root),
              hex("fffffffffffffffffffffffffffffffe00000000000000000000000000000001"));
    EXPECT_FALSE(checked_mul(hex("100000000000000000000000000000000"),
                             hex("100000000000000000000000000000000")));
    EXPECT_EQ(checked_mul(U256::max(), 1), U256::max());
    EXPECT_FALSE(checked_mul(U256::max(), 2));
    EXPECT_EQ(saturating_mul(U256::max(), 2), U256::max());
    EXPECT_EQ(saturating_mul(U256::max(), U256::max()), U256::max());
}

TEST(U256, shifts_move_whole_limbs_and_parts) {
    EXPECT_EQ(U256(1) << 255, hex("8" + std::string(63, '0')));
    EXPECT_EQ(U256(1) << 256, U256());
    EXPECT_EQ((U256(1) << 255) >> 255, U256(1));
    EXPECT_EQ(U256::max() >> 256, U256());
    EXPECT_EQ(hex("123456789abcdef0123456789abcdef") << 68,
              hex("123456789abcdef0123456789abcdef00000000000000000"));
    EXPECT_EQ(checked_shift_left(U256(1), 255), U256(1) << 255);
    EXPECT_FALSE(checked_shift_left(U256(1), 256));
    EXPECT_FALSE(checked_shift_left(U256(3), 255));
    EXPECT_EQ(checked_shift_left(U256(), 1000), U256());
}

TEST(U256, division_inverts_multiplication) {
    std::uint64_t state = 1;
    for (int i = 0; i < 2000; ++i) {
        const U256 a = sample(state);
        const U256 b = sample(state);
        if (b.is_zero()) continue;
        const U256Division division = divide(a, b);
        EXPECT_LT(division.remainder, b);
        const auto product = checked_mul(division.quotient, b);
        ASSERT_TRUE(product);
        EXPECT_EQ(checked_add(*product, division.remainder), a);
    }
}

TEST(U256DeathTest, division_by_zero_is_our_own_bug) {
    EXPECT_DEATH(static_cast<void>(divide(U256(1), U256())), "CHECK failed");
}

TEST(U256, prints_decimal_and_double) {
    EXPECT_EQ(U256().to_decimal(), "0");
    EXPECT_EQ(U256::max().to_decimal(),
              "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    EXPECT_EQ(U256(1000).to_double(), 1000.0);
    EXPECT_EQ((U256(1) << 200).to_double(), 0x1p200);
    EXPECT_EQ(U256(7).to_u64(), 7U);
    EXPECT_FALSE(hex("10000000000000000").to_u64());
}

TEST(Work, is_the_mean_number_of_tickets) {
    EXPECT_EQ(work_of_target(U256::max()), U256(1));
    EXPECT_EQ(work_of_target(U256::max() >> 1), U256(2));
    EXPECT_EQ(work_of_target(U256(1)), U256(1) << 255);
    EXPECT_EQ(work_of_target(U256(2)),
              hex("5555555555555555555555555555555555555555555555555555555555555555"));
    EXPECT_EQ(work_of_target(U256()), U256::max());
    // Bitcoin's genesis block: chain work 0x100010001.
    EXPECT_EQ(work_of_target(*from_compact(0x1d00ffff)), hex("100010001"));
}

TEST(Compact, meets_bitcoins_vectors) {
    EXPECT_EQ(*from_compact(0x1d00ffff), hex("ffff" + std::string(52, '0')));
    EXPECT_EQ(*from_compact(0x1b0404cb), hex("404cb" + std::string(48, '0')));
    EXPECT_EQ(*from_compact(0x01120000), U256(0x12));
    EXPECT_EQ(*from_compact(0x05009234), U256(0x92340000));
    EXPECT_EQ(*from_compact(0x04123456), U256(0x12345600));
    EXPECT_EQ(*from_compact(0), U256());
    EXPECT_EQ(to_compact(U256(0x80)), 0x02008000U);
    EXPECT_EQ(to_compact(U256::max()), 0x2100ffffU);
}

TEST(Compact, refuses_negative_overflowing_and_second_forms) {
    EXPECT_EQ(from_compact(0x01fedcba).error(), CompactError::negative);
    EXPECT_EQ(from_compact(0x04923456).error(), CompactError::negative);
    EXPECT_EQ(from_compact(0xff123456).error(), CompactError::overflow);
    EXPECT_EQ(from_compact(0x22000100).error(), CompactError::overflow);
    EXPECT_EQ(from_compact(0x21010000).error(), CompactError::overflow);
    EXPECT_EQ(from_compact(0x01003456).error(), CompactError::non_canonical);
    EXPECT_EQ(from_compact(0x01000000).error(), CompactError::non_canonical);
    EXPECT_EQ(from_compact(0x1d0000ff).error(), CompactError::non_canonical);
    EXPECT_EQ(from_compact(0x01123456).error(), CompactError::non_canonical);
}

TEST(Compact, rounds_down_and_is_stable) {
    std::uint64_t state = 2;
    for (int i = 0; i < 2000; ++i) {
        const U256 value = sample(state);
        const auto rounded = from_compact(to_compact(value));
        ASSERT_TRUE(rounded) << value.to_hex();
        EXPECT_LE(*rounded, value);
        EXPECT_EQ(to_compact(*rounded), to_compact(value));
    }
}

}  // namespace
}  // namespace gradient::chain
