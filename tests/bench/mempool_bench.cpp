// What admission to the pool and filling a block cost, and how that grows with the pool. Each
// figure comes beside the rate of Ed25519 verification on the same machine in the same run:
// "per_verify" is the time of one operation over the time of one verification.
//
//   add          one transfer of a new sender into a pool of N, signature checked before
//   check_add    the same with its signature check
//   add_full     one transfer that evicts another from a pool that is full
//   select       a block's transactions out of a pool of N (kTransactions transfers)
//   tip_changed  a block of kBlock transfers leaves a pool of N

#include "chain/base/check.hpp"
#include "chain/pool/mempool.hpp"
#include "tests/support/pool_fixture.hpp"

#include <benchmark/benchmark.h>

#include <ctime>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::chain {
namespace {

using test::PoolWorld;

constexpr std::uint32_t kMost = 8 * kMaxTransactions;  // the pool's own limit
constexpr std::uint32_t kExtra = 4096;
constexpr std::uint64_t kPerSender = 8;
constexpr std::size_t kBlock = 4096;

// Of the processor, so that a busy machine does not matter.
double seconds_since(std::clock_t start) {
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// Transfers of many senders, eight of each, in rounds, with fees that scatter; signed once.
class Stock {
  public:
    Stock() {
        const std::uint32_t senders = (kMost + kExtra) / kPerSender;
        for (std::uint32_t i = 0; i < senders; ++i) world.set_account(i, 100'000'000);
        for (std::uint64_t nonce = 0; nonce < kPerSender; ++nonce) {
            for (std::uint32_t i = 0; i < senders; ++i) {
                const std::uint64_t fee = 2000 + (i * 7919ULL + nonce * 104'729ULL) % 5000;
                transfers.push_back(world.pay(i, nonce, fee));
            }
        }
        const auto start = std::clock();
        for (std::size_t i = 0; i < 2000; ++i) {
            const SignedTransaction& one = transfers[i].transaction();
            CHECK(verify_signature(one.sender, transaction_message(world.genesis, one),
                                   one.signature));
        }
        verify_s = seconds_since(start) / 2000;
    }

    // A pool of the first `size` transfers.
    [[nodiscard]] std::unique_ptr<Mempool> fill(std::size_t size, const MempoolLimits& limits) {
        auto pool = std::make_unique<Mempool>(limits);
        for (std::size_t i = 0; i < size; ++i) {
            CHECK(pool->add(transfers[i], world.state, world.context(), 0));
        }
        return pool;
    }

    PoolWorld world;
    std::vector<CheckedTransaction> transfers;
    double verify_s = 0;
};

Stock& stock() {
    static Stock the_stock;
    return the_stock;
}

void report(benchmark::State& state, double total_s, std::size_t operations) {
    const double each = total_s / static_cast<double>(operations);
    state.counters["per_s"] = 1 / each;
    state.counters["us"] = each * 1e6;
    state.counters["verify_us"] = stock().verify_s * 1e6;
    state.counters["per_verify"] = each / stock().verify_s;
}

void bm_add(benchmark::State& state, bool checks_signature) {
    Stock& all = stock();
    const auto size = static_cast<std::size_t>(state.range(0));
    MempoolLimits limits;
    limits.transactions = kMost + kExtra;
    double total_s = 0;
    std::size_t operations = 0;
    for (auto _ : state) {
        auto pool = all.fill(size, limits);
        const std::size_t count = checks_signature ? kExtra / 4 : kExtra;
        const auto start = std::clock();
        for (std::size_t i = size; i < size + count; ++i) {
            if (checks_signature) {
                const auto checked =
                    check_transaction(all.transfers[i].shared(), all.world.context());
                CHECK(pool->add(*checked, all.world.state, all.world.context(), 0));
            } else {
                CHECK(pool->add(all.transfers[i], all.world.state, all.world.context(), 0));
            }
        }
        const double elapsed = seconds_since(start);
        state.SetIterationTime(elapsed);
        total_s += elapsed;
        operations += count;
    }
    report(state, total_s, operations);
}

void bm_add_full(benchmark::State& state) {
    Stock& all = stock();
    const auto size = static_cast<std::size_t>(state.range(0));
    MempoolLimits limits;
    limits.transactions = size;
    double total_s = 0;
    std::size_t operations = 0;
    for (auto _ : state) {
        auto pool = all.fill(size, limits);
        // Replacements of nothing: other senders with ever higher fees.
        std::vector<CheckedTransaction> rich;
        for (std::uint32_t i = 0; i < 512; ++i) {
            all.world.set_account(2'000'000 + i, 100'000'000);
            rich.push_back(all.world.pay(2'000'000 + i, 0, 20'000 + 200 * i));
        }
        const auto start = std::clock();
        for (const auto& one : rich) {
            const auto added = pool->add(one, all.world.state, all.world.context(), 0);
            CHECK(added && !added->removed.empty());
        }
        const double elapsed = seconds_since(start);
        state.SetIterationTime(elapsed);
        total_s += elapsed;
        operations += rich.size();
    }
    report(state, total_s, operations);
}

void bm_select(benchmark::State& state) {
    Stock& all = stock();
    auto pool = all.fill(static_cast<std::size_t>(state.range(0)), {});
    const auto transactions = static_cast<std::size_t>(state.range(1));
    double total_s = 0;
    std::size_t taken = 0;
    for (auto _ : state) {
        const auto start = std::clock();
        const auto selection =
            pool->select(all.world.state, all.world.context(),
                         {.bytes = kMaxBlockBytes / 2, .transactions = transactions});
        const double elapsed = seconds_since(start);
        CHECK(selection);
        taken = selection->transactions.size();
        state.SetIterationTime(elapsed);
        total_s += elapsed;
    }
    report(state, total_s, static_cast<std::size_t>(state.iterations()));
    state.counters["taken"] = static_cast<double>(taken);
    state.counters["us_each"] =
        total_s / (static_cast<double>(state.iterations()) * static_cast<double>(taken)) * 1e6;
}

void bm_tip_changed(benchmark::State& state) {
    Stock& all = stock();
    const auto size = static_cast<std::size_t>(state.range(0));
    const std::size_t count = std::min(size, kBlock);
    RedoneBlock block;
    std::vector<CheckedTransaction> included(all.transfers.begin(),
                                             all.transfers.begin() + static_cast<long>(count));
    for (const auto& one : included) {
        block.transactions.push_back({one.id(), one.sender(), one.transaction().nonce});
    }
    double total_s = 0;
    for (auto _ : state) {
        auto pool = all.fill(size, {});
        const StateDiff back = all.world.apply(included);
        const auto start = std::clock();
        const auto removed =
            pool->tip_changed({}, std::span(&block, 1), all.world.state, all.world.context(), 0);
        const double elapsed = seconds_since(start);
        CHECK(removed && removed->size() == count);
        all.world.state.apply(back);
        state.SetIterationTime(elapsed);
        total_s += elapsed;
    }
    report(state, total_s, static_cast<std::size_t>(state.iterations()) * count);
}

void sizes(benchmark::internal::Benchmark* bench) {
    for (const std::int64_t size : {1000, 10'000, 100'000, static_cast<int>(kMost)}) {
        bench->Arg(size);
    }
    bench->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(0.05);
}

BENCHMARK_CAPTURE(bm_add, add, false)->Apply(sizes);
BENCHMARK_CAPTURE(bm_add, check_add, true)->Apply(sizes);
BENCHMARK(bm_add_full)->Apply(sizes);
BENCHMARK(bm_tip_changed)->Apply(sizes);
BENCHMARK(bm_select)
    ->ArgsProduct({{1000, 10'000, 100'000, kMost}, {kMaxTransactions, 1000}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->MinTime(0.2);

}  // namespace
}  // namespace gradient::chain
