// Export and import of a state against the number of its accounts: time, and bytes of the file.
#include "chain/base/check.hpp"
#include "chain/consensus/difficulty.hpp"
#include "chain/crypto/address.hpp"
#include "chain/ledger.hpp"
#include "chain/snapshot.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/state_tree.hpp"
#include "chain/storage/leveldb_store.hpp"
#include "chain/storage/stored_state.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_network.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>

namespace gradient::chain {
namespace {

// A chain of nothing but its genesis block, into whose state accounts have been written. The root
// of its index is theirs, and nobody but this benchmark would take it for a chain.
class AccountStore {
  public:
    explicit AccountStore(std::uint64_t accounts) {
        store_ = *LevelDbStore::open(folder_.path() / "chain", OpenMode::create_if_missing);
        ChainSpec spec = test::tiny_spec();
        network_ = *make_network(spec);
        fill(accounts);
    }

    [[nodiscard]] const KeyValueStore& store() const { return *store_; }
    [[nodiscard]] const Network& network() const { return *network_; }
    [[nodiscard]] const Hash256& root() const { return root_; }
    [[nodiscard]] std::string file() const { return folder_.path() / "state.snap"; }
    [[nodiscard]] std::string fresh() { return folder_.path() / std::to_string(++imports_); }

  private:
    void fill(std::uint64_t accounts) {
        // As a network whose genesis has them: an import judges the state by this root.
        auto changed = std::make_shared<Network>();
        StateDiff state = network_->genesis.state;
        for (std::uint64_t i = 0; i < accounts; ++i) {
            Address address;
            for (std::size_t b = 0; b < 8; ++b) {
                address.hash.bytes[b] =
                    static_cast<std::uint8_t>((i * 0x9e3779b97f4a7c15) >> 8 * b);
            }
            const Account account{*Amount::from_units(i + 1), i};
            state.writes.push_back(
                {account_key(address), std::make_shared<const Bytes>(encode(account))});
        }
        std::sort(state.writes.begin(), state.writes.end(),
                  [](const StateWrite& a, const StateWrite& b) { return a.key < b.key; });
        const EmptyTree nothing;
        StateTree tree(nothing);
        CHECK(tree.apply(state));
        root_ = *tree.root();
        changed->spec = network_->spec;
        changed->task = network_->task;
        changed->genesis = network_->genesis;
        changed->genesis.state_root = root_;

        BlockIndex index;
        index.header = changed->genesis.header;
        index.state_root = root_;
        index.child_unit_work = changed->task->unit_work;
        index.cumulative_work = block_work(index.header.tmpl.bits);
        CHECK(index.history.append(
            {changed->genesis.id, 0, index.header.tmpl.time_ms, U256(), index.cumulative_work}));
        WriteBatch batch;
        BlockWriter writer(batch);
        writer.put_info({kSchemaVersion, changed->genesis.id});
        writer.put_tip(changed->genesis.id);
        writer.put_active(0, changed->genesis.id);
        writer.put_index(changed->genesis.id, index);
        put_state_diff(batch, state);
        CHECK(store_->write(batch, Durability::synced));
        network_ = std::move(changed);
    }

    TemporaryDirectory folder_;
    std::shared_ptr<const Network> network_;
    std::unique_ptr<LevelDbStore> store_;
    Hash256 root_;
    int imports_ = 0;
};

void count(benchmark::State& state, std::uint64_t bytes) {
    state.counters["bytes"] = static_cast<double>(bytes);
    state.counters["bytes_per_account"] =
        static_cast<double>(bytes) / static_cast<double>(state.range(0));
    state.counters["accounts/s"] = benchmark::Counter(
        static_cast<double>(state.range(0)), benchmark::Counter::kIsIterationInvariantRate);
}

void bm_export(benchmark::State& state) {
    AccountStore accounts(static_cast<std::uint64_t>(state.range(0)));
    std::uint64_t bytes = 0;
    for (auto _ : state) {
        std::ofstream out(accounts.file(), std::ios::binary | std::ios::trunc);
        const auto made = export_snapshot(accounts.store(), 0, out);
        CHECK(made);
        bytes = made->size_bytes;
    }
    count(state, bytes);
}
BENCHMARK(bm_export)->RangeMultiplier(10)->Range(1'000, 1'000'000)->Unit(benchmark::kMillisecond);

void bm_import(benchmark::State& state) {
    AccountStore accounts(static_cast<std::uint64_t>(state.range(0)));
    std::uint64_t bytes = 0;
    {
        std::ofstream out(accounts.file(), std::ios::binary | std::ios::trunc);
        bytes = export_snapshot(accounts.store(), 0, out)->size_bytes;
    }
    for (auto _ : state) {
        const auto store = *LevelDbStore::open(accounts.fresh(), OpenMode::create_if_missing);
        std::ifstream in(accounts.file(), std::ios::binary);
        CHECK(import_snapshot(accounts.network(), *store, in, accounts.root()));
    }
    count(state, bytes);
}
BENCHMARK(bm_import)->RangeMultiplier(10)->Range(1'000, 1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gradient::chain
