#include "tests/support/ledger_game.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace gradient::test {
namespace {

// tests/soak/ledger_soak plays the same game as long as one likes.
constexpr std::uint64_t kOperations = 15'000;

class RandomLedger : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomLedger, agrees_with_a_plain_ledger_and_keeps_every_coin) {
    LedgerGame game(GetParam());
    for (std::uint64_t i = 0; i < kOperations; ++i) {
        const auto wrong = game.step();
        ASSERT_FALSE(wrong) << "operation " << i << ": " << *wrong;
    }
    // Every rule of the game has had its say.
    for (const auto& [outcome, count] : game.outcomes())
        RecordProperty(outcome, std::to_string(count));
    EXPECT_GE(game.outcomes().size(), 5 + 1 + 17);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLedger, testing::Values(1, 2));

}  // namespace
}  // namespace gradient::test
