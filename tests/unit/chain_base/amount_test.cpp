#include "chain/base/amount.hpp"

#include <gtest/gtest.h>

namespace gradient::chain {
namespace {

constexpr Amount kOne = Amount::of_units(1);

TEST(Amount, has_a_greatest_value) {
    EXPECT_EQ(Amount::from_units(kMaxAmountUnits), kMaxAmount);
    EXPECT_FALSE(Amount::from_units(kMaxAmountUnits + 1));
    EXPECT_FALSE(Amount::from_units(UINT64_MAX));
    EXPECT_EQ(Amount::of_coins(3).units(), 3 * kCoin);
}

TEST(Amount, sums_out_of_range_are_refused) {
    EXPECT_EQ(checked_add(kOne, kOne), Amount::of_units(2));
    EXPECT_EQ(checked_add(kMaxAmount, Amount()), kMaxAmount);
    EXPECT_FALSE(checked_add(kMaxAmount, kOne));
    EXPECT_FALSE(checked_add(kMaxAmount, kMaxAmount));
}

TEST(Amount, differences_below_zero_are_refused) {
    EXPECT_EQ(checked_sub(kOne, kOne), Amount());
    EXPECT_FALSE(checked_sub(Amount(), kOne));
    EXPECT_EQ(checked_sub(kMaxAmount, Amount()), kMaxAmount);
}

TEST(Amount, products_out_of_range_are_refused) {
    EXPECT_EQ(checked_mul(kOne, kMaxAmountUnits), kMaxAmount);
    EXPECT_FALSE(checked_mul(kOne, kMaxAmountUnits + 1));
    EXPECT_FALSE(checked_mul(kMaxAmount, UINT64_MAX));
    EXPECT_EQ(checked_mul(kMaxAmount, 0), Amount());
}

TEST(Amount, fractions_round_down_without_losing_the_product) {
    EXPECT_EQ(checked_mul_div(Amount::of_units(7), 3, 4), Amount::of_units(5));
    EXPECT_EQ(checked_mul_div(kMaxAmount, UINT64_MAX, UINT64_MAX), kMaxAmount);
    EXPECT_FALSE(checked_mul_div(kMaxAmount, 2, 1));
    EXPECT_EQ(checked_mul_div(kMaxAmount, 0, 1), Amount());
}

TEST(Amount, prints_coins_without_needless_zeros) {
    EXPECT_EQ(Amount().to_string(), "0");
    EXPECT_EQ(Amount::of_coins(12).to_string(), "12");
    EXPECT_EQ(Amount::of_units(1'250'000'000).to_string(), "12.5");
    EXPECT_EQ(kOne.to_string(), "0.00000001");
    EXPECT_EQ(kMaxAmount.to_string(), "10000000000");
}

TEST(Amount, reads_what_it_prints) {
    for (const std::uint64_t units :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{10}, kCoin - 1, kCoin, kCoin + 1,
          kMaxAmountUnits - 1, kMaxAmountUnits}) {
        const auto amount = Amount::from_units(units);
        EXPECT_EQ(Amount::parse(amount->to_string()), amount) << units;
    }
    EXPECT_EQ(Amount::parse("1.10"), Amount::of_units(110'000'000));
}

TEST(Amount, refuses_texts_that_are_no_amount) {
    for (const char* text : {"", ".", ".5", "1.", "-1", "+1", " 1", "1 ", "1e3", "1,5",
                             "0.000000001", "1.2.3", "0x1", "10000000000.00000001", "10000000001",
                             "99999999999999999999999999", "18446744073709551616"}) {
        EXPECT_FALSE(Amount::parse(text)) << text;
    }
}

TEST(Amount, decodes_only_in_range) {
    EXPECT_EQ(encode(kOne), (Bytes{1, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(decode_exact<Amount>(encode(kMaxAmount)), kMaxAmount);
    EXPECT_EQ(decode_exact<Amount>(encode(kMaxAmountUnits + 1)).error(), CodecError::bad_value);
    EXPECT_EQ(decode_exact<Amount>(Bytes(7)).error(), CodecError::truncated);
}

}  // namespace
}  // namespace gradient::chain
