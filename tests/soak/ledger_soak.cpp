// Plays tests/support/ledger_game.hpp for as many operations as one likes:
//
//   ledger_soak --operations 1000000 --seed 1

#include "tests/support/ledger_game.hpp"
#include "tests/support/signed_transactions.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Signatures made, and checked, a second.
void measure_signatures() {
    using namespace gradient;
    constexpr int kCount = 4000;
    const chain::SecretKey key = test::numbered_key(1);
    chain::Hash256 message;
    chain::Signature signature;
    auto start = Clock::now();
    for (int i = 0; i < kCount; ++i) {
        message.bytes[0] = static_cast<std::uint8_t>(i);
        signature = key.sign(message);
    }
    const double signing = kCount / seconds_since(start);
    start = Clock::now();
    int good = 0;
    for (int i = 0; i < kCount; ++i) {
        good += chain::verify_signature(key.public_key(), message, signature) ? 1 : 0;
    }
    const double checking = kCount / seconds_since(start);
    std::printf("signatures: %.0f made and %.0f checked a second (%d of %d valid)\n", signing,
                checking, good, kCount);
}

void show_progress(std::uint64_t done, std::uint64_t all, double seconds) {
    constexpr int kWidth = 40;
    const int filled = static_cast<int>(done * kWidth / all);
    std::fprintf(stderr, "\r[%s%s] %llu of %llu, %.0f a second ",
                 std::string(static_cast<std::size_t>(filled), '#').c_str(),
                 std::string(static_cast<std::size_t>(kWidth - filled), ' ').c_str(),
                 static_cast<unsigned long long>(done), static_cast<unsigned long long>(all),
                 static_cast<double>(done) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t operations = 1'000'000;
    std::uint64_t seed = 1;
    CLI::App app("Plays a ledger of random transactions against a plain second ledger.");
    app.add_option("--operations", operations, "how many")->check(CLI::PositiveNumber);
    app.add_option("--seed", seed, "of the game");
    CLI11_PARSE(app, argc, argv);

    measure_signatures();
    gradient::test::LedgerGame game(seed);
    const auto start = Clock::now();
    for (std::uint64_t i = 0; i < operations; ++i) {
        if (const auto wrong = game.step()) {
            std::fprintf(stderr, "\noperation %llu of seed %llu: %s\n",
                         static_cast<unsigned long long>(i), static_cast<unsigned long long>(seed),
                         wrong->c_str());
            return 1;
        }
        if (i % 2000 == 1999) show_progress(i + 1, operations, seconds_since(start));
    }
    const double seconds = seconds_since(start);
    std::fprintf(stderr, "\n");
    // Other programs take time too, but none of this one's processor time.
    const double busy = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    std::printf("%llu operations in %.1f s, %.1f s of them at work (%.0f a second of work)\n",
                static_cast<unsigned long long>(operations), seconds, busy,
                static_cast<double>(operations) / busy);
    std::printf("both ledgers agree and no coin is lost\n");
    for (const auto& [outcome, count] : game.outcomes()) {
        std::printf("  %10llu  %s\n", static_cast<unsigned long long>(count), outcome.c_str());
    }
    return 0;
}
