// What becomes of the segments that are handed out: each unit is counted in one place, always.

#include "node/mining/miner.hpp"
#include "tests/support/mining_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace gradient::node {
namespace {

constexpr std::array kFates{SegmentFate::ended_block, SegmentFate::included, SegmentFate::waiting,
                            SegmentFate::given_up};

// The plain form of what the miner counts: the last word on each segment.
struct PlainCount {
    struct Segment {
        std::uint64_t units = 0;
        bool is_block = false;  // as it was handed out
        std::optional<SegmentFate> fate;
    };

    void tell(const chain::Hash256& lane, SegmentFate fate) {
        Segment& segment = segments.at(lane);
        const bool on_chain =
            segment.fate == SegmentFate::ended_block || segment.fate == SegmentFate::included;
        if (!on_chain || fate != SegmentFate::given_up) segment.fate = fate;
    }

    void expect(const MiningCounters& counters, const MiningCounters& before) const {
        MiningCounters sums;
        for (const auto& [lane, one] : segments) {
            const bool waits = one.fate == SegmentFate::waiting || (!one.fate && !one.is_block);
            const bool block = one.fate == SegmentFate::ended_block;
            const bool share = one.fate == SegmentFate::included;
            sums.units_waiting += waits ? one.units : 0;
            sums.units_in_progress += !one.fate && one.is_block ? one.units : 0;
            sums.units_in_blocks += block || share ? one.units : 0;
            sums.units_abandoned += one.fate == SegmentFate::given_up ? one.units : 0;
            sums.blocks += block ? 1U : 0U;
            sums.shares += share ? 1U : 0U;
        }
        EXPECT_EQ(counters.units_waiting, sums.units_waiting);
        EXPECT_EQ(counters.units_in_progress, sums.units_in_progress);
        EXPECT_EQ(counters.units_in_blocks, sums.units_in_blocks);
        EXPECT_EQ(counters.units_abandoned, sums.units_abandoned + before.units_abandoned);
        EXPECT_EQ(counters.blocks, sums.blocks);
        EXPECT_EQ(counters.shares, sums.shares);
        EXPECT_EQ(counters.units_computed, counters.units_in_blocks + counters.units_abandoned +
                                               counters.units_in_progress + counters.units_waiting);
    }

    std::map<chain::Hash256, Segment> segments;
};

TEST_F(Mining, in_whatever_order_fates_are_told_each_unit_is_in_one_place) {
    std::mutex mutex;
    PlainCount plain;  // under mutex while lanes run
    const auto hand_out = [&](const chain::Template& tmpl, std::uint64_t units, bool is_block) {
        const std::lock_guard lock(mutex);
        plain.segments[chain::template_hash(tmpl)] = {units, is_block, std::nullopt};
    };
    Miner miner(
        *pool_, trainers_, key_, 3,
        {[&](const chain::Block& block) { hand_out(block.header.tmpl, block.header.units, true); },
         [&](const chain::Segment& share) { hand_out(share.tmpl, share.body.units(), false); },
         [](std::uint64_t) {}});
    const auto enough = [&] {
        const std::lock_guard lock(mutex);
        const auto blocks = std::ranges::count_if(
            plain.segments, [](const auto& one) { return one.second.is_block; });
        const auto all = static_cast<std::ptrdiff_t>(plain.segments.size());
        return blocks >= 3 && all - blocks >= 3;
    };
    for (std::uint64_t time = 1; !enough(); ++time) {
        ASSERT_LT(time, 100'000U);
        const auto work =
            chain::make_template(service_->tip(), {}, key_.public_key(), time, own_trainers_);
        ASSERT_TRUE(work.has_value());
        const auto units = miner.counters().units_computed;
        miner.set_work(std::make_shared<const chain::BlockTemplate>(*work));
        ASSERT_TRUE(eventually([&] { return miner.counters().units_computed >= units + 3; }));
        miner.set_work(nullptr);
    }
    pool_.reset();

    const auto before = miner.counters();
    plain.expect(before, before);
    std::vector<chain::Hash256> lanes;
    for (const auto& [lane, segment] : plain.segments) lanes.push_back(lane);
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int i = 0; i < 1'000; ++i) {
        const SegmentFate fate = kFates.at(random() % kFates.size());
        const auto& lane = lanes[random() % lanes.size()];
        miner.settle(lane, fate);
        plain.tell(lane, fate);
        chain::Hash256 strangers = lane;
        strangers.bytes[0] ^= 1U;
        miner.settle(strangers, kFates.at(random() % kFates.size()));
        ASSERT_NO_FATAL_FAILURE(plain.expect(miner.counters(), before));
    }
}

// What the ledger tells of lanes, in order.
class Fates : public Mining {
  protected:
    using Told = std::pair<chain::Hash256, SegmentFate>;

    Fates() {
        service_->on_share([this](const chain::Hash256& lane, SegmentFate fate) {
            told_.emplace_back(lane, fate);
        });
    }

    void submit(const std::shared_ptr<const chain::Block>& block) {
        const auto result = run(service_->submit(block));
        ASSERT_TRUE(result.has_value()) << chain::describe(result.error());
        ASSERT_TRUE(eventually([&] { return service_->shares_in_judgement() == 0; }));
    }

    static chain::Hash256 lane_of(const std::shared_ptr<const chain::Block>& block) {
        return chain::template_hash(block->header.tmpl);
    }

    std::shared_ptr<const chain::Block> block_on(
        const std::shared_ptr<const chain::ParentState>& parent, std::uint8_t miner,
        chain::TemplateContents contents = {}) {
        return test::mine_on(parent, own_trainers_, miner, 0, std::move(contents));
    }

    std::vector<Told> told_;
};

TEST_F(Fates, a_block_that_leaves_the_chain_waits_as_a_share_until_another_includes_it) {
    const auto genesis = service_->tip();
    const auto own = block_on(genesis, 7);
    submit(own);
    EXPECT_EQ(told_, (std::vector<Told>{{lane_of(own), SegmentFate::ended_block}}));
    const auto first = block_on(genesis, 9);
    submit(first);
    EXPECT_EQ(told_.size(), 1U);  // a side branch so far
    const auto state = *service_->ledger().state_after(chain::header_id(first->header));
    told_.clear();
    const auto second = block_on(state, 9);
    submit(second);
    EXPECT_EQ(told_, (std::vector<Told>{{lane_of(own), SegmentFate::waiting},
                                        {lane_of(first), SegmentFate::ended_block},
                                        {lane_of(second), SegmentFate::ended_block}}));
    // Now it waits as a late share, and the next block takes it in.
    told_.clear();
    const auto third = block_on(service_->tip(), 9, service_->template_contents());
    submit(third);
    EXPECT_EQ(told_, (std::vector<Told>{{lane_of(third), SegmentFate::ended_block},
                                        {lane_of(own), SegmentFate::included}}));
}

TEST_F(Fates, a_share_that_is_refused_or_comes_too_late_is_given_up) {
    const auto genesis = service_->tip();
    const auto orphan = block_on(genesis, 7);
    const auto kept = std::make_shared<const chain::Segment>(
        chain::Segment{orphan->header.tmpl, {}, orphan->winner});
    auto forged = *kept;
    forged.tmpl.lane += 1;
    submit(block_on(service_->tip(), 9));
    told_.clear();
    service_->submit_own_share(std::make_shared<const chain::Segment>(forged));
    ASSERT_TRUE(eventually([&] { return !told_.empty(); }));
    EXPECT_EQ(told_,
              (std::vector<Told>{{chain::template_hash(forged.tmpl), SegmentFate::given_up}}));
    told_.clear();
    service_->submit_own_share(kept);
    ASSERT_TRUE(eventually([&] { return service_->share_pool().size() == 1; }));
    EXPECT_TRUE(told_.empty());
    // Nobody includes it while it may be.
    for (std::uint32_t late = 0; late <= chain::kMaxLateness; ++late) {
        EXPECT_EQ(std::ranges::count(told_, Told{lane_of(orphan), SegmentFate::given_up}), 0);
        submit(block_on(service_->tip(), 9));
    }
    EXPECT_EQ(std::ranges::count(told_, Told{lane_of(orphan), SegmentFate::given_up}), 1);
    EXPECT_EQ(service_->share_pool().size(), 0U);
}

}  // namespace
}  // namespace gradient::node
