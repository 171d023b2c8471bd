// When lanes start on a new tip, and when their work is renewed.

#include "node/concurrency/run_on.hpp"
#include "node/mining/delay_meter.hpp"
#include "node/mining/lane_choice.hpp"
#include "node/mining/miner.hpp"
#include "node/mining/work_source.hpp"
#include "tests/support/mining_fixture.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <sstream>
#include <utility>
#include <vector>

namespace gradient::node {
namespace {

TEST(DelayMeter, keeps_the_last_delay_and_the_median_of_a_hundred) {
    DelayMeter meter;
    EXPECT_EQ(meter.last_ms(), std::nullopt);
    EXPECT_EQ(meter.median_ms(), std::nullopt);
    for (const int ms : {30, 10, 20}) meter.record(std::chrono::milliseconds(ms));
    EXPECT_EQ(meter.last_ms(), 20);
    EXPECT_EQ(meter.median_ms(), 20);
    for (int i = 0; i < 60; ++i) meter.record(std::chrono::milliseconds(100));
    EXPECT_EQ(meter.median_ms(), 100);
    for (int i = 0; i < 98; ++i) meter.record(std::chrono::milliseconds(7));
    EXPECT_EQ(meter.median_ms(), 7);  // two of the hundreds are left
    meter.record(std::chrono::milliseconds(9));
    EXPECT_EQ(meter.last_ms(), 9);
}

constexpr std::uint32_t kFullPay = 4096;

// Hits come in one unit of 16, wins in one of 65,536, and hardly any lane gets full pay.
chain::ChainSpec long_rounds() {
    auto spec = test::tiny_spec(16);
    spec.params.work.hits_per_win = 4096;
    spec.params.work.units_per_hit = 16;
    spec.params.full_pay_units = kFullPay;
    return spec;
}

std::shared_ptr<const chain::Network> network_of(const chain::ChainSpec& spec) {
    auto network = chain::make_network(spec);
    CHECK(network);
    return *std::move(network);
}

class Restart : public Mining {
  protected:
    explicit Restart(const chain::ChainSpec& spec = long_rounds()) : Mining(network_of(spec)) {}

    // Its time lies ahead of any clock, so that lanes are the same in each run of a test.
    Miner::Work work_on(const std::shared_ptr<const chain::ParentState>& parent) {
        auto work = chain::make_template(parent, {}, key_.public_key(), std::uint64_t{1} << 60U,
                                         own_trainers_);
        CHECK(work);
        return std::make_shared<const chain::BlockTemplate>(*std::move(work));
    }

    // On a parent that is not the tip: the first block of another network.
    Miner::Work work_elsewhere() {
        auto spec = long_rounds();
        spec.name = "elsewhere";
        auto ledger = chain::Ledger::open(network_of(spec), std::make_unique<chain::MemoryStore>());
        CHECK(ledger);
        return work_on((*ledger)->tip());
    }
};

void expect_each_unit_in_one_place(const MiningCounters& counters) {
    EXPECT_EQ(counters.units_computed, counters.units_in_blocks + counters.units_abandoned +
                                           counters.units_in_progress + counters.units_waiting);
}

TEST_F(Restart, units_of_new_work_run_while_a_share_of_the_old_is_being_made) {
    std::promise<void> release;
    std::atomic<int> handing_out = 0;
    Miner miner(*pool_, trainers_, key_, 1,
                {[](const chain::Block&) {},
                 [&, released = release.get_future().share()](const chain::Segment&) {
                     ++handing_out;
                     released.wait();
                 },
                 [](std::uint64_t) {}});
    const auto first = work_on(service_->tip());
    const auto second = work_elsewhere();
    miner.set_work(first);
    ASSERT_TRUE(eventually([&] { return miner.counters().hits >= 1; }));
    EXPECT_EQ(miner.counters().restart_ms_last, std::nullopt);  // nobody asked
    miner.set_work(second, Miner::Clock::now());
    ASSERT_TRUE(eventually([&] { return handing_out >= 1; }));
    const auto before = miner.counters();
    EXPECT_TRUE(eventually([&] {
        const auto now = miner.counters();
        return now.units_computed > before.units_computed + 3 && now.restart_ms_last;
    }));
    EXPECT_EQ(handing_out, 1);
    EXPECT_EQ(miner.counters().restart_ms_median, miner.counters().restart_ms_last);
    release.set_value();
    pool_.reset();
    expect_each_unit_in_one_place(miner.counters());
    EXPECT_EQ(miner.counters().units_in_progress, 0U);
}

TEST_F(Restart, a_lane_stays_on_its_parent_while_that_pays_and_ends_with_it) {
    std::mutex mutex;
    std::vector<chain::Segment> shares;    // under mutex
    std::vector<std::uint64_t> handed_in;  // under mutex
    Miner miner(*pool_, trainers_, key_, 1,
                {[](const chain::Block&) {},
                 [&](chain::Segment share) {
                     const std::lock_guard lock(mutex);
                     shares.push_back(std::move(share));
                 },
                 [&](std::uint64_t work) {
                     const std::lock_guard lock(mutex);
                     handed_in.push_back(work);
                 }});
    const auto told_of = [&](std::uint64_t work) {
        const std::lock_guard lock(mutex);
        return std::ranges::find(handed_in, work) != handed_in.end();
    };
    const auto first = work_on(service_->tip());
    const auto second = work_elsewhere();
    miner.set_work(first);
    ASSERT_TRUE(eventually([&] { return miner.counters().hits >= 1; }));
    // The same parent once more: the lane knows of it and runs on.
    const auto renewed = miner.set_work(std::make_shared<const chain::BlockTemplate>(*first));
    ASSERT_TRUE(eventually([&] { return told_of(renewed); }));
    const auto units = miner.counters().units_computed;
    ASSERT_TRUE(eventually([&] { return miner.counters().units_computed > units + 3; }));
    EXPECT_EQ(miner.counters().units_waiting + miner.counters().units_abandoned, 0U);
    // On the other parent it ends.
    const auto last = miner.set_work(second);
    ASSERT_TRUE(eventually([&] { return told_of(last); }));
    {
        const std::lock_guard lock(mutex);
        ASSERT_EQ(shares.size(), 1U);
        EXPECT_EQ(shares[0].tmpl.parent, first->tmpl.parent);
        EXPECT_GT(shares[0].body.units(), units);
    }
    pool_.reset();
    expect_each_unit_in_one_place(miner.counters());
}

TEST_F(Restart, lanes_of_one_parent_are_never_the_same_lane_again) {
    std::mutex mutex;
    std::vector<chain::Hash256> lanes;  // under mutex
    Miner miner(*pool_, trainers_, key_, 2,
                {[](const chain::Block&) {},
                 [&](const chain::Segment& share) {
                     const std::lock_guard lock(mutex);
                     lanes.push_back(chain::template_hash(share.tmpl));
                 },
                 [](std::uint64_t) {}});
    const auto work = work_on(service_->tip());
    for (std::size_t round = 1; round <= 4; ++round) {
        const auto hits = miner.counters().hits;
        miner.set_work(work);
        ASSERT_TRUE(eventually([&] { return miner.counters().hits > hits; }));
        miner.set_work(nullptr);
        ASSERT_TRUE(eventually([&] { return miner.counters().units_in_progress == 0; }));
    }
    pool_.reset();
    EXPECT_GE(lanes.size(), 4U);
    std::ranges::sort(lanes);
    EXPECT_EQ(std::ranges::adjacent_find(lanes), lanes.end());
    expect_each_unit_in_one_place(miner.counters());
}

TEST_F(Restart, a_lane_stays_for_unpaid_hits_unless_its_win_is_worth_more) {
    const auto work = work_on(service_->tip());
    model::Trainer& trainer = own_trainers_.trainer_of(work->parent->task());
    chain::Lane lane = work->start_lane(0);
    chain::BlockTemplate next = *work;
    EXPECT_FALSE(pays_to_stay(lane, *work, next, 1e9));  // no hit: nothing to lose
    while (lane.last_hit() == 0) ASSERT_TRUE(lane.step(trainer));
    EXPECT_TRUE(pays_to_stay(lane, *work, next, 1e9));  // nothing new is listed
    // A stranger's share of sixteen full hits brings a hit's cut, an own one four hits more.
    chain::VerifiedShare share;
    share.outcome.hits = 16;
    share.outcome.paid_units = kFullPay;
    share.outcome.miner = test::tiny_key(9).public_key();
    const auto with = [&](const chain::VerifiedShare& one) {
        chain::BlockTemplate listing = next;
        listing.contents =
            std::make_shared<const chain::TemplateContents>(chain::TemplateContents{{one}, {}});
        listing.listed = {one.outcome.id};
        return listing;
    };
    EXPECT_DOUBLE_EQ(gain_of_listing(*work, with(share)), 1);
    EXPECT_DOUBLE_EQ(gain_of_listing(with(share), with(share)), 0);
    EXPECT_TRUE(pays_to_stay(lane, *work, with(share), 1));
    EXPECT_FALSE(pays_to_stay(lane, *work, with(share), 1e9));  // it wins for sure
    share.outcome.miner = work->tmpl.miner;
    EXPECT_DOUBLE_EQ(gain_of_listing(*work, with(share)), 5);
    share.outcome.paid_units = kFullPay / 2;
    EXPECT_DOUBLE_EQ(gain_of_listing(*work, with(share)), 2.5);
}

// Shares may come in for so many milliseconds.
chain::ChainSpec rounds_with_wait(std::uint64_t wait_ms) {
    auto spec = test::tiny_spec();
    spec.params.interval_ms = wait_ms * WorkSource::kWaitPart;
    return spec;
}

// A work source whose miner has no lanes: what they would work on is all there is to see.
class Renewal : public Restart {
  protected:
    explicit Renewal(std::uint64_t wait_ms = 100'000) : Restart(rounds_with_wait(wait_ms)) {
        service_->on_tip([this](const auto&) { source_.tip_changed(); });
        service_->on_share_judged([this] { source_.share_judged(); });
        first_parent_ = service_->tip();
        CHECK(run(service_->submit(strangers_block())));
    }
    ~Renewal() override {
        close_source();
        run([](LedgerService& service) -> Task<int> {
            co_await service.close();
            co_return 0;
        }(*service_));
        pool_.reset();
    }

    // Tasks are cancelled where they run.
    void close_source() {
        run([](const LedgerService& service, WorkSource& source) -> Task<int> {
            co_await asio::co_spawn(service.strand(), source.close(), asio::use_awaitable);
            co_return 0;
        }(*service_, source_));
    }

    bool work_lists(std::size_t shares) {
        return eventually([&] { return miner_.work() && miner_.work()->listed.size() == shares; });
    }

    std::shared_ptr<const chain::Segment> share(std::uint8_t miner) {
        const auto work =
            chain::make_template(first_parent_, {}, test::tiny_key(miner).public_key(),
                                 first_parent_->context().time_ms + 1, own_trainers_);
        CHECK(work);
        chain::Lane lane = work->start_lane(0);
        model::Trainer& trainer = own_trainers_.trainer_of(first_parent_->task());
        while (lane.last_hit() == 0) CHECK(lane.step(trainer));
        auto built = chain::build_segment(lane, test::tiny_key(miner), trainer);
        CHECK(built);
        return std::make_shared<const chain::Segment>(std::move(built->segment));
    }

    // Judged to the end, and whatever follows from that at once.
    void hand_in(std::shared_ptr<const chain::Segment> segment) {
        const auto pooled = service_->share_pool().size();
        service_->submit_own_share(std::move(segment));
        ASSERT_TRUE(eventually([&] {
            return service_->share_pool().size() > pooled && service_->shares_in_judgement() == 0;
        }));
        drain();
    }

    // Until neither the strand nor a thread of the pool has anything to do but wait.
    void drain() {
        for (int round = 0; round < 3; ++round) {
            auto both_threads = [this]() -> Task<bool> {
                const auto barrier = std::make_shared<std::barrier<>>(2);
                auto meet = [barrier](std::size_t, const std::stop_token&) {
                    barrier->arrive_and_wait();
                    return true;
                };
                co_return !(co_await run_all_on(*pool_, Priority::verify, {}, 2, std::move(meet)))
                    .empty();
            };
            EXPECT_TRUE(run(both_threads()));
            context_.restart();
            while (context_.poll() > 0) context_.restart();
        }
    }

    Miner miner_{*pool_,
                 trainers_,
                 key_,
                 0,
                 {[](const chain::Block&) {}, [](const chain::Segment&) {},
                  [this](std::uint64_t work) { source_.lanes_handed_in(work); }}};
    WorkSource source_{*service_, miner_, *pool_, trainers_, key_.public_key()};
    std::shared_ptr<const chain::ParentState> first_parent_;
};

TEST_F(Renewal, work_is_there_at_once_and_stays_if_no_share_comes) {
    source_.set_mining(true);
    ASSERT_TRUE(work_lists(0));
    const auto work = miner_.work();
    drain();
    source_.share_judged();  // one that was refused
    drain();
    EXPECT_EQ(miner_.work(), work);
    source_.set_mining(false);
    EXPECT_EQ(miner_.work(), nullptr);
    drain();
    EXPECT_EQ(miner_.work(), nullptr);
}

TEST_F(Renewal, closing_amid_the_making_of_work_is_no_failure) {
    std::ostringstream log;
    const auto default_logger = spdlog::default_logger();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "closing", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
    asio::post(service_->strand(), [this] { source_.set_mining(true); });
    close_source();
    spdlog::set_default_logger(default_logger);
    EXPECT_EQ(log.str(), "");
}

TEST_F(Renewal, shares_are_taken_up_when_all_are_judged_and_not_again_before_the_wait_is_over) {
    const auto early = share(8);
    const auto late = share(9);
    service_->submit_own_share(early);
    asio::post(service_->strand(), [&] { source_.set_mining(true); });
    ASSERT_TRUE(work_lists(1));
    const auto work = miner_.work();
    EXPECT_EQ(work->contents->shares.at(0).segment, early);
    hand_in(late);
    EXPECT_EQ(miner_.work(), work);
}

TEST_F(Renewal, a_new_tip_takes_the_work_away_at_once_and_measures_from_there) {
    source_.set_mining(true);
    ASSERT_TRUE(work_lists(0));
    const auto block = strangers_block();
    bool told = false;
    service_->on_tip([&](const auto&) {
        EXPECT_EQ(miner_.work(), nullptr);
        told = true;
    });
    ASSERT_TRUE(run(service_->submit(block)).has_value());
    EXPECT_TRUE(told);
    ASSERT_TRUE(work_lists(0));
    EXPECT_EQ(miner_.work()->parent->id(), service_->tip()->id());
}

class ShortWait : public Renewal {
  protected:
    ShortWait() : Renewal(2'000) {}
};

TEST_F(ShortWait, shares_that_come_later_are_taken_up_at_the_end_of_the_wait) {
    const auto early = share(8);
    const auto late = share(9);
    const auto too_late = share(10);
    service_->submit_own_share(early);
    asio::post(service_->strand(), [&] { source_.set_mining(true); });
    ASSERT_TRUE(work_lists(1));
    hand_in(late);
    ASSERT_TRUE(work_lists(2));
    const auto work = miner_.work();
    hand_in(too_late);
    EXPECT_EQ(miner_.work(), work);
}

}  // namespace
}  // namespace gradient::node
