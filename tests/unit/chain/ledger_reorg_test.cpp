// Random fork trees: whatever order blocks come in, the ledger stands where the rule puts it, and
// everything that depends on the active chain is what replaying that chain alone gives.
#include "chain/ledger.hpp"
#include "chain/share_check.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/transactions/accounts.hpp"
#include "chain/transactions/transaction_rules.hpp"
#include "tests/support/chain_contents.hpp"
#include "tests/support/signed_transactions.hpp"
#include "tests/support/small_network.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace gradient::chain {
namespace {

constexpr int kPoolBlocks = 60;
constexpr int kTrees = 10'000;
constexpr std::uint64_t kSeed = 2024;

// A number from the environment, for longer runs and other draws.
std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

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

// What the pool's blocks hold beside their own segments.
struct PoolCounts {
    int listed = 0;
    int late = 0;
    int listing = 0;  // of the shares, those with a list of their own
    int transfers = 0;
    int chunks = 0;
    int tasks = 0;
    int user_blocks = 0;
};

class ForkTrees : public testing::Test {
  protected:
    // A large tree of really mined blocks, from which the random ones are cut.
    void SetUp() override {
        std::cout << "seed " << seed_ << ", " << trees_ << " trees\n";
        auto grown = open(network_);
        std::vector<Hash256> ids{network_->genesis.id};
        make_shares(grown.ledger->tip());
        for (std::uint32_t i = 0; i < kPoolBlocks; ++i) {
            // Mostly near the top, so that branches grow long enough to overtake each other.
            const std::size_t from = ids.size() > 8 ? ids.size() - 8 : 0;
            const auto parent =
                *grown.ledger->state_after(ids[from + random_() % (ids.size() - from)]);
            const auto block =
                test::mine_on(parent, trainers_, static_cast<std::uint8_t>(1 + random_() % 3), i,
                              contents_on(*parent));
            const auto candidate = *grown.ledger->admit(block, block->header.tmpl.time_ms);
            const auto verified = verify_candidate(candidate, trainers_);
            ASSERT_TRUE(verified) << describe(verified.error());
            pool_.push_back(*verified);
            ASSERT_TRUE(grown.ledger->commit(pool_.back()));
            ids.push_back(pool_.back().id());
            counts_.user_blocks += parent->task()->record.id == kGenesisTask ? 0 : 1;
            make_shares(*grown.ledger->state_after(ids.back()));
        }
        EXPECT_GT(counts_.listed, 10);
        EXPECT_GT(counts_.late, 10);
        EXPECT_GT(counts_.listing, 2);
        EXPECT_GT(counts_.transfers, 5);
        EXPECT_GT(counts_.chunks, 2);
        EXPECT_GT(counts_.tasks, 0);
        EXPECT_GT(counts_.user_blocks, 0);
    }

    // Shares of lanes that start on a block; one lists what its miner has seen.
    void make_shares(const std::shared_ptr<const ParentState>& on) {
        auto& made = shares_[on->id()];
        for (std::uint8_t miner = 11; miner <= 13; ++miner) {
            TemplateContents contents;
            if (miner == 13) contents.shares = shares_for(*on, 0);
            const SecretKey key = test::tiny_key(miner);
            const auto work = *make_template(on, std::move(contents), key.public_key(),
                                             on->context().time_ms + 1'000, trainers_);
            model::Trainer& trainer = trainers_.trainer_of(on->task());
            Lane lane = work.start_lane(0);
            while (lane.last_hit() == 0) CHECK(lane.step(trainer));
            made.push_back(
                std::make_shared<const Segment>(build_segment(lane, key, trainer)->segment));
        }
    }

    // Some shares that a block on `parent` may include so many blocks late.
    std::vector<VerifiedShare> shares_for(const ParentState& parent, std::uint64_t late) {
        Hash256 start = parent.index().header.tmpl.parent;
        for (std::uint64_t i = 0; i < late; ++i) {
            const auto at = position(start);
            if (!at) return {};
            start = pool_[*at].block().header.tmpl.parent;
        }
        const std::uint64_t height = parent.height() + 1;
        const auto needed = *tasks_of_open_rounds(parent.state(), height);
        const TaskSet tasks = *load_tasks(parent.state(), needed, catalog_);
        const SettlementContext context{network_->params(), tasks, trainers_};
        ShareChecker checker(parent.state(), height, context);
        std::vector<VerifiedShare> taken;
        for (const auto& segment : shares_[start]) {
            if (random_() % (2 + late) != 0) continue;
            const auto placed = checker.place(segment);
            if (!placed || !*checker.is_ready(*placed)) continue;
            const auto checked = checker.check(*placed);
            if (!checked) continue;
            const SharedTask task = checker.task_of(*placed);
            const auto proven = verify_segment(*checked, trainers_.trainer_of(task));
            CHECK(proven);
            taken.push_back(
                {segment, outcome_of(*proven, encoded_size(*segment)), checked->start().state});
        }
        return taken;
    }

    TemplateContents contents_on(const ParentState& parent) {
        TemplateContents contents;
        contents.shares = shares_for(parent, 0);
        counts_.listed += static_cast<int>(contents.shares.size());
        for (const VerifiedShare& share : contents.shares) {
            counts_.listing += share.segment->listed.empty() ? 0 : 1;
        }
        for (std::uint64_t late = 1; late <= kMaxLateness; ++late) {
            for (const VerifiedShare& share : shares_for(parent, late)) {
                contents.transactions.push_back({ShareTransaction{*share.segment}});
                ++counts_.late;
            }
        }
        add_signed(parent, contents.transactions);
        return contents;
    }

    // What one sender that has coins on this branch does: pays, publishes, starts a task.
    void add_signed(const ParentState& parent, std::vector<Transaction>& transactions) {
        const SecretKey key = test::tiny_key(static_cast<std::uint8_t>(1 + random_() % 3));
        const auto account = *read_account(parent.state(), address_of(key.public_key()));
        if (account.balance < Amount::of_coins(8)) return;
        std::uint64_t nonce = account.nonce;
        const auto add = [&](Action action) {
            SignedTransaction made;
            made.network_id = network_->spec.network_id;
            made.sender = key.public_key();
            made.nonce = nonce++;
            made.action = std::move(action);
            made.fee = *least_fee(made, network_->params());
            test::sign(made, key, network_->genesis.id);
            transactions.push_back({made});
        };
        if (random_() % 2 == 0) {
            const auto to = test::tiny_key(static_cast<std::uint8_t>(1 + random_() % 9));
            add(Transfer{address_of(to.public_key()), Amount::of_coins(1)});
            ++counts_.transfers;
        }
        if (random_() % 4 == 0) {
            add(PublishData{test::random_letters(100 + random_() % 400, random_())});
            ++counts_.chunks;
        }
        if (random_() % 4 != 0) return;
        const auto chunk = data_chunk_key(test::chunk_ids(matrices_).front());
        if (!*parent.state().get(chunk)) add(PublishData{matrices_});
        CreateTask create;
        create.shape = from_model(test::tiny_config());
        create.data_format = DataFormat::matrices;
        create.data_bytes = matrices_.size();
        create.chunks = test::chunk_ids(matrices_);
        create.unit_budget = 1 + random_() % 20;
        create.pay_per_hit = Amount::of_coins(1);
        create.escrow = *Amount::from_units((2 + random_() % 4) * kCoin);
        add(create);
        ++counts_.tasks;
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

    const std::uint64_t seed_ = number_from("GRADIENT_FORK_SEED", kSeed);
    const int trees_ = static_cast<int>(number_from("GRADIENT_FORK_TREES", kTrees));
    std::mt19937_64 random_{seed_};
    std::shared_ptr<const Network> network_ = test::small_network();
    OwnTrainers trainers_;
    TaskCatalog catalog_{network_->task};
    const Bytes matrices_ = test::small_matrices(2);
    std::map<Hash256, std::vector<std::shared_ptr<const Segment>>> shares_;  // by their parent
    PoolCounts counts_;
    std::vector<VerifiedBlock> pool_;
    std::map<std::size_t, std::map<Bytes, Bytes>> replayed_;
};

TEST_F(ForkTrees, any_order_leads_to_the_state_of_a_replay_from_genesis) {
    int reorganisations = 0;
    std::size_t deepest = 0;
    for (int tree = 0; tree < trees_; ++tree) {
        auto opened = open(network_);
        opened.ledger->on_tip_change([&](const TipChange& change) {
            if (!change.undone.empty()) ++reorganisations;
            deepest = std::max(deepest, change.undone.size());
        });
        std::set<std::size_t> waiting;
        for (std::size_t i = 0; i < pool_.size(); ++i) waiting.insert(i);
        std::set<Hash256> known{network_->genesis.id};
        std::optional<std::size_t> best;
        const std::uint64_t steps = 1 + random_() % (1 + random_() % pool_.size());
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
            << "seed " << seed_ << ", tree " << tree;
    }
    EXPECT_GT(reorganisations, trees_ / 2);
    EXPECT_GT(deepest, 2U);
    RecordProperty("reorganisations", reorganisations);
    RecordProperty("deepest", static_cast<int>(deepest));
    std::cout << trees_ << " trees, " << reorganisations << " reorganisations, the deepest of "
              << deepest << " blocks; the pool has " << counts_.listed << " listed and "
              << counts_.late << " late shares, " << counts_.transfers << " transfers, "
              << counts_.chunks << " chunks, " << counts_.tasks << " tasks and "
              << counts_.user_blocks << " blocks that train them\n";
}

}  // namespace
}  // namespace gradient::chain
