#include "tools/data/grid.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gradient::data {
namespace {

Table row_of(std::vector<double> values) {
    return {.rows = 1, .columns = values.size(), .values = std::move(values)};
}

TEST(Grid, rounds_to_the_nearest_mantissa_ties_to_even) {
    const double unit = 1.0 / 1024;
    EXPECT_EQ(to_grid(row_of({1, -1, 0.5 * unit, 1.5 * unit, -2.5 * unit, 0.51 * unit}), 1),
              (std::vector<std::int16_t>{1024, -1024, 0, 2, -2, 1}));
}

TEST(Grid, multiplies_with_the_scale) {
    EXPECT_EQ(to_grid(row_of({100, -7}), 0.01), (std::vector<std::int16_t>{1024, -72}));
}

TEST(Grid, refuses_entries_out_of_range_with_their_place) {
    const Table table{.rows = 2, .columns = 2, .values = {1, 1, 1, -2}};
    EXPECT_EQ(to_grid(table, 1).error(),
              "row 2, column 2 is -2; with scale 1 the largest magnitude is 1.99902");
    EXPECT_TRUE(to_grid(row_of({2047.0 / 1024, -2047.0 / 1024, 2047.49 / 1024}), 1));
    EXPECT_FALSE(to_grid(row_of({2047.5 / 1024}), 1));
    EXPECT_FALSE(to_grid(row_of({-2047.5 / 1024}), 1));
    EXPECT_FALSE(to_grid(row_of({1e308}), 1e300));
    EXPECT_FALSE(to_grid(row_of({std::numeric_limits<double>::quiet_NaN()}), 1));
}

TEST(Grid, the_fitting_scale_is_the_largest_power_of_two_that_fits) {
    for (const double largest :
         {1.0, -1.0, 1.999, 1.9995, 1.9999, 2.0, 3.0, 1000.0, 1e-9, 1e200, 1e-250}) {
        const Table table = row_of({largest, 0});
        const double scale = fitting_scale(table);
        EXPECT_EQ(std::exp2(std::round(std::log2(scale))), scale) << largest;
        EXPECT_TRUE(to_grid(table, scale)) << largest;
        EXPECT_FALSE(to_grid(table, 2 * scale)) << largest;
    }
    EXPECT_EQ(fitting_scale(row_of({0, 0})), 1);
    EXPECT_EQ(fitting_scale(row_of({std::numeric_limits<double>::denorm_min()})),
              std::ldexp(1.0, 1000));
}

}  // namespace
}  // namespace gradient::data
