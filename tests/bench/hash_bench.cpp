// The hashes and signatures of the ledger's hot paths: a unit's digests, a state's root, a block's
// check.

#include "chain/base/codec.hpp"
#include "chain/base/hash.hpp"
#include "chain/base/merkle.hpp"
#include "chain/base/mmr.hpp"
#include "chain/crypto/key.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace gradient::chain {
namespace {

void bm_sha256(benchmark::State& state) {
    const Bytes bytes(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state) benchmark::DoNotOptimize(sha256(bytes));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bm_sha256)->Arg(64)->Arg(1024)->Arg(128 * 1024);  // 128 KiB: the parameters of one model

void bm_tagged_hash_of_two(benchmark::State& state) {
    const TaggedHasher hasher("gradient/bench");
    Hash256 hash;
    for (auto _ : state) hash = hasher(hash, hash);
    benchmark::DoNotOptimize(hash);
}
BENCHMARK(bm_tagged_hash_of_two);

void bm_merkle_root(benchmark::State& state) {
    const std::vector<Hash256> leaves(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(merkle_root(leaves));
}
BENCHMARK(bm_merkle_root)->Arg(1024);

void bm_mmr_append_and_root(benchmark::State& state) {
    MmrPeaks peaks;
    std::uint64_t height = 0;
    for (auto _ : state) {
        const MmrLeaf leaf{.id = {},
                           .height = height,
                           .time_ms = height,
                           .work_before = U256(height),
                           .work_after = U256(height + 1)};
        ++height;
        benchmark::DoNotOptimize(peaks.append(leaf));
        benchmark::DoNotOptimize(peaks.root());
    }
}
BENCHMARK(bm_mmr_append_and_root);

void bm_sign(benchmark::State& state) {
    const SecretKey key = SecretKey::generate().value();
    for (auto _ : state) benchmark::DoNotOptimize(key.sign(Hash256()));
}
BENCHMARK(bm_sign);

void bm_verify_signature(benchmark::State& state) {
    const SecretKey key = SecretKey::generate().value();
    const Signature signature = key.sign(Hash256());
    for (auto _ : state) {
        benchmark::DoNotOptimize(verify_signature(key.public_key(), Hash256(), signature));
    }
}
BENCHMARK(bm_verify_signature);

}  // namespace
}  // namespace gradient::chain
