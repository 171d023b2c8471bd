// What the network needs of the ledger service: verdicts, listeners, shares that are known.
#include "node/ledger/ledger_service.hpp"

#include "chain/base/codec.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/transactions/accounts.hpp"
#include "node/sync/item_refusal.hpp"
#include "tests/support/signed_transactions.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_network.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <variant>
#include <vector>

namespace gradient::node {
namespace {

using namespace std::chrono_literals;
using SharedBlock = std::shared_ptr<const chain::Block>;
using SharedSegment = std::shared_ptr<const chain::Segment>;
using TipPtr = std::shared_ptr<const chain::ParentState>;

constexpr std::uint8_t kMiner = 7;
constexpr std::uint8_t kOther = 3;

// One node's ledger service on a chain in memory.
class TestService {
  public:
    explicit TestService(std::shared_ptr<const chain::Network> network)
        : trainers_(network->task, model::EngineKind::best) {
        auto ledger =
            chain::Ledger::open(std::move(network), std::make_unique<chain::MemoryStore>());
        CHECK(ledger);
        pool_ = std::make_unique<WorkerPool>(2);
        service_ = std::make_unique<LedgerService>(context_.get_executor(), *std::move(ledger),
                                                   *pool_, trainers_);
        service_->on_share_kept([this](const auto& segment, const auto& id) {
            kept.push_back(segment);
            kept_ids.push_back(id);
        });
        service_->on_transaction_kept([this](const auto& id) { transactions.push_back(id); });
        service_->on_block_proven([this](const auto& block) {
            proven.push_back(block);
            height_when_proven = service_->tip()->height();
        });
        service_->on_segments([this](std::uint64_t, const auto& segments) { proofs = segments; });
        service_->on_tip([this](const auto& change) { changes.push_back(change); });
    }
    ~TestService() { pool_.reset(); }
    TestService(const TestService&) = delete;
    TestService& operator=(const TestService&) = delete;

    LedgerService& operator*() { return *service_; }
    LedgerService* operator->() { return service_.get(); }

    template <class T>
    T run(Task<T> task) {
        auto result = asio::co_spawn(context_, std::move(task), asio::use_future);
        context_.restart();
        while (result.wait_for(0s) != std::future_status::ready) context_.run_one();
        return result.get();
    }
    void run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        context_.restart();
        while (!done()) {
            CHECK(std::chrono::steady_clock::now() < deadline);
            context_.run_one_for(10ms);
        }
    }
    LedgerService::SubmitResult take(const SharedBlock& block) {
        return run(service_->submit(block));
    }
    ShareVerdict submit(const SharedSegment& segment) {
        return run(service_->submit_share(segment));
    }
    // Calls `begun` when the service waits for what it has given up.
    void close(const std::function<void()>& begun = [] {}) {
        const auto close = [](LedgerService& service) -> Task<int> {
            co_await service.close();
            co_return 0;
        };
        auto closed = asio::co_spawn(context_, close(*service_), asio::use_future);
        context_.restart();
        context_.poll();
        begun();
        while (closed.wait_for(0s) != std::future_status::ready) context_.run_one();
    }
    // Until then no job of the pool begins.
    void occupy_workers(const std::shared_future<void>& until) {
        for (unsigned i = 0; i < pool_->size(); ++i) {
            pool_->post(Priority::verify, {}, [until](const std::stop_token&) { until.wait(); });
        }
    }

    std::vector<SharedSegment> kept;
    std::vector<chain::Hash256> kept_ids;
    std::vector<chain::Hash256> transactions;
    std::vector<SharedBlock> proven;
    std::uint64_t height_when_proven = 0;
    std::vector<chain::CheckedSegment> proofs;
    std::vector<chain::TipChange> changes;

  private:
    TrainerPool trainers_;
    asio::io_context context_{1};
    std::unique_ptr<WorkerPool> pool_;
    std::unique_ptr<LedgerService> service_;
};

class Service : public testing::Test {
  protected:
    Service() { spdlog::set_level(spdlog::level::off); }

    // A lane on a block, ended at its first hit that does not win.
    SharedSegment share_on(const TipPtr& parent, chain::TemplateContents contents = {},
                           std::uint8_t miner = kOther) {
        const auto key = test::tiny_key(miner);
        const auto work = chain::make_template(parent, std::move(contents), key.public_key(),
                                               parent->context().time_ms + 500, trainers_);
        CHECK(work);
        model::Trainer& trainer = trainers_.trainer_of(parent->task());
        for (std::uint32_t number = next_lane_++;; number = next_lane_++) {
            chain::Lane lane = work->start_lane(number);
            for (;;) {
                const auto ticket = lane.step(trainer);
                CHECK(ticket);
                if (*ticket == chain::TicketClass::win || lane.full()) break;
                if (*ticket != chain::TicketClass::hit) continue;
                auto built = chain::build_segment(lane, key, trainer);
                CHECK(built);
                return std::make_shared<const chain::Segment>(std::move(built->segment));
            }
        }
    }
    SharedBlock block_on(const TipPtr& parent, chain::TemplateContents contents = {},
                         std::uint32_t variant = 0) {
        return test::mine_on(parent, trainers_, kMiner, variant, std::move(contents));
    }
    // A block with the shares and transactions that the service would put into a template.
    SharedBlock next_block() { return block_on(service->tip(), service->template_contents()); }
    void extend() { ASSERT_TRUE(service.take(next_block())); }

    std::shared_ptr<const chain::SignedTransaction> transfer(std::uint64_t nonce,
                                                             std::uint64_t coins = 1) {
        chain::SignedTransaction transaction;
        transaction.network_id = network->spec.network_id;
        transaction.sender = test::tiny_key(kMiner).public_key();
        transaction.nonce = nonce;
        transaction.fee = chain::Amount::of_coins(1);
        transaction.action = chain::Transfer{chain::address_of(test::tiny_key(9).public_key()),
                                             chain::Amount::from_units(coins).value()};
        test::sign(transaction, test::tiny_key(kMiner), network->genesis.id);
        return std::make_shared<const chain::SignedTransaction>(std::move(transaction));
    }
    // Blocks until the miner has coins to spend.
    void earn() {
        while (service->tip()->height() < 5) extend();
    }

    static std::size_t openings_of(const chain::Block& block) {
        return block.winner.openings.size();
    }

    std::shared_ptr<const chain::Network> network = test::tiny_network(4);
    TestService service{network};
    chain::OwnTrainers trainers_;
    std::uint32_t next_lane_ = 1000;
};

// While this lives, no file of this process grows beyond that: writing fails as on a full disk.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(::rlim_t bytes) {
        CHECK(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
        const ::rlimit limit{bytes, before_.rlim_max};
        CHECK(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    ~FileSizeLimit() {
        CHECK(::setrlimit(RLIMIT_FSIZE, &before_) == 0);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  private:
    ::rlimit before_{};
    void (*handler_)(int) = SIG_DFL;
};

template <class T>
bool is(const ShareVerdict& verdict) {
    return std::holds_alternative<T>(verdict);
}

// ---- shares

// Whether the sender must have known better: it breaks a rule that it breaks on every branch.
bool is_for_ever_bad(const ShareVerdict& verdict) {
    const auto* error = std::get_if<chain::SubmitError>(&verdict);
    return error != nullptr && is_never_good_share(*error);
}

TEST_F(Service, says_what_became_of_a_share) {
    const auto share = share_on(service->tip());
    extend();
    const auto verdict = service.submit(share);
    ASSERT_TRUE(is<ShareKept>(verdict));
    EXPECT_EQ(service.kept, std::vector{share});
    EXPECT_EQ(service.kept_ids, std::vector{std::get<ShareKept>(verdict).segment});
    const auto copy = std::make_shared<const chain::Segment>(*share);
    EXPECT_TRUE(is<ShareKnown>(service.submit(copy)));
    EXPECT_FALSE(is_for_ever_bad(verdict));
    EXPECT_EQ(service.kept.size(), 1U);
    EXPECT_EQ(service->share_pool().size(), 1U);
}

TEST_F(Service, holds_a_share_whose_round_has_not_ended_and_keeps_it_when_it_has) {
    const auto share = share_on(service->tip());
    EXPECT_TRUE(is<ShareHeld>(service.submit(share)));
    EXPECT_TRUE(is<ShareKnown>(service.submit(std::make_shared<const chain::Segment>(*share))));
    EXPECT_TRUE(service.kept.empty());
    extend();
    service.run_until([&] { return !service.kept.empty(); });
    EXPECT_EQ(service.kept, std::vector{share});
}

TEST_F(Service, holds_a_share_that_started_from_one_which_has_not_come) {
    const auto first = share_on(service->tip());
    ASSERT_TRUE(service.take(block_on(service->tip())));
    ASSERT_TRUE(is<ShareKept>(service.submit(first)));
    const auto contents = service->template_contents();
    ASSERT_EQ(contents.shares.size(), 1U);
    const auto second = share_on(service->tip(), contents);
    ASSERT_TRUE(service.take(block_on(service->tip())));  // without the first
    EXPECT_TRUE(is<ShareHeld>(service.submit(second)));
    extend();  // with the first, late
    service.run_until([&] { return service.kept.size() == 2; });
    EXPECT_EQ(service.kept.back(), second);
}

TEST_F(Service, tells_a_bad_share_from_one_of_another_branch) {
    const auto good = share_on(service->tip());
    const auto sibling = share_on(service->tip());
    extend();
    chain::Segment forged = *good;
    forged.body.openings.front().before.loss += 1;
    const auto bad = service.submit(std::make_shared<const chain::Segment>(forged));
    ASSERT_TRUE(is<chain::SubmitError>(bad));
    EXPECT_TRUE(is_for_ever_bad(bad));
    chain::Segment other = *sibling;
    other.tmpl.parent.bytes[0] ^= 1U;
    const auto elsewhere = service.submit(std::make_shared<const chain::Segment>(other));
    ASSERT_TRUE(is<chain::SubmitError>(elsewhere));
    EXPECT_FALSE(is_for_ever_bad(elsewhere));
    other.tmpl.height = 99;
    const auto ahead = service.submit(std::make_shared<const chain::Segment>(other));
    ASSERT_TRUE(is<chain::ShareRefusal>(ahead));
    EXPECT_EQ(std::get<chain::ShareRefusal>(ahead), chain::ShareRefusal::too_far_ahead);
    EXPECT_FALSE(is_for_ever_bad(ahead));
    // The forged copy has not kept the good one out.
    EXPECT_TRUE(is<ShareKept>(service.submit(good)));
}

TEST_F(Service, holds_no_more_of_others_than_it_may_but_all_of_its_own) {
    chain::Segment early = *share_on(service->tip());
    std::size_t held = 0;
    for (std::size_t i = 0; i <= ShareDesk::kMaxWaiting; ++i) {
        early.tmpl.lane += 1;  // nobody can tell yet that the signature is wrong
        const auto verdict = service.submit(std::make_shared<const chain::Segment>(early));
        if (is<ShareHeld>(verdict)) {
            ++held;
        } else {
            ASSERT_TRUE(is<chain::ShareRefusal>(verdict));
            EXPECT_EQ(std::get<chain::ShareRefusal>(verdict), chain::ShareRefusal::pool_full);
        }
    }
    const std::size_t by_bytes = ShareDesk::kMaxWaitingBytes / chain::encoded_size(early);
    EXPECT_EQ(held, std::min(ShareDesk::kMaxWaiting, by_bytes));
    const auto own = share_on(service->tip());
    service->submit_own_share(own);
    service.run([](LedgerService& its) -> Task<int> {
        co_return co_await its.on_strand([](LedgerService&) { return 0; });
    }(*service));
    extend();
    service.run_until([&] { return !service.kept.empty(); });
    EXPECT_EQ(service.kept, std::vector{own});
}

TEST_F(Service, shares_that_it_knows_are_not_replayed_in_a_block) {
    std::vector<SharedSegment> shares{share_on(service->tip()), share_on(service->tip())};
    extend();
    for (const auto& share : shares) ASSERT_TRUE(is<ShareKept>(service.submit(share)));
    const auto block = next_block();
    ASSERT_EQ(block->listed.size(), 2U);
    const std::uint64_t before = service->block_replays();
    ASSERT_TRUE(service.take(block));
    EXPECT_EQ(service->block_replays() - before, openings_of(*block));
    EXPECT_EQ(service.proofs.size(), 3U);
    // Whoever verifies the chain has replayed them once.
    const std::size_t all =
        openings_of(*block) + shares[0]->body.openings.size() + shares[1]->body.openings.size();
    EXPECT_EQ(service->tip()->index().replayed_units, all);
    // Another node, which knows none of them, comes to the same.
    TestService other(network);
    for (const auto& change : service.changes) ASSERT_TRUE(other.take(change.block));
    EXPECT_EQ(other->tip()->id(), service->tip()->id());
    EXPECT_EQ(other->tip()->index(), service->tip()->index());
    EXPECT_EQ(other->block_replays(), service->block_replays() + all - openings_of(*block));
}

TEST_F(Service, a_change_of_branch_keeps_the_shares_that_are_good_on_both) {
    extend();
    const auto share = share_on(service->tip());
    const auto parent = service->tip();
    extend();
    ASSERT_TRUE(is<ShareKept>(service.submit(share)));
    // Another branch from the same parent, one block longer.
    const auto sibling = block_on(parent, {}, 1);
    ASSERT_TRUE(service.take(sibling));
    EXPECT_EQ(service->tip()->height(), 2U);
    const auto above = block_on(*service->ledger().state_after(chain::header_id(sibling->header)));
    const auto undone = service->tip()->id();
    const auto outcome = service.take(above);
    ASSERT_TRUE(outcome);
    ASSERT_EQ(*outcome, chain::CommitOutcome::reorganised);
    EXPECT_EQ(service.changes.back().undone, std::vector{undone});
    EXPECT_EQ(service.changes.back().redone.size(), 2U);
    EXPECT_EQ(service.changes.back().block, above);
    // The share, and what won the block that was undone.
    service.run_until([&] { return service->share_pool().size() == 2; });
    EXPECT_NE(service->share_pool().find_lane(chain::template_hash(share->tmpl)), nullptr);
    EXPECT_EQ(service->template_contents().transactions.size(), 2U);  // both late
}

// ---- blocks

TEST_F(Service, tells_of_a_block_whose_work_is_proven_before_it_is_the_tip) {
    const auto block = block_on(service->tip());
    ASSERT_TRUE(service.take(block));
    EXPECT_EQ(service.proven, std::vector{block});
    EXPECT_EQ(service.height_when_proven, 0U);
    auto forged = *block_on(service->tip());
    forged.winner.openings.back().before.loss += 1;
    EXPECT_FALSE(service.take(std::make_shared<const chain::Block>(forged)));
    EXPECT_EQ(service.proven.size(), 1U);
}

TEST_F(Service, verifies_a_block_once_however_many_hand_it_in) {
    const auto block = block_on(service->tip());
    const auto copy = std::make_shared<const chain::Block>(*block);
    const auto id = chain::header_id(block->header);
    std::vector<LedgerService::SubmitResult> results;
    const auto note = [&](const auto& result) { results.push_back(result); };
    bool was_judging = false;
    service->on_block_proven([&](const auto& one) {
        service.proven.push_back(one);
        was_judging = service->is_judging(id);
        service->submit_later(copy, note);
    });
    EXPECT_FALSE(service->is_judging(id));
    service->submit_later(block, note);
    service->submit_later(copy, note);
    service.run_until([&] { return results.size() == 3; });
    for (const auto& result : results) {
        ASSERT_TRUE(result);
        EXPECT_EQ(*result, chain::CommitOutcome::extended);
    }
    EXPECT_EQ(service.proven.size(), 1U);
    EXPECT_TRUE(was_judging);
    EXPECT_FALSE(service->is_judging(id));
}

TEST_F(Service, a_forged_body_does_not_speak_for_the_good_one_under_the_same_header) {
    const auto good = block_on(service->tip());
    auto forged = *good;
    forged.winner.openings.front().before.loss += 1;
    std::optional<LedgerService::SubmitResult> first;
    std::optional<LedgerService::SubmitResult> second;
    service->submit_later(std::make_shared<const chain::Block>(forged),
                          [&](const auto& result) { first = result; });
    service->submit_later(good, [&](const auto& result) { second = result; });
    service.run_until([&] { return first && second; });
    EXPECT_FALSE(*first);
    EXPECT_TRUE(*second);
}

TEST_F(Service, lets_a_branch_in_for_the_work_known_above_it) {
    const auto fork = service->tip();
    const auto late = block_on(fork, {}, 5);
    for (std::uint64_t i = 0; i <= chain::Ledger::kSideBranchBlocks + 1; ++i) extend();
    const auto refused = service.take(late);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), chain::SubmitError(chain::LedgerError::too_little_work));
    const auto work = chain::saturating_mul(service->tip()->index().cumulative_work, 2);
    const auto taken = service.run(service->submit(late, work));
    ASSERT_TRUE(taken);
    EXPECT_EQ(*taken, chain::CommitOutcome::side_branch);
}

TEST_F(Service, closing_gives_up_shares_whose_turn_has_not_come) {
    std::vector<SharedSegment> shares;
    for (int i = 0; i < 6; ++i) shares.push_back(share_on(service->tip()));
    extend();
    std::promise<void> may_go_on;
    service.occupy_workers(may_go_on.get_future().share());
    for (const auto& share : shares) service->submit_own_share(share);
    service.close([&] { may_go_on.set_value(); });
    EXPECT_EQ(service->share_pool().size(), 0U);
}

// ---- transactions

TEST_F(Service, tells_of_transactions_that_it_keeps) {
    earn();
    const auto taken = service.run(service->submit_transaction(transfer(0)));
    ASSERT_TRUE(taken) << chain::describe(taken.error());
    EXPECT_FALSE(service.run(service->submit_transaction(transfer(0))));
    EXPECT_EQ(service.transactions, std::vector{*taken});
}

TEST_F(Service, transactions_outlive_the_process_until_they_are_in_the_chain) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "mempool.journal";
    service->set_journal(file);
    earn();
    for (std::uint64_t nonce = 0; nonce < 3; ++nonce) {
        ASSERT_TRUE(service.run(service->submit_transaction(transfer(nonce))));
    }
    // Another process finds the file as it lies there, on the same chain one block later.
    const auto blocks = [&] {
        std::vector<SharedBlock> all;
        for (const auto& change : service.changes) all.push_back(change.block);
        return all;
    };
    {
        TestService next(network);
        for (const auto& block : blocks()) ASSERT_TRUE(next.take(block));
        next->set_journal(file);
        EXPECT_EQ(next->mempool().size(), 3U);
        EXPECT_TRUE(next.transactions.empty());
    }
    extend();
    EXPECT_EQ(service->mempool().size(), 0U);
    ASSERT_TRUE(service.run(service->submit_transaction(transfer(3))));
    TestService next(network);
    for (const auto& block : blocks()) ASSERT_TRUE(next.take(block));
    next->set_journal(file);
    EXPECT_EQ(next->mempool().size(), 1U);
    EXPECT_TRUE(next->mempool().contains(chain::transaction_id(*transfer(3))));
    service.close();
}

TEST_F(Service, what_a_block_that_is_undone_held_is_written_down_again) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "mempool.journal";
    earn();
    const auto parent = service->tip();
    ASSERT_TRUE(service.run(service->submit_transaction(transfer(0))));  // before the journal
    service->set_journal(file);
    extend();
    EXPECT_EQ(service->mempool().size(), 0U);
    const auto sibling = block_on(parent, {}, 1);
    ASSERT_TRUE(service.take(sibling));
    const auto above = block_on(*service->ledger().state_after(chain::header_id(sibling->header)));
    ASSERT_EQ(*service.take(above), chain::CommitOutcome::reorganised);
    EXPECT_EQ(service->mempool().size(), 1U);
    EXPECT_EQ(MempoolJournal(file).take_read().size(), 1U);
    service.close();
}

TEST_F(Service, a_journal_that_cannot_be_written_is_told_and_nothing_acknowledged) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "mempool.journal";
    earn();
    std::vector<ExitCode> failures;
    service->on_store_failure([&](const Failure& failure) { failures.push_back(failure.code()); });
    service->set_journal(file);
    const std::uintmax_t limit = std::filesystem::file_size(file);
    const FileSizeLimit full(limit);
    EXPECT_FALSE(service.run(service->submit_transaction(transfer(0))));
    EXPECT_EQ(failures, std::vector{ExitCode::storage});
    EXPECT_EQ(std::filesystem::file_size(file), limit);
}

}  // namespace
}  // namespace gradient::node
