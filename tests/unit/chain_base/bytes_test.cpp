#include "chain/base/bytes.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

namespace gradient::chain {
namespace {

TEST(Hex, writes_lower_case_and_reads_either) {
    const Bytes bytes = {0x00, 0x0f, 0xa5, 0xff};
    EXPECT_EQ(to_hex(bytes), "000fa5ff");
    EXPECT_EQ(from_hex("000fa5ff"), bytes);
    EXPECT_EQ(from_hex("000FA5Ff"), bytes);
    EXPECT_EQ(from_hex(""), Bytes());
}

TEST(Hex, refuses_odd_lengths_and_other_characters) {
    EXPECT_FALSE(from_hex("0"));
    EXPECT_FALSE(from_hex("000"));
    EXPECT_FALSE(from_hex("0g"));
    EXPECT_FALSE(from_hex(" 0"));
    EXPECT_FALSE(from_hex("0x"));
}

TEST(Hash256, round_trips_through_hex) {
    const std::string text = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
    const auto hash = Hash256::from_hex(text);
    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->to_hex(), text);
    EXPECT_EQ(hash->bytes[1], 0x11);
}

TEST(Hash256, refuses_hex_of_another_length) {
    EXPECT_FALSE(Hash256::from_hex(""));
    EXPECT_FALSE(Hash256::from_hex(std::string(62, '0')));
    EXPECT_FALSE(Hash256::from_hex(std::string(66, '0')));
}

TEST(Hash256, orders_by_the_first_byte_first) {
    Hash256 small;
    Hash256 large;
    small.bytes[31] = 0xff;
    large.bytes[0] = 0x01;
    EXPECT_LT(small, large);
    EXPECT_TRUE(Hash256().is_zero());
    EXPECT_FALSE(large.is_zero());
}

TEST(Hash256, spreads_over_buckets_whichever_byte_differs) {
    std::unordered_set<std::size_t> seen;
    for (std::size_t i = 0; i < 32; ++i) {
        for (int value = 1; value < 256; ++value) {
            Hash256 hash;
            hash.bytes[i] = static_cast<std::uint8_t>(value);
            seen.insert(std::hash<Hash256>()(hash));
        }
    }
    EXPECT_EQ(seen.size(), 32U * 255U);
}

}  // namespace
}  // namespace gradient::chain
