// Random fork trees: whatever order blocks come in, the ledger stands where the rule puts it, and
// everything that depends on the active chain is what replaying that chain alone gives.
#include "chain/ledger.hpp"
#include "chain/storage/memory_store.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/test_network.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace gradient::chain {
namespace {

constexpr int kPoolBlocks = 40;
constexpr int kTrees = 120;

struct OpenLedger {
    MemoryStore* store = nullptr;
    std::unique_ptr<Ledger> ledger;
};

OpenLedger open(const std::shared_ptr<const Network>& network) {
    auto store = std::make_unique<MemoryStore>();
    OpenLedger opened{store.get(), nullptr};
    opened.ledger = *Ledger::open(network, std::move(store));
    return opened;
}

class ForkTrees : public testing::Test {
  protected:
    // A large tree of really mined blocks, from which the random ones are cut.
    void SetUp() override {
        OwnTrainers trainer;
        auto grown = open(network_);
        std::vector<Hash256> ids{network_->genesis.id};
        for (std::uint32_t i = 0; i < kPoolBlocks; ++i) {
            // Mostly near the top, so that branches grow long enough to overtake each other.
            const std::size_t from = ids.size() > 8 ? ids.size() - 8 : 0;
            const Hash256 parent = ids[from + random_() % (ids.size() - from)];
            const auto block = test::mine_on(*grown.ledger->state_after(parent), trainer,
                                             static_cast<std::uint8_t>(1 + random_() % 5), i);
            const auto candidate = *grown.ledger->admit(block, block->header.tmpl.time_ms);
            pool_.push_back(*verify_candidate(candidate, trainer));
            ASSERT_TRUE(grown.ledger->commit(pool_.back()));
            ids.push_back(pool_.back().id());
        }
    }

    // What replaying the chain of a tip alone, from genesis, leaves.
    const std::map<Bytes, Bytes>& replayed(std::size_t tip) {
        auto& expected = replayed_[tip];
        if (!expected.empty()) return expected;
        std::vector<std::size_t> chain;
        for (std::size_t at = tip;;) {
            chain.push_back(at);
            const auto parent = position(pool_[at].block().header.tmpl.parent);
            if (!parent) break;
            at = *parent;
        }
        auto linear = open(network_);
        for (std::size_t i = chain.size(); i-- > 0;) {
            EXPECT_EQ(linear.ledger->commit(pool_[chain[i]]), CommitOutcome::extended);
        }
        return expected = test::contents(*linear.store, test::kActiveTables);
    }

    std::optional<std::size_t> position(const Hash256& id) const {
        for (std::size_t i = 0; i < pool_.size(); ++i) {
            if (pool_[i].id() == id) return i;
        }
        return std::nullopt;
    }

    std::mt19937_64 random_{2024};
    std::shared_ptr<const Network> network_ = test::tiny_network(1);
    std::vector<VerifiedBlock> pool_;
    std::map<std::size_t, std::map<Bytes, Bytes>> replayed_;
};

TEST_F(ForkTrees, any_order_leads_to_the_state_of_a_replay_from_genesis) {
    int reorganisations = 0;
    std::size_t deepest = 0;
    for (int tree = 0; tree < kTrees; ++tree) {
        auto opened = open(network_);
        opened.ledger->on_tip_change([&](const TipChange& change) {
            if (!change.undone.empty()) ++reorganisations;
            deepest = std::max(deepest, change.undone.size());
        });
        std::set<std::size_t> waiting;
        for (std::size_t i = 0; i < pool_.size(); ++i) waiting.insert(i);
        std::set<Hash256> known{network_->genesis.id};
        std::optional<std::size_t> best;
        const std::uint64_t steps = 1 + random_() % pool_.size();
        for (std::uint64_t step = 0; step < steps; ++step) {
            std::vector<std::size_t> ready;
            for (const std::size_t i : waiting) {
                if (known.contains(pool_[i].block().header.tmpl.parent)) ready.push_back(i);
            }
            const std::size_t next = ready[random_() % ready.size()];
            waiting.erase(next);
            known.insert(pool_[next].id());
            ASSERT_TRUE(opened.ledger->commit(pool_[next]));
            if (!best ||
                pool_[next].index().cumulative_work > pool_[*best].index().cumulative_work) {
                best = next;
            }
            ASSERT_EQ(opened.ledger->tip()->id(), pool_[*best].id());
            if (random_() % 8 == 0) {
                // The state after any block, as its children see it.
                const auto any = *opened.ledger->state_after(pool_[next].id());
                ASSERT_EQ(*any->root_after({}), any->index().state_root);
            }
        }
        ASSERT_EQ(test::contents(*opened.store, test::kActiveTables), replayed(*best))
            << "tree " << tree;
    }
    EXPECT_GT(reorganisations, kTrees);
    EXPECT_GT(deepest, 2U);
    RecordProperty("reorganisations", reorganisations);
    RecordProperty("deepest", static_cast<int>(deepest));
}

}  // namespace
}  // namespace gradient::chain
