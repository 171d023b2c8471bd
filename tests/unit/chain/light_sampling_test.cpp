// How many blocks are sampled, and which.
#include "chain/light/work_sampling.hpp"
#include "tests/support/tiny_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace gradient::chain {
namespace {

// `blocks` of equal work, the last `tail` of them not sampled.
SampledRange equal_blocks(std::uint64_t blocks, std::uint64_t tail, const U256& work = U256(1000)) {
    const auto times = [&](std::uint64_t count) { return *checked_mul(work, count); };
    return {times(1), times(blocks - tail), times(blocks)};
}

TEST(WorkSampling, counts_are_those_of_the_specification) {
    EXPECT_EQ(sample_count(equal_blocks(10'000, 200)), 143U);
    EXPECT_EQ(sample_count(equal_blocks(100'000, 200)), 235U);
    EXPECT_EQ(sample_count(equal_blocks(1'000'000, 200)), 327U);
    EXPECT_EQ(sample_count(equal_blocks(1'000'000'000, 200)), 604U);
    // More than half in the tail: nothing that is half false passes it.
    EXPECT_EQ(sample_count(equal_blocks(390, 200)), kMinSamples);
    EXPECT_EQ(miss_chance(equal_blocks(390, 200), 0.5), 0.0);
    // Next to nothing in the tail.
    const U256 wide = U256(1) << 100;
    EXPECT_LE(*sample_count({U256(1), *checked_sub(wide, wide >> 36), wide}), kMaxSamples);
    EXPECT_EQ(sample_count({U256(1), *checked_sub(wide, wide >> 40), wide}), std::nullopt);
}

TEST(WorkSampling, all_samples_together_miss_with_less_than_the_stated_chance) {
    for (const std::uint64_t blocks : {500U, 5'000U, 50'000U, 5'000'000U}) {
        const auto range = equal_blocks(blocks, 200);
        const double miss = miss_chance(range, kRealPart);
        const auto count = static_cast<double>(*sample_count(range));
        EXPECT_LE(count * std::log2(miss), -kSecurityBits) << blocks;
    }
}

// Half of what is left of the chain, wherever it begins, is met by as many samples.
TEST(WorkSampling, density_is_even_in_the_logarithm_of_what_is_left) {
    constexpr std::size_t kCount = 40'000;
    for (const U256& work : {U256(1000), U256(1) << 200, U256(1) << 235}) {
        const auto range = equal_blocks(200 << 10, 200, work);
        const auto samples = draw_samples(range, test::hash_of(1), kCount);
        std::vector<std::size_t> met(10);
        for (const U256& sample : samples) {
            ASSERT_GE(sample, range.first);
            ASSERT_LT(sample, range.end);
            const double left =
                checked_sub(range.total, sample)->to_double() / range.total.to_double();
            ++met[std::min<std::size_t>(9, static_cast<std::size_t>(-std::log2(left)))];
        }
        // Five standard deviations of a binomial count.
        for (const std::size_t count : met)
            EXPECT_NEAR(static_cast<double>(count), kCount / 10.0, 300);
    }
}

TEST(WorkSampling, seeds_draw_different_samples_and_the_same_seed_the_same) {
    const auto range = equal_blocks(100'000, 200);
    const auto first = draw_samples(range, test::hash_of(1), 50);
    EXPECT_EQ(draw_samples(range, test::hash_of(1), 50), first);
    EXPECT_NE(draw_samples(range, test::hash_of(2), 50), first);
}

TEST(WorkSampling, extremes_stay_in_the_range) {
    for (const SampledRange& range :
         {SampledRange{U256(1), U256(2), U256(3)}, SampledRange{U256(0), U256(1), U256::max()},
          SampledRange{U256(1), *checked_sub(U256::max(), U256(1)), U256::max()}}) {
        for (const U256& sample : draw_samples(range, test::hash_of(4), 500)) {
            EXPECT_GE(sample, range.first);
            EXPECT_LT(sample, range.end);
        }
    }
}

}  // namespace
}  // namespace gradient::chain
