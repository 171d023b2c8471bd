// A round's settlement, on the path of every block: 33,000 parameters are the default text model.

#include "chain/state/settlement.hpp"
#include "chain/types/limits.hpp"
#include "tests/support/settlement_case.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

namespace gradient::chain {
namespace {

void settle(benchmark::State& state, std::size_t parameters, std::size_t segments,
            std::uint64_t initial_displacement) {
    std::mt19937_64 random(1);
    test::OwnedRound round;
    for (std::size_t j = 0; j < segments; ++j) {
        round.deltas.push_back(test::drawn_delta(random, parameters, 1 << 22));
    }
    for (const auto& delta : round.deltas) round.segments.push_back({3, 300, 0, delta});
    const auto theta = test::drawn_delta(random, parameters, kParameterLimit);
    const auto momentum = test::drawn_delta(random, parameters, 1 << 22);
    SettlementHistory history;  // 512 records, one hit each
    history.segments.assign(kHistoryHits, {1, initial_displacement});
    history.round_weights.assign(kHistoryRounds, 1000);
    const SettlementRules rules{128, initial_displacement};
    for (auto _ : state) {
        benchmark::DoNotOptimize(settle_round(theta, momentum, history, round.segments, rules));
    }
}

void bm_settle_20_segments(benchmark::State& state) {
    settle(state, 33'000, 20, kMaxDisplacement);
}
BENCHMARK(bm_settle_20_segments)->Unit(benchmark::kMillisecond);

void bm_settle_20_clipped_segments(benchmark::State& state) {
    settle(state, 33'000, 20, 1000);
}
BENCHMARK(bm_settle_20_clipped_segments)->Unit(benchmark::kMillisecond);

void bm_settle_largest_model_128_segments(benchmark::State& state) {
    settle(state, kMaxParameters, 128, 1000);
}
BENCHMARK(bm_settle_largest_model_128_segments)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gradient::chain
