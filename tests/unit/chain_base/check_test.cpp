#include "chain/base/check.hpp"

#include "chain/base/result.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gradient::chain {
namespace {

TEST(CheckDeathTest, prints_the_condition_and_aborts) {
    EXPECT_DEATH(CHECK(1 + 1 == 3), "check_test.cpp:[0-9]+: CHECK failed: 1 \\+ 1 == 3");
}

TEST(Check, evaluates_its_condition_once) {
    int count = 0;
    CHECK(++count == 1);
    EXPECT_EQ(count, 1);
}

#ifdef NDEBUG
TEST(Check, dcheck_is_free_in_release_builds) {
    int count = 0;
    DCHECK(++count == 5);
    EXPECT_EQ(count, 0);
}
#endif

Result<int, std::string> half(int value) {
    if (value % 2 != 0) return fail(std::string("odd"));
    return value / 2;
}

Result<int, std::string> quarter(int value) {
    TRY_ASSIGN(const int halved, half(value));
    TRY_ASSIGN(const int quartered, half(halved));
    return quartered;
}

Result<void, std::string> require_even(int value) {
    TRY(half(value));
    return {};
}

TEST(Result, try_passes_values_on_and_returns_errors) {
    EXPECT_EQ(quarter(8), 2);
    EXPECT_EQ(quarter(6).error(), "odd");
    EXPECT_TRUE(require_even(2).has_value());
    EXPECT_EQ(require_even(3).error(), "odd");
}

}  // namespace
}  // namespace gradient::chain
