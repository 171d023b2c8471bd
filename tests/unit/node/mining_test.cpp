#include "node/ledger/chain_figures.hpp"
#include "node/ledger/ledger_service.hpp"
#include "node/mining/miner.hpp"
#include "node/mining/rate_meter.hpp"
#include "node/mining/work_source.hpp"
#include "tests/support/mining_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace gradient::node {
namespace {

using namespace std::chrono_literals;

TEST(RateMeter, averages_over_the_time_since_the_first_event_then_over_a_minute) {
    RateMeter meter;
    const RateMeter::Clock::time_point start{1000s};
    EXPECT_EQ(meter.rate(start), 0);
    for (int i = 0; i < 50; ++i) meter.count(start + i * 100ms);
    EXPECT_NEAR(meter.rate(start + 5s), 10, 0.01);
    EXPECT_NEAR(meter.rate(start + 50s), 1, 0.01);
    EXPECT_EQ(meter.rate(start + 200s), 0);
    for (int i = 0; i < 600; ++i) meter.count(start + 200s + i * 100ms);
    EXPECT_NEAR(meter.rate(start + 260s), 10, 0.3);
}

TEST_F(Mining, a_strangers_block_is_verified_on_the_pool_and_committed) {
    for (std::uint64_t height = 1; height <= 3; ++height) {
        const auto result = run(service_->submit(strangers_block()));
        ASSERT_TRUE(result.has_value()) << chain::describe(result.error());
        EXPECT_EQ(service_->tip()->height(), height);
    }
    EXPECT_GE(service_->figures().units(), 3U);
    EXPECT_GE(service_->figures().hits(), 3U);
    EXPECT_EQ(service_->figures().progress_efficiency(), 1.0);
}

TEST_F(Mining, a_forged_block_is_refused_and_changes_nothing) {
    const auto good = strangers_block();
    auto forged = *good;
    forged.winner.openings.back().before.loss += 1;
    EXPECT_FALSE(refusal_of(std::make_shared<const chain::Block>(forged)).empty());
    forged = *good;
    forged.winner.signature.bytes[5] ^= 1U;
    EXPECT_FALSE(refusal_of(std::make_shared<const chain::Block>(forged)).empty());
    EXPECT_EQ(service_->figures().units(), 0U);
    EXPECT_TRUE(run(service_->submit(good)).has_value());
    EXPECT_FALSE(refusal_of(good).empty());  // known already
}

TEST_F(Mining, waiting_ends_at_the_height_the_score_or_the_deadline) {
    const auto soon = [] { return std::chrono::steady_clock::now() + 20ms; };
    EXPECT_FALSE(run(service_->wait_for_height(1, false, soon())));
    EXPECT_TRUE(run(service_->submit(strangers_block())).has_value());
    EXPECT_TRUE(run(service_->wait_for_height(1, true, std::chrono::steady_clock::now() + 60s)));
    const auto score = service_->evaluator().score_of(*service_->tip());
    ASSERT_TRUE(score.has_value());
    EXPECT_GT(score->rows, 0U);
    run([](LedgerService& service) -> Task<int> {
        co_await service.close();
        co_return 0;
    }(*service_));
    EXPECT_FALSE(run(service_->wait_for_height(9, false, Event::Deadline::max())));
}

TEST_F(Mining, own_blocks_come_the_same_way_and_every_unit_is_accounted_for) {
    Miner* mining = nullptr;
    WorkSource* source = nullptr;
    Miner miner(
        *pool_, trainers_, key_, 3,
        {[&](chain::Block block) {
             const auto lane = chain::template_hash(block.header.tmpl);
             service_->submit_later(std::make_shared<const chain::Block>(std::move(block)),
                                    [&, lane](const auto& result) {
                                        if (!result || *result == chain::CommitOutcome::side_branch)
                                            mining->settle(lane, SegmentFate::given_up);
                                    });
         },
         [&](chain::Segment segment) {
             service_->submit_own_share(std::make_shared<const chain::Segment>(std::move(segment)));
         },
         [&](std::uint64_t work) { source->lanes_handed_in(work); }});
    mining = &miner;
    WorkSource work(*service_, miner, *pool_, trainers_, key_.public_key());
    source = &work;
    service_->on_share(
        [&](const chain::Hash256& lane, SegmentFate fate) { miner.settle(lane, fate); });
    service_->on_tip([&](const auto& change) {
        change.tip->height() < 8 ? work.tip_changed() : work.set_mining(false);
    });
    service_->on_share_judged([&] { work.share_judged(); });
    asio::post(service_->strand(), [&] { work.set_mining(true); });
    EXPECT_TRUE(run(service_->wait_for_height(8, true, std::chrono::steady_clock::now() + 60s)));
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (miner.counters().units_in_progress > 0) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        context_.run_one_for(1ms);
    }
    const auto close = [](LedgerService& service, WorkSource& its_work) -> Task<int> {
        co_await asio::co_spawn(service.strand(), its_work.close(), asio::use_awaitable);
        co_await service.close();
        co_return 0;
    };
    run(close(*service_, work));
    pool_.reset();
    const auto counters = miner.counters();
    EXPECT_FALSE(counters.active);
    EXPECT_EQ(counters.units_computed,
              counters.units_in_blocks + counters.units_abandoned + counters.units_waiting);
    EXPECT_EQ(counters.units_in_blocks, service_->figures().units());
    EXPECT_EQ(counters.blocks, 8U);
    EXPECT_EQ(service_->figures().segments(), 8 + counters.shares);
    EXPECT_GE(counters.hits, counters.blocks);
    EXPECT_GT(counters.units_per_second, 0);
}

TEST_F(Mining, a_store_that_fails_is_told_to_listener_and_submitter) {
    std::vector<ExitCode> failures;
    service_->on_store_failure([&](const Failure& failure) { failures.push_back(failure.code()); });
    store_->fail_after(0);
    EXPECT_FALSE(submitted_later(strangers_block()).has_value());
    EXPECT_EQ(failures, std::vector{ExitCode::storage});
}

TEST_F(Mining, an_exception_while_committing_is_told_to_listener_and_submitter) {
    std::vector<std::string> failures;
    service_->on_store_failure(
        [&](const Failure& failure) { failures.emplace_back(failure.what()); });
    int tips = 0;
    service_->on_tip([&](const auto&) {
        ++tips;
        if (tips == 1) throw Failure(ExitCode::data_directory, "injected");
        if (tips == 2) throw std::runtime_error("not the store's");
    });
    EXPECT_FALSE(submitted_later(strangers_block()).has_value());
    EXPECT_EQ(failures, std::vector<std::string>{"injected."});
    EXPECT_FALSE(submitted_later(strangers_block()).has_value());
    EXPECT_EQ(failures.size(), 1U);
    EXPECT_TRUE(submitted_later(strangers_block()).has_value());
}

TEST_F(Mining, closing_lets_blocks_be_finished_and_answers_for_those_that_come_after) {
    const auto block = strangers_block();
    int accepted = 0;
    service_->submit_later(block, [&](const auto& result) { accepted += result ? 1 : 0; });
    const auto close = [](LedgerService& service) -> Task<int> {
        co_await service.close();
        co_return 0;
    };
    run(close(*service_));
    EXPECT_EQ(accepted, 1);
    EXPECT_EQ(service_->tip()->height(), 1U);
    EXPECT_FALSE(submitted_later(strangers_block()).has_value());
}

TEST_F(Mining, a_lane_that_fails_runs_again_on_the_next_parent) {
    std::atomic<int> handed_out = 0;
    Miner miner(*pool_, trainers_, key_, 1,
                {[&](const chain::Block&) {
                     ++handed_out;
                     throw std::runtime_error("injected");
                 },
                 [](const chain::Segment&) {}, [](std::uint64_t) {}});
    for (int round = 1; round <= 3; ++round) {
        const auto work = chain::make_template(service_->tip(), {}, key_.public_key(),
                                               static_cast<std::uint64_t>(round), own_trainers_);
        ASSERT_TRUE(work.has_value());
        miner.set_work(std::make_shared<const chain::BlockTemplate>(*work));
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        while (handed_out < round) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << round;
            std::this_thread::sleep_for(1ms);
        }
    }
    pool_.reset();
    EXPECT_EQ(handed_out, 3);
}

TEST_F(Mining, a_block_that_leaves_the_chain_leaves_the_figures) {
    EXPECT_TRUE(run(service_->submit(strangers_block())).has_value());
    const auto& index = service_->tip()->index();
    ChainFigures figures = service_->figures();
    figures.add(index, *network_);
    EXPECT_EQ(figures.units(), 2 * std::uint64_t{index.header.units});
    figures.remove(index, *network_);
    figures.remove(index, *network_);
    EXPECT_EQ(figures.units(), 0U);
    EXPECT_EQ(figures.useful_fraction(), std::nullopt);
    EXPECT_EQ(figures.verification_ratio(), std::nullopt);
}

// The segment of a block that lost comes in as a share: its units count, its win does not.
TEST_F(Mining, shares_of_abandoned_blocks_do_not_make_the_useful_fraction_exceed_one) {
    EXPECT_TRUE(run(service_->submit(strangers_block())).has_value());
    chain::BlockIndex index = service_->tip()->index();
    ASSERT_EQ(odds_of(index, *network_).hit, odds_of(index, *network_).win * 2);
    index.header.units = 2;
    index.hits = 1;
    index.share_units = 98;
    index.share_hits = 49;
    ChainFigures figures;
    figures.add(index, *network_);
    EXPECT_NEAR(*figures.useful_fraction(), 1.0, 0.01);
}

TEST_F(Mining, the_odds_are_those_of_the_targets) {
    EXPECT_TRUE(run(service_->submit(strangers_block())).has_value());
    const auto odds = odds_of(service_->tip()->index(), *network_);
    EXPECT_NEAR(odds.win, 0.25, 0.001);
    EXPECT_NEAR(odds.hit, 0.5, 0.001);
}

}  // namespace
}  // namespace gradient::node
