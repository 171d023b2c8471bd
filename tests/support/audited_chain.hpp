#pragma once

// A ledger service with audits, and miners that mine on it in one process, honest or not.

#include "chain/base/check.hpp"
#include "chain/block_template.hpp"
#include "chain/state/entries.hpp"
#include "chain/state/settlement.hpp"
#include "chain/storage/memory_store.hpp"
#include "node/audit/audit_service.hpp"
#include "node/ledger/ledger_service.hpp"
#include "tests/support/lying_lane.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/test_network.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::test {

/// A miner with one lane; all lanes run at the same speed.
struct TestMiner {
    std::uint8_t key = 1;    ///< seed of tiny_key()
    LyingLane::Claim claim;  ///< none: honest
};

/// A segment that somebody has handed in.
struct HandedIn {
    std::size_t miner = 0;
    chain::Hash256 id;
    std::uint32_t units = 0;
    std::size_t lies = 0;
    std::uint64_t displacement = 0;  ///< of the whole segment
    std::uint64_t cap = 0;           ///< beyond which the settlement clips it
};

class AuditedChain {
  public:
    struct Options {
        double fraction = 1;
        std::uint8_t auditor = 1;  ///< seed of its key
        std::size_t max_bytes = node::AuditQueue::kMaxBytes;
        node::AuditQueue::Random random;
    };

    AuditedChain(std::shared_ptr<const chain::Network> network, Options options)
        : network_(std::move(network)),
          options_(std::move(options)),
          key_(tiny_key(options_.auditor)) {
        auto ledger = chain::Ledger::open(network_, std::make_unique<chain::MemoryStore>());
        CHECK(ledger);
        pool_ = std::make_unique<node::WorkerPool>(2);
        service_ = std::make_unique<node::LedgerService>(context_.get_executor(),
                                                         *std::move(ledger), *pool_, trainers_);
        service_->on_tip([this](const auto&) { audits_->tip_changed(); });
        service_->on_segments([this](std::uint64_t height, const auto& segments) {
            segments_.insert(segments_.end(), segments.begin(), segments.end());
            audits_->take(height, segments);
        });
        service_->start();
        start_audits();
    }
    ~AuditedChain() {
        close_audits();
        run(ended(service_->close()));
        pool_.reset();
    }
    AuditedChain(const AuditedChain&) = delete;
    AuditedChain& operator=(const AuditedChain&) = delete;

    /// Ends the audits and starts them anew, as a restart of the node would.
    void restart_audits() {
        close_audits();
        start_audits();
    }

    /// Mines one block, whose segments and the shares beside it go through the ledger service; then
    /// waits until there is nothing left to verify or to audit. Gives what the miners have handed
    /// in, the winner's segment first.
    std::vector<HandedIn> mine_block(const std::vector<TestMiner>& miners) {
        const auto work = make_work();
        std::vector<LyingLane> lanes;
        for (const auto& miner : miners) lanes.push_back(new_lane(work, miner));
        model::Trainer& trainer = own_trainers_.trainer_of(work.parent->task());
        for (;;) {
            for (std::size_t i = 0; i < lanes.size(); ++i) {
                const auto ticket = lanes[i].step(trainer, claim_of(miners[i]));
                const bool wins = ticket == chain::TicketClass::win;
                const auto built = wins ? lanes[i].build(key_of(miners[i])) : std::nullopt;
                if (built) return end_round(work, miners, lanes, i, *built);
                if (!ticket || wins || lanes[i].full()) lanes[i] = new_lane(work, miners[i]);
            }
        }
    }

    /// Waits until no audit is wanted any more and all that follows from them is done.
    void settle() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        const auto busy = [&] {
            const auto status = audits_->status();
            return status.waiting + status.running > 0;
        };
        context_.restart();
        do {
            context_.run_one_for(std::chrono::milliseconds(1));
            CHECK(std::chrono::steady_clock::now() < deadline);
        } while (busy());
        while (context_.poll() > 0) {
        }
    }

    template <class T>
    T run(node::Task<T> task) {
        auto result =
            boost::asio::co_spawn(service_->strand(), std::move(task), boost::asio::use_future);
        // A future may become ready between two handlers, without a last one.
        while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            context_.restart();
            context_.run_one_for(std::chrono::milliseconds(1));
        }
        return result.get();
    }

    [[nodiscard]] node::LedgerService& service() noexcept { return *service_; }
    [[nodiscard]] node::AuditService& audits() noexcept { return *audits_; }
    [[nodiscard]] node::AuditStatus status() const { return audits_->status(); }
    [[nodiscard]] const chain::StateView& state() const { return service_->tip()->state(); }
    [[nodiscard]] std::uint64_t height() const { return service_->tip()->height(); }
    /// All that the chain has verified.
    [[nodiscard]] const std::vector<chain::CheckedSegment>& segments() const { return segments_; }
    [[nodiscard]] std::filesystem::path proof_file() const { return folder_.path() / "proofs"; }

    template <class T>
    T entry(const chain::StateKey& key) const {
        return chain::read_entry<T>(state(), key).value().value_or(T{});
    }
    [[nodiscard]] std::uint64_t balance(std::uint8_t key) const {
        return entry<chain::Account>(chain::account_key(address(key))).balance.units();
    }
    /// Pay that has not matured.
    [[nodiscard]] std::uint64_t immature(std::uint8_t key) const {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 1; i <= network_->params().maturity_blocks; ++i) {
            const auto maturing = entry<chain::MaturingPay>(chain::maturing_pay_key(height() + i));
            for (const auto& pay : maturing.pays) {
                if (pay.payee == address(key)) sum += pay.amount.units();
            }
        }
        return sum;
    }
    /// Of it, what the tip's block has brought.
    [[nodiscard]] std::uint64_t last_pay(std::uint8_t key) const {
        std::uint64_t sum = 0;
        const auto maturing = entry<chain::MaturingPay>(
            chain::maturing_pay_key(height() + network_->params().maturity_blocks));
        for (const auto& pay : maturing.pays) {
            if (pay.payee == address(key)) sum += pay.amount.units();
        }
        return sum;
    }
    [[nodiscard]] chain::Totals totals() const { return entry<chain::Totals>(chain::totals_key()); }
    [[nodiscard]] static chain::Address address(std::uint8_t key) {
        return chain::address_of(tiny_key(key).public_key());
    }
    /// Score of the model after the tip.
    [[nodiscard]] model::Evaluation held_out() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        CHECK(run(service_->wait_for_height(height(), true, deadline)));
        const auto score = service_->evaluator().score_of(*service_->tip());
        CHECK(score);
        return *score;
    }

  private:
    static node::Task<int> ended(node::Task<> task) {
        co_await std::move(task);
        co_return 0;
    }

    void start_audits() {
        audits_ = std::make_unique<node::AuditService>(
            *service_, *pool_, trainers_, key_, proof_file(),
            node::AuditService::Options{options_.fraction, options_.max_bytes, options_.random});
        audits_->start();
    }
    void close_audits() { run(ended(audits_->close())); }

    static chain::SecretKey key_of(const TestMiner& miner) { return tiny_key(miner.key); }
    static LyingLane::Claim claim_of(const TestMiner& miner) {
        if (miner.claim) return miner.claim;
        return [](std::uint32_t, ClaimedState&) { return false; };
    }
    LyingLane new_lane(const chain::BlockTemplate& work, const TestMiner& miner) {
        return {work, lane_number_++, key_of(miner).public_key()};
    }

    chain::BlockTemplate make_work() {
        const std::uint64_t time_ms = service_->tip()->context().time_ms + 1'000;
        auto work = chain::make_template(service_->tip(), service_->template_contents(),
                                         key_.public_key(), time_ms, own_trainers_);
        CHECK(work);
        return *std::move(work);
    }

    std::vector<HandedIn> end_round(const chain::BlockTemplate& work,
                                    const std::vector<TestMiner>& miners,
                                    const std::vector<LyingLane>& lanes, std::size_t winner,
                                    const chain::BuiltSegment& built) {
        const auto submitted =
            run(service_->submit(std::make_shared<const chain::Block>(work.assemble_block(built))));
        CHECK(submitted && *submitted == chain::CommitOutcome::extended);
        std::vector<HandedIn> handed{handed_in(lanes[winner], winner)};
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            const auto share = i == winner ? std::nullopt : lanes[i].build(key_of(miners[i]));
            if (!share) continue;
            run(service_->submit_share(std::make_shared<const chain::Segment>(share->segment)));
            handed.push_back(handed_in(lanes[i], i));
        }
        settle();
        return handed;
    }

    HandedIn handed_in(const LyingLane& lane, std::size_t miner) const {
        const auto history =
            entry<chain::SettlementHistory>(chain::history_key(chain::kGenesisTask));
        const auto& shape = network_->task->record.shape;
        const std::uint64_t initial =
            (std::uint64_t{shape.x_clip} + shape.y_clip) * network_->params().work.units_per_hit;
        const auto hits = static_cast<std::uint32_t>(lane.hits().size());
        return {miner,
                lane.id(),
                lane.units(),
                lane.lies().size(),
                chain::displacement(lane.start(), lane.parameters()),
                chain::displacement_cap(hits, chain::usual_segment(history), initial)};
    }

    std::shared_ptr<const chain::Network> network_;
    Options options_;
    chain::SecretKey key_;
    TemporaryDirectory folder_;
    node::TrainerPool trainers_{network_->task, model::EngineKind::best};
    chain::OwnTrainers own_trainers_;
    boost::asio::io_context context_{1};
    std::unique_ptr<node::WorkerPool> pool_;
    std::unique_ptr<node::LedgerService> service_;
    std::unique_ptr<node::AuditService> audits_;
    std::vector<chain::CheckedSegment> segments_;
    std::uint32_t lane_number_ = 0;
};

}  // namespace gradient::test
