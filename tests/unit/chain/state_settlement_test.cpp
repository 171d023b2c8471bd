#include "chain/state/settlement.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace gradient::chain {
namespace {

using Parameters = std::vector<std::int32_t>;

__extension__ using i128 = __int128;

TEST(Settlement, weight_counts_hits_and_units_up_to_the_full_length) {
    EXPECT_EQ(segment_weight(3, 10, 128), 30U);
    EXPECT_EQ(segment_weight(3, 128, 128), 384U);
    EXPECT_EQ(segment_weight(3, 4096, 128), 384U);
    EXPECT_EQ(segment_weight(0, 4096, 128), 0U);
}

TEST(Settlement, one_segment_enters_in_full) {
    const Parameters theta{0, 5, -5, 100, kParameterLimit, -kParameterLimit};
    const Parameters final{1, -5, -6, 103, -kParameterLimit, kParameterLimit};
    for (const std::uint64_t weight : {1U, 3U, 384U}) {
        const SettledSegment segment{weight, final};
        EXPECT_EQ(settle(theta, {&segment, 1}, 0), final);
    }
}

TEST(Settlement, no_segments_change_nothing) {
    const Parameters theta{1, -2, 3};
    EXPECT_EQ(settle(theta, {}, 0), theta);
}

TEST(Settlement, division_rounds_toward_minus_infinity) {
    const Parameters theta{0, 0, 0, 0, 10};
    const Parameters one{1, -1, 3, -3, 11};
    const Parameters none = theta;
    const std::vector<SettledSegment> segments{{1, one}, {1, none}};
    EXPECT_EQ(settle(theta, segments, 0), (Parameters{0, -1, 1, -2, 10}));
}

TEST(Settlement, thin_list_carries_only_part_of_a_step) {
    const Parameters theta{0, 0};
    const Parameters final{100, -100};
    const SettledSegment segment{10, final};
    EXPECT_EQ(settle(theta, {&segment, 1}, 40), (Parameters{25, -25}));
    EXPECT_EQ(settle(theta, {&segment, 1}, 10), final);
}

TEST(Settlement, result_saturates_at_the_parameters_range) {
    const Parameters theta{kParameterLimit - 1, -kParameterLimit + 1};
    const Parameters final{INT32_MAX, INT32_MIN};
    const SettledSegment segment{1, final};
    EXPECT_EQ(settle(theta, {&segment, 1}, 0), (Parameters{kParameterLimit, -kParameterLimit}));
}

TEST(Settlement, matches_wide_arithmetic_on_extremes) {
    std::mt19937_64 random(5);
    const auto parameter = [&]() -> std::int32_t {
        switch (random() % 4) {
            case 0:
                return INT32_MAX;
            case 1:
                return INT32_MIN;
            case 2:
                return static_cast<std::int32_t>(random() % 7) - 3;
            default:
                return static_cast<std::int32_t>(static_cast<std::uint32_t>(random()));
        }
    };
    for (int run = 0; run < 300; ++run) {
        const std::size_t size = 8;
        Parameters theta(size);
        for (auto& entry : theta) entry = parameter();
        std::vector<Parameters> finals(1 + random() % 128, Parameters(size));
        std::vector<SettledSegment> segments;
        std::uint64_t total = 0;
        for (Parameters& final : finals) {
            for (auto& entry : final) entry = parameter();
            const std::uint64_t weight = random() % 3 == 0 ? 1U << 22U : random() % 1000;
            segments.push_back({weight, final});
            total += weight;
        }
        const std::uint64_t least = random() % 2 == 0 ? 0 : random() % 100'000;
        const auto divisor = static_cast<i128>(std::max<std::uint64_t>({total, least, 1}));
        const Parameters settled = settle(theta, segments, least);
        for (std::size_t i = 0; i < size; ++i) {
            i128 sum = 0;
            for (std::size_t j = 0; j < finals.size(); ++j) {
                sum += static_cast<i128>(segments[j].weight) *
                       (static_cast<i128>(finals[j][i]) - theta[i]);
            }
            i128 step = sum / divisor;
            if (sum % divisor < 0) --step;
            const i128 limit = kParameterLimit;
            const i128 expected = std::max(-limit, std::min(limit, theta[i] + step));
            ASSERT_EQ(settled[i], static_cast<std::int32_t>(expected));
        }
    }
}

TEST(Settlement, displacement_is_the_norm_in_units_of_64) {
    EXPECT_EQ(displacement(Parameters{0, 0}, Parameters{0, 0}), 0U);
    EXPECT_EQ(displacement(Parameters{0, 0}, Parameters{192, 256}), 5U);
    EXPECT_EQ(displacement(Parameters{192, 256}, Parameters{0, 0}), 5U);
    EXPECT_EQ(displacement(Parameters{0}, Parameters{63}), 0U);
    EXPECT_EQ(displacement(Parameters{0}, Parameters{-63}), 0U);
    EXPECT_EQ(displacement(Parameters{0}, Parameters{-64}), 1U);
    EXPECT_EQ(displacement(Parameters{0, 0, 0}, Parameters{64, 64, 64}), 1U);  // floor(sqrt 3)
    EXPECT_EQ(displacement(Parameters(131'072, INT32_MIN), Parameters(131'072, INT32_MAX)),
              0xffffffffU);
}

}  // namespace
}  // namespace gradient::chain
