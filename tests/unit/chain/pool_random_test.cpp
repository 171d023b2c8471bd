// Random games: a chain that grows and is reorganised, senders who bid, replace and leave gaps, and
// a pool that must stay whole. Beside it stand the plainest way to fill a block, and a list of all
// that went in and came out.

#include "chain/pool/mempool.hpp"
#include "tests/support/pool_fixture.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

namespace gradient::chain {
namespace {

using test::PoolWorld;
using Transactions = std::vector<CheckedTransaction>;

constexpr std::uint32_t kSenders = 12;
constexpr std::uint64_t kScale = 100'000;

std::uint64_t first_seed() {
    const char* text = std::getenv("POOL_SEED");
    return text ? std::strtoull(text, nullptr, 10) : 1;
}

// The plainest way: the best next transaction of any sender that still fits, again and again.
std::uint64_t plain_fees(const std::vector<Transactions>& ready, std::size_t bytes) {
    std::vector<std::size_t> next(ready.size(), 0);
    std::vector<bool> stopped(ready.size(), false);
    std::uint64_t fees = 0;
    while (true) {
        const CheckedTransaction* best = nullptr;
        std::size_t of = 0;
        for (std::size_t i = 0; i < ready.size(); ++i) {
            if (stopped[i] || next[i] == ready[i].size()) continue;
            const CheckedTransaction& one = ready[i][next[i]];
            const FeeRate rate{one.transaction().fee.units(), one.size_bytes()};
            if (best && !is_lower({best->transaction().fee.units(), best->size_bytes()}, rate)) {
                continue;
            }
            best = &one;
            of = i;
        }
        if (!best) return fees;
        if (best->size_bytes() > bytes) {
            stopped[of] = true;
            continue;
        }
        bytes -= best->size_bytes();
        fees += best->transaction().fee.units();
        next[of] += 1;
    }
}

struct GameBlock {
    std::uint8_t id = 0;
    Transactions transactions;
    StateDiff inverse;
};

class Game {
  public:
    Game(std::uint64_t seed, const MempoolLimits& limits) : random_(seed), pool_(limits) {
        for (std::uint32_t i = 0; i < kSenders; ++i) {
            world_.set_account(i, kScale * (i % 2 == 0 ? pick(3000) : 1000 + pick(200'000)));
        }
    }

    void step() {
        now_ += pick(30'000);
        const std::uint64_t kind = pick(100);
        if (kind < 85) {
            bid();
        } else if (kind < 93) {
            grow();
        } else if (kind < 96) {
            reorganise();
        } else {
            note(pool_.expire(now_));
        }
        pool_.check_invariants();
        check_account();
    }

    void check_selection() {
        // All that is ready can go, in some order.
        std::vector<Transactions> ready;
        std::size_t count = 0;
        std::size_t bytes = 0;
        for (std::uint32_t i = 0; i < kSenders; ++i) {
            ready.emplace_back();
            for (const auto& one : pool_.of_sender(world_.address(i))) {
                if (!std::get<Waiting>(pool_.status(one.id())).position) break;
                ready.back().push_back(one);
                count += 1;
                bytes += one.size_bytes();
            }
        }
        const auto all = select(bytes);
        EXPECT_EQ(all.transactions.size(), count);
        const std::size_t budget = pick(bytes + 200);
        EXPECT_GE(select(budget).fees.units(), plain_fees(ready, budget)) << budget;
    }

    [[nodiscard]] std::string trace() const { return trace_; }
    [[nodiscard]] const std::set<RemovalReason>& reasons() const { return reasons_; }

  private:
    std::uint64_t pick(std::uint64_t below) { return below == 0 ? 0 : random_() % below; }

    // Fees so fine that no two rates are equal: of equal ones, the earlier goes first, and the
    // plainest way does not know which that is.
    std::uint64_t scatter(std::uint64_t fee) { return fee * kScale + 1 + pick(kScale - 1); }

    // Selects, and sees that the selection is a valid block within its budget.
    Selection select(std::size_t budget) {
        const auto selection = pool_.select(world_.state, world_.context(), {.bytes = budget});
        EXPECT_TRUE(selection);
        EXPECT_TRUE(selection->skipped.empty());
        State state(world_.state);
        BlockTally tally;
        std::size_t bytes = 0;
        for (const auto& one : selection->transactions) {
            const auto checked = check_transaction(one, world_.context());
            const auto admitted = admit_transaction(state, *checked, world_.context(), tally);
            EXPECT_TRUE(admitted);
            EXPECT_TRUE(apply_transaction(state, *admitted, world_.context(), tally));
            bytes += checked->size_bytes();
        }
        EXPECT_LE(bytes, budget);
        EXPECT_EQ(bytes, selection->size_bytes);
        EXPECT_EQ(tally.fees, selection->fees);
        trace_ += "s" + std::to_string(selection->transactions.size()) + ":" +
                  selection->fees.to_string() + " ";
        return *selection;
    }

    void bid() {
        const auto sender = static_cast<std::uint32_t>(pick(kSenders));
        const std::uint64_t base = world_.account(sender).nonce;
        const std::uint64_t nonce = base + pick(pick(4) == 0 ? 20 : 5);
        const std::uint64_t fee = scatter(pick(pick(3) == 0 ? 20'000 : 500));
        const auto to = static_cast<std::uint32_t>(pick(kSenders));
        // Sizes differ by what is published; each chunk is another one.
        const bool publishes = pick(3) == 0;
        Bytes chunk = test::random_letters(16 + pick(600), random_());
        const auto one = publishes ? world_.make(sender, nonce, fee, PublishData{std::move(chunk)})
                                   : world_.pay(sender, nonce, fee, kScale * (1 + pick(5000)), to);
        const std::size_t before = pool_.size();
        auto added = pool_.add(one, world_.state, world_.context(), now_);
        if (!added) {
            EXPECT_EQ(pool_.size(), before);
            trace_ += "r" + describe(added.error()) + " ";
            return;
        }
        waiting_.insert(one.id());
        note(added->removed);
    }

    // A block of what the pool selects, or of somebody else's making.
    GameBlock make_block(bool own) {
        GameBlock block;
        block.id = ++blocks_;
        if (own) {
            for (const auto& one : select(pick(3000)).transactions) {
                block.transactions.push_back(*check_transaction(one, world_.context()));
            }
        } else {
            for (std::uint32_t sender = 0; sender < kSenders; ++sender) {
                const Account account = world_.account(sender);
                if (pick(3) != 0 || account.balance.units() < 3000 * kScale) continue;
                const auto known = pool_.of_sender(world_.address(sender));
                const bool same =
                    !known.empty() && pick(2) == 0 && known[0].transaction().nonce == account.nonce;
                const auto to = static_cast<std::uint32_t>(pick(kSenders));
                const std::uint64_t amount = kScale * (1 + pick(2500));
                block.transactions.push_back(
                    same ? known[0]
                         : world_.pay(sender, account.nonce, scatter(pick(99)), amount, to));
            }
        }
        block.inverse = world_.apply(block.transactions);
        return block;
    }

    void move(const std::vector<UndoneBlock>& back, const std::vector<RedoneBlock>& forth) {
        // What comes back waits again unless the pool says what became of it.
        for (const UndoneBlock& block : back) {
            for (const auto& one : block.transactions) waiting_.insert(one.id());
        }
        auto removed = pool_.tip_changed(back, forth, world_.state, world_.context(), now_);
        ASSERT_TRUE(removed);
        note(*removed);
    }

    void grow() {
        chain_.push_back(make_block(pick(2) == 0));
        move({}, {test::redone(chain_.back().id, chain_.back().transactions)});
    }

    void reorganise() {
        std::vector<UndoneBlock> back;
        std::vector<RedoneBlock> forth;
        Transactions lost;
        for (std::uint64_t depth = 1 + pick(3); depth > 0 && !chain_.empty(); --depth) {
            const GameBlock& last = chain_.back();
            back.push_back(test::undone(last.id, last.transactions));
            lost.insert(lost.begin(), last.transactions.begin(), last.transactions.end());
            world_.state.apply(last.inverse);
            chain_.pop_back();
        }
        // The new branch has some of the same transactions: a prefix of one lost block after
        // another, as far as they still admit.
        GameBlock block;
        block.id = ++blocks_;
        State state(world_.state);
        BlockTally tally;
        for (const auto& one : lost) {
            if (pick(3) == 0) continue;
            const auto admitted = admit_transaction(state, one, world_.context(), tally);
            if (!admitted) continue;
            EXPECT_TRUE(apply_transaction(state, *admitted, world_.context(), tally));
            block.transactions.push_back(one);
        }
        block.inverse = world_.apply(block.transactions);
        chain_.push_back(std::move(block));
        forth.push_back(test::redone(chain_.back().id, chain_.back().transactions));
        move(back, forth);
    }

    void note(const std::vector<Removed>& removed) {
        for (const Removed& one : removed) {
            EXPECT_EQ(waiting_.erase(one.id), 1U) << to_string(one.reason);
            reasons_.insert(one.reason);
            const auto status = pool_.status(one.id);
            ASSERT_TRUE(std::holds_alternative<Removed>(status));
            EXPECT_EQ(std::get<Removed>(status), one);
            trace_ += std::string(to_string(one.reason)) + " ";
        }
    }

    // What went in and did not come out is what waits.
    void check_account() {
        ASSERT_EQ(pool_.size(), waiting_.size());
        for (const Hash256& id : waiting_) ASSERT_TRUE(pool_.contains(id));
    }

    std::mt19937_64 random_;
    PoolWorld world_;
    Mempool pool_;
    std::vector<GameBlock> chain_;
    std::set<Hash256> waiting_;
    std::set<RemovalReason> reasons_;
    std::string trace_;
    std::uint64_t now_ = 1'000'000;
    std::uint8_t blocks_ = 0;
};

MempoolLimits narrow_limits() {
    MempoolLimits limits;
    limits.total_bytes = 12'000;
    limits.transactions = 40;
    limits.account_transactions = 8;
    limits.account_bytes = 4'000;
    limits.nonce_gap = 4;
    limits.expiry_ms = 1'500'000;
    limits.minimum_half_life_ms = 20'000;
    return limits;
}

class PoolGame : public testing::TestWithParam<bool> {};

TEST_P(PoolGame, stays_whole_and_fills_blocks_no_worse_than_the_plainest_way) {
    const MempoolLimits limits = GetParam() ? narrow_limits() : MempoolLimits();
    std::set<RemovalReason> reasons;
    for (std::uint64_t seed = first_seed(); seed < first_seed() + 8; ++seed) {
        SCOPED_TRACE("POOL_SEED=" + std::to_string(seed));
        Game game(seed, limits);
        for (int step = 0; step < 400; ++step) {
            game.step();
            if (step % 5 == 0) game.check_selection();
            if (HasFailure()) {
                GTEST_FAIL() << "POOL_SEED=" << seed << " step " << step;
            }
        }
        reasons.insert(game.reasons().begin(), game.reasons().end());
    }
    // The usual seeds reach every way out; a single one need not.
    for (const RemovalReason reason :
         {RemovalReason::included, RemovalReason::conflicting, RemovalReason::replaced,
          RemovalReason::evicted, RemovalReason::expired, RemovalReason::invalidated,
          RemovalReason::reorganised_away}) {
        EXPECT_TRUE(!GetParam() || first_seed() != 1 || reasons.contains(reason))
            << to_string(reason);
    }
}

INSTANTIATE_TEST_SUITE_P(Limits, PoolGame, testing::Bool(), [](const auto& param) {
    return std::string(param.param ? "narrow" : "usual");
});

TEST(PoolDeterminism, the_same_calls_give_the_same_pool) {
    std::string traces[2];
    for (std::string& trace : traces) {
        Game game(first_seed(), narrow_limits());
        for (int step = 0; step < 600; ++step) {
            game.step();
            if (step % 7 == 0) game.check_selection();
        }
        trace = game.trace();
    }
    EXPECT_EQ(traces[0], traces[1]);
    EXPECT_FALSE(traces[0].empty());
}

}  // namespace
}  // namespace gradient::chain
