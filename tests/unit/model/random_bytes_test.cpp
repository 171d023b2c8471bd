#include "model/numerics/random_bytes.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace gradient::model {
namespace {

std::vector<AesUnit> units_here() {
    std::vector<AesUnit> units{AesUnit::portable};
    if (best_aes_unit() >= AesUnit::aes_ni) units.push_back(AesUnit::aes_ni);
    if (best_aes_unit() >= AesUnit::vaes512) units.push_back(AesUnit::vaes512);
    return units;
}

AesBlock counting_block(std::uint8_t factor) {
    AesBlock block;
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::uint8_t>(i * factor);
    return block;
}

// FIPS 197, appendix C.1.
TEST(Aes128, meets_the_example_of_fips_197) {
    const AesBlock expected{0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                            0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    EXPECT_EQ(aes128_encrypt(counting_block(1), counting_block(0x11)), expected);
}

// SP 800-38A, F.1.1, first block.
TEST(Aes128, meets_the_example_of_sp_800_38a) {
    const AesBlock key{0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                       0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    const AesBlock plain{0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                         0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};
    const AesBlock cipher{0x3a, 0xd7, 0x7b, 0xb4, 0x0d, 0x7a, 0x36, 0x60,
                          0xa8, 0x9e, 0xca, 0xf3, 0x24, 0x66, 0xef, 0x97};
    EXPECT_EQ(aes128_encrypt(key, plain), cipher);
}

// FIPS 197, appendix B: the state before and after round 1.
TEST(Aes128, one_round_meets_the_trace_of_fips_197) {
    const AesBlock start{0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b,
                         0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08};
    const AesBlock key{0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1,
                       0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05};
    const AesBlock after{0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b,
                         0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49};
    EXPECT_EQ(aes_round(start, key), after);
}

TEST(RandomBytes, every_implementation_gives_the_bytes_of_the_block_cipher) {
    std::array<std::uint8_t, 32> seed;
    std::iota(seed.begin(), seed.end(), std::uint8_t{7});
    for (const std::size_t size : {16U, 48U, 64U, 512U, 528U, 4096U, 8192U + 64U})
        for (const AesUnit unit : units_here()) {
            std::vector<std::uint8_t> bytes(size);
            RandomBytes(seed, unit).fill(Stream::round_h, 5, 3200, bytes);
            for (std::size_t i = 0; i < size; i += 16) {
                AesBlock key;
                std::copy_n(seed.begin(), 16, key.begin());
                AesBlock block{};
                const std::size_t number = (3200 + i) / 16;
                block[0] = static_cast<std::uint8_t>(number);
                block[1] = static_cast<std::uint8_t>(number >> 8);
                block[8] = 5;
                block[12] = 8;
                for (std::size_t j = 0; j < 16; ++j)
                    block[j] = static_cast<std::uint8_t>(block[j] ^ seed[16 + j]);
                const AesBlock expected = aes128_encrypt(key, block);
                ASSERT_TRUE(std::equal(expected.begin(), expected.end(),
                                       bytes.begin() + static_cast<std::ptrdiff_t>(i)))
                    << "unit " << static_cast<int>(unit) << " size " << size << " byte " << i;
            }
        }
}

TEST(RandomBytes, streams_steps_and_seeds_are_apart) {
    std::array<std::uint8_t, 32> seed{};
    const auto draw = [&](Stream stream, std::uint32_t step) {
        std::vector<std::uint8_t> bytes(64);
        RandomBytes(seed, best_aes_unit()).fill(stream, step, 0, bytes);
        return bytes;
    };
    const auto first = draw(Stream::round_u, 0);
    EXPECT_EQ(first, draw(Stream::round_u, 0));
    EXPECT_NE(first, draw(Stream::round_f, 0));
    EXPECT_NE(first, draw(Stream::round_u, 1));
    seed[31] = 1;
    EXPECT_NE(first, draw(Stream::round_u, 0));
    seed[31] = 0;
    seed[0] = 1;
    EXPECT_NE(first, draw(Stream::round_u, 0));
}

TEST(GradientFold, every_implementation_agrees_and_sees_every_bit) {
    std::vector<std::int32_t> values(1024);
    std::iota(values.begin(), values.end(), -512);
    const auto fold = [&](AesUnit unit) {
        GradientFold folded(unit);
        folded.absorb(std::span(values).first(256));
        folded.absorb(std::span(values).subspan(256));
        return folded.state();
    };
    const auto expected = fold(AesUnit::portable);
    for (const AesUnit unit : units_here()) EXPECT_EQ(fold(unit), expected);
    for (const std::size_t i : {0U, 63U, 500U, 1023U}) {
        values[i] ^= 1;
        EXPECT_NE(fold(AesUnit::portable), expected) << "entry " << i;
        values[i] ^= 1;
    }
}

}  // namespace
}  // namespace gradient::model
