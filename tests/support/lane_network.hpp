#pragma once

#include "chain/base/check.hpp"
#include "chain/base/codec.hpp"
#include "chain/block_template.hpp"
#include "chain/ledger.hpp"
#include "chain/storage/memory_store.hpp"
#include "tests/support/test_network.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gradient::test {

/// A miner of a simulated network: one lane, some units each second.
struct SimulatedMiner {
    std::uint8_t key = 1;              ///< seed of tiny_key()
    double units_per_second = 100;     ///< on the simulated clock
};

/// What has been computed and what became of it.
struct LaneCounters {
    std::uint64_t computed = 0;  ///< units run
    std::uint64_t included = 0;  ///< units of segments that the chain includes
};

/// Several miners on one chain, one ledger and one simulated clock: whichever lane's next unit ends
/// first runs it. When a lane wins, the others hand in their segments as shares, which the next
/// template lists; nobody knows of anything else. All arithmetic and all rules are the real ones.
class LaneNetwork {
  public:
    LaneNetwork(std::shared_ptr<const chain::Network> network, std::vector<SimulatedMiner> miners)
        : network_(std::move(network)), miners_(std::move(miners)) {
        ledger_ = *chain::Ledger::open(network_, std::make_unique<chain::MemoryStore>());
        now_ms_ = static_cast<double>(network_->params().anchor.time_ms);
        for (std::size_t i = 0; i < miners_.size(); ++i) counters_.emplace_back();
    }

    /// Which of the finished segments the next template lists, and which are kept for later: by
    /// default all are listed. Given the miner and its share.
    using Listing = std::function<bool(std::size_t, const chain::VerifiedShare&)>;
    void set_listing(Listing listing) { listing_ = std::move(listing); }

    /// Shares that a listing left out come in the next block as late ones.
    void include_late(bool on) { includes_late_ = on; }

    /// Mines one block; returns the miner that won it.
    std::size_t mine_block() {
        start_lanes();
        for (;;) {
            const std::size_t miner = next_miner();
            Running& lane = lanes_[miner];
            now_ms_ = lane.ready_ms;
            lane.ready_ms += 1000 / miners_[miner].units_per_second;
            const auto ticket = lane.lane->step(trainers_.trainer_of(ledger_->tip()->task()));
            CHECK(ticket);
            counters_[miner].computed += 1;
            if (*ticket == chain::TicketClass::win) {
                take_win(miner);
                return miner;
            }
            if (lane.lane->full()) start_lane(miner);
        }
    }

    /// What the state of the chain says: the ledger.
    [[nodiscard]] chain::Ledger& ledger() noexcept { return *ledger_; }
    [[nodiscard]] chain::OwnTrainers& trainers() noexcept { return trainers_; }
    [[nodiscard]] const std::vector<LaneCounters>& counters() const noexcept { return counters_; }
    [[nodiscard]] double now_ms() const noexcept { return now_ms_; }
    [[nodiscard]] const std::vector<std::size_t>& shares_of_blocks() const noexcept {
        return shares_;
    }
    [[nodiscard]] std::size_t largest_block() const noexcept { return largest_block_; }

  private:
    struct Running {
        std::optional<chain::Lane> lane;
        std::optional<chain::BlockTemplate> work;
        double ready_ms = 0;
    };

    void start_lanes() {
        lanes_.resize(miners_.size());
        chain::TemplateContents contents;
        for (const auto& [miner, share] : waiting_) contents.shares.push_back(share);
        for (const auto& [miner, share] : late_) {
            contents.transactions.push_back({chain::ShareTransaction{*share.segment}});
        }
        contents_ = std::move(contents);
        // Shares of all miners settle into one theta_0, worked out once.
        work_ = *chain::make_template(ledger_->tip(), contents_, tiny_key().public_key(), time_ms(),
                                      trainers_);
        for (std::size_t i = 0; i < miners_.size(); ++i) start_lane(i);
    }

    void start_lane(std::size_t miner) {
        Running& running = lanes_[miner];
        running.work = work_;
        running.work->tmpl.miner = tiny_key(miners_[miner].key).public_key();
        running.work->tmpl.time_ms = std::max(work_->tmpl.time_ms, time_ms());
        running.lane.emplace(running.work->start_lane(lane_number_++));
        running.ready_ms = now_ms_ + 1000 / miners_[miner].units_per_second;
    }

    [[nodiscard]] std::uint64_t time_ms() const { return static_cast<std::uint64_t>(now_ms_); }

    [[nodiscard]] std::size_t next_miner() const {
        std::size_t first = 0;
        for (std::size_t i = 1; i < lanes_.size(); ++i) {
            if (lanes_[i].ready_ms < lanes_[first].ready_ms) first = i;
        }
        return first;
    }

    void take_win(std::size_t winner) {
        const chain::SecretKey key = tiny_key(miners_[winner].key);
        model::Trainer& trainer = trainers_.trainer_of(ledger_->tip()->task());
        auto built = chain::build_segment(*lanes_[winner].lane, key, trainer);
        CHECK(built);
        counters_[winner].included += built->header.units;
        const auto block = std::make_shared<const chain::Block>(
            lanes_[winner].work->assemble_block(*std::move(built)));
        largest_block_ = std::max(largest_block_, chain::encoded_size(*block));
        const auto submitted = ledger_->submit_block(block, time_ms(), trainers_);
        if (!submitted) failure_ = chain::describe(submitted.error());
        CHECK(submitted && *submitted == chain::CommitOutcome::extended);
        for (const auto& [miner, share] : waiting_) {
            counters_[miner].included += share.outcome.units;
        }
        for (const auto& [miner, share] : late_) counters_[miner].included += share.outcome.units;
        shares_.push_back(waiting_.size() + late_.size());
        waiting_.clear();
        late_.clear();
        std::swap(late_, left_out_);
        hand_in(winner);
    }

    void hand_in(std::size_t winner) {
        for (std::size_t i = 0; i < lanes_.size(); ++i) {
            if (i == winner || lanes_[i].lane->last_hit() == 0) continue;
            model::Trainer& trainer = trainers_.trainer_of(lanes_[i].work->parent->task());
            auto built = chain::build_segment(*lanes_[i].lane, tiny_key(miners_[i].key), trainer);
            CHECK(built);
            const auto candidate = ledger_->admit_share(
                std::make_shared<const chain::Segment>(std::move(built->segment)));
            CHECK(candidate);
            const auto verified = chain::verify_share(*candidate, trainers_);
            if (!verified) failure_ = chain::describe(verified.error());
            CHECK(verified);
            if (listing_ && !listing_(i, *verified)) {
                if (includes_late_) left_out_.emplace_back(i, *verified);
                continue;
            }
            waiting_.emplace_back(i, *verified);
        }
    }

    using MinersShare = std::pair<std::size_t, chain::VerifiedShare>;

    std::shared_ptr<const chain::Network> network_;
    std::vector<SimulatedMiner> miners_;
    chain::OwnTrainers trainers_;
    std::unique_ptr<chain::Ledger> ledger_;
    Listing listing_;
    bool includes_late_ = false;
    std::vector<Running> lanes_;
    std::vector<LaneCounters> counters_;
    std::vector<MinersShare> waiting_;   // to be listed by the next template
    std::vector<MinersShare> left_out_;  // of the last round, not listed
    std::vector<MinersShare> late_;      // to be included late by the next template
    chain::TemplateContents contents_;
    std::optional<chain::BlockTemplate> work_;
    std::vector<std::size_t> shares_;
    std::size_t largest_block_ = 0;
    std::uint32_t lane_number_ = 0;
    double now_ms_ = 0;
    std::string failure_;  // of the last submission that failed; for a debugger
};

}  // namespace gradient::test
