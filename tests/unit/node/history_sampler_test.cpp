// Judging a peer's chain over messages, with simulated time: the sampler on one side, the server of
// a real ledger, or a liar, on the other.
#include "node/sync/history_sampler.hpp"

#include "node/sync/history_server.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/history_teller.hpp"
#include "tests/support/small_network.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace gradient::node {
namespace {

using std::chrono::milliseconds;

constexpr PeerId kTeller{1};
constexpr PeerId kJudge{2};
constexpr PeerId kStranger{3};
constexpr int kBlocks = 230;

struct SharedChain {
    std::shared_ptr<const chain::Network> network = test::small_network(2);
    chain::OwnTrainers trainers;
    std::unique_ptr<chain::Ledger> ledger =
        *chain::Ledger::open(network, std::make_unique<chain::MemoryStore>());
    SharedChain() {
        for (int i = 0; i < kBlocks; ++i) {
            CHECK(test::grow(*ledger, ledger->tip()->id(), trainers));
        }
    }
};
SharedChain& shared() {
    static SharedChain chain;
    return chain;
}

// A message after its way over the wire.
Message carried(const Message& message) {
    const auto frame = encode_frame(message);
    const auto payload = chain::ByteSpan(frame).subspan(kFrameHeaderBytes);
    EXPECT_LE(payload.size(), *max_payload_bytes(frame[4]));
    auto decoded = decode_payload(frame[4], payload);
    CHECK(decoded);
    return *std::move(decoded);
}

class HistorySampling : public testing::Test {
  protected:
    HistorySampling()
        : server_(*shared().ledger,
                  {.send = [this](PeerId, Message message) { push_answer(std::move(message)); },
                   .queued_bytes = {},
                   .received_bytes = {},
                   .report = [this](PeerId peer, const Offence& what) { note(peer, what); },
                   .submit_block = {},
                   .submit_share = {},
                   .submit_transaction = {}}) {}

    void begin(const SamplingLimits& limits = {}) {
        const auto& tip = *shared().ledger->tip();
        const chain::HistoryClaim claim{tip.height(), tip.id(), tip.index().cumulative_work};
        begin(claim, limits);
    }
    void begin(const chain::HistoryClaim& claim, const SamplingLimits& limits = {}) {
        const auto now_ms = shared().ledger->tip()->context().time_ms;
        sampler_.emplace(
            test::light_network(*shared().network), kTeller, claim, test::hash_of(3), now_ms,
            SamplerOutlets{
                .send = [this](PeerId, Message message) { questions_.push_back(message); },
                .report = [this](PeerId peer, const Offence& what) { note(peer, what); },
                .run = [this](chain::LightJob job) { jobs_.push_back(std::move(job)); },
                .finished = [this](const auto& verdict) { verdicts_.push_back(verdict); }},
            limits);
        sampler_->start(now_);
    }

    void push_answer(Message message) {
        if (change_) change_(message);
        answers_.push_back(std::move(message));
    }
    void note(PeerId peer, const Offence& what) {
        offences_[peer].push_back(std::get<ProtocolOffence>(what));
    }
    void ask(const Message& question) {
        if (const auto* tail = std::get_if<GetTail>(&question)) {
            server_.on_get_tail(kJudge, *tail, now_);
        } else if (const auto* samples = std::get_if<GetSamples>(&question)) {
            server_.on_get_samples(kJudge, *samples, now_);
        } else if (const auto* evidence = std::get_if<GetEvidence>(&question)) {
            server_.on_get_evidence(kJudge, *evidence, now_);
        } else {
            server_.on_get_task_data(kJudge, std::get<GetTaskData>(question), now_);
        }
    }
    void tell(const Message& answer) {
        if (const auto* tail = std::get_if<Tail>(&answer)) {
            sampler_->on_tail(kTeller, *tail, now_);
        } else if (const auto* samples = std::get_if<Samples>(&answer)) {
            sampler_->on_samples(kTeller, *samples, now_);
        } else if (const auto* evidence = std::get_if<Evidence>(&answer)) {
            sampler_->on_evidence(kTeller, *evidence, now_);
        } else if (const auto* data = std::get_if<TaskData>(&answer)) {
            sampler_->on_task_data(kTeller, *data, now_);
        } else {
            sampler_->on_not_found(kTeller, std::get<NotFound>(answer), now_);
        }
    }
    template <class T>
    static T pop(std::deque<T>& queue) {
        T front = std::move(queue.front());
        queue.pop_front();
        return front;
    }
    bool step() {
        if (!questions_.empty()) {
            ask(carried(pop(questions_)));
        } else if (!answers_.empty()) {
            tell(carried(pop(answers_)));
        } else if (!jobs_.empty()) {
            const auto job = pop(jobs_);
            sampler_->job_done(
                chain::run_light_job(job, shared().network->params(), shared().trainers), now_);
        } else {
            return false;
        }
        return true;
    }
    // Lets time and messages go until the sampler has ended.
    const SamplingVerdict& run() {
        for (int i = 0; i < 100'000 && !sampler_->ended(); ++i) {
            most_jobs_ = std::max(most_jobs_, jobs_.size());
            if (step()) continue;
            now_ += milliseconds(250);
            server_.tick(now_);
            sampler_->tick(now_);
        }
        CHECK(verdicts_.size() == 1);
        return verdicts_.front();
    }
    void expect_stop(SamplingStop why) {
        ASSERT_TRUE(std::holds_alternative<SamplingStop>(run().result)) << describe(run());
        EXPECT_EQ(std::get<SamplingStop>(run().result), why);
        EXPECT_TRUE(sampler_->ended());
    }
    void expect_failure(const chain::HistoryFailure& why) {
        ASSERT_TRUE(std::holds_alternative<chain::HistoryFailure>(run().result)) << describe(run());
        EXPECT_EQ(std::get<chain::HistoryFailure>(run().result), why) << describe(run());
    }
    using Offences = std::map<PeerId, std::vector<ProtocolOffence>>;

    SteadyTime now_ = SteadyTime{} + std::chrono::hours(1);
    HistoryServer server_;
    std::optional<HistorySampler> sampler_;
    std::function<void(Message&)> change_;
    std::deque<Message> questions_;
    std::deque<Message> answers_;
    std::deque<chain::LightJob> jobs_;
    std::vector<SamplingVerdict> verdicts_;
    std::size_t most_jobs_ = 0;
    Offences offences_;
};

TEST_F(HistorySampling, an_honest_peer_is_believed) {
    begin();
    const auto& verdict = run();
    ASSERT_TRUE(verdict.is_believed()) << describe(verdict);
    EXPECT_EQ(verdict.peer, kTeller);
    const auto& believed = std::get<chain::BelievedHistory>(verdict.result);
    EXPECT_EQ(believed.tip, shared().ledger->tip()->id());
    EXPECT_GE(believed.replays, 200U);
    EXPECT_EQ(sampler_->status().jobs, believed.replays);
    EXPECT_GT(sampler_->status().bytes, 0U);
    EXPECT_LE(most_jobs_, chain::kOpenEvidence);
    EXPECT_EQ(offences_, Offences());
}

TEST_F(HistorySampling, a_silent_peer_is_given_up) {
    begin();
    const auto begun = now_;
    questions_.clear();
    expect_stop(SamplingStop::stalled);
    EXPECT_LE(now_ - begun, kSamplingTimeout + milliseconds(500));
    EXPECT_EQ(offences_, (Offences{{kTeller, {ProtocolOffence::stalled}}}));
}

TEST_F(HistorySampling, waiting_for_its_own_replays_is_not_held_against_the_peer) {
    begin();
    while (jobs_.size() < chain::kOpenEvidence) ASSERT_TRUE(step());
    now_ += kSamplingTimeout * 3;
    sampler_->tick(now_);
    EXPECT_FALSE(sampler_->ended());
    EXPECT_TRUE(run().is_believed());
}

TEST_F(HistorySampling, a_peer_that_drips_is_given_up) {
    begin({.timeout = std::chrono::seconds(30), .max_time = std::chrono::seconds(100)});
    while (!sampler_->ended()) {
        if (answers_.empty()) {
            step();
            continue;
        }
        now_ += std::chrono::seconds(20);
        sampler_->tick(now_);
        if (!sampler_->ended()) step();
    }
    expect_stop(SamplingStop::stalled);
}

TEST_F(HistorySampling, too_many_bytes_end_it) {
    begin({.timeout = kSamplingTimeout, .max_time = kMaxSamplingTime, .max_bytes = 100'000});
    expect_stop(SamplingStop::too_large);
    EXPECT_EQ(offences_, Offences());
}

TEST_F(HistorySampling, a_peer_without_the_tip_is_no_liar) {
    begin({7, test::hash_of(9), chain::U256(1)});
    expect_stop(SamplingStop::withheld);
    EXPECT_EQ(offences_, Offences());
}

TEST_F(HistorySampling, a_peer_without_the_anchor_is_no_liar) {
    change_ = [](Message& message) {
        if (auto* samples = std::get_if<Samples>(&message)) samples->samples.clear();
    };
    begin();
    expect_stop(SamplingStop::withheld);
    EXPECT_EQ(offences_, Offences());
}

TEST_F(HistorySampling, a_peer_without_evidence_claims_what_it_can_not_show) {
    change_ = [](Message& message) {
        const auto* evidence = std::get_if<Evidence>(&message);
        if (evidence) message = NotFound{{{ItemKind::block, evidence->id}}};
    };
    begin();
    expect_stop(SamplingStop::withheld);
    EXPECT_EQ(offences_, (Offences{{kTeller, {ProtocolOffence::false_evidence}}}));
}

TEST_F(HistorySampling, lies_are_held_against_the_peer) {
    begin();
    change_ = [](Message& message) {
        if (auto* evidence = std::get_if<Evidence>(&message)) ++evidence->evidence.parameters[0];
    };
    EXPECT_FALSE(run().is_believed());
    EXPECT_EQ(offences_, (Offences{{kTeller, {ProtocolOffence::false_evidence}}}));
}

TEST_F(HistorySampling, more_work_than_there_is_is_a_false_claim) {
    const auto& tip = *shared().ledger->tip();
    begin({tip.height(), tip.id(), chain::U256::max()});
    expect_failure(chain::HistoryFault::wrong_work);
    EXPECT_EQ(offences_, (Offences{{kTeller, {ProtocolOffence::false_claim}}}));
}

TEST_F(HistorySampling, a_broken_sample_is_held_against_the_peer) {
    change_ = [](Message& message) {
        if (auto* samples = std::get_if<Samples>(&message)) {
            samples->samples.back().place.siblings.pop_back();
        }
    };
    begin();
    expect_failure(chain::HistoryFault::wrong_place);
    EXPECT_EQ(offences_, (Offences{{kTeller, {ProtocolOffence::broken_headers}}}));
}

TEST_F(HistorySampling, answers_to_nothing_are_held_against_the_peer) {
    begin();
    sampler_->on_tail(kTeller, {test::hash_of(1), {}}, now_);
    sampler_->on_samples(kTeller, {test::hash_of(1), {}}, now_);
    sampler_->on_evidence(kTeller, {test::hash_of(1), {}}, now_);
    sampler_->on_task_data(kTeller, {1, 0, {1}}, now_);
    EXPECT_EQ(offences_[kTeller], std::vector<ProtocolOffence>(4, ProtocolOffence::unsolicited));
    sampler_->on_tail(kStranger, {test::hash_of(1), {}}, now_);
    sampler_->on_not_found(kTeller, {{{ItemKind::block, test::hash_of(1)}}}, now_);
    sampler_->peer_left(kStranger);
    EXPECT_EQ(offences_.size(), 1U);
    EXPECT_TRUE(run().is_believed());
}

TEST_F(HistorySampling, ends_once_and_takes_nothing_more) {
    begin();
    while (jobs_.empty()) ASSERT_TRUE(step());
    sampler_->peer_left(kTeller);
    expect_stop(SamplingStop::peer_left);
    const auto job = pop(jobs_);
    sampler_->job_done(chain::run_light_job(job, shared().network->params(), shared().trainers),
                       now_);
    sampler_->on_tail(kTeller, {test::hash_of(1), {}}, now_);
    sampler_->tick(now_ + kMaxSamplingTime * 2);
    EXPECT_EQ(verdicts_.size(), 1U);
    EXPECT_EQ(offences_, Offences());
}

TEST_F(HistorySampling, a_server_delays_what_goes_beyond_its_budget) {
    const auto ids = [](std::uint64_t height) { return **shared().ledger->id_at(height); };
    std::size_t asked = 0;
    // Each answer costs kHistoryRequestCost at least.
    while (offences_.empty()) {
        server_.on_get_evidence(kJudge, {ids(1 + asked % kBlocks)}, now_);
        ++asked;
        ASSERT_LT(asked, 10'000U);
    }
    const std::size_t saved = kHistoryPeerRate * kHistorySavedSeconds / kHistoryRequestCost;
    EXPECT_LE(answers_.size(), saved);
    EXPECT_GE(answers_.size(), saved / 2);
    EXPECT_EQ(answers_.size() + kMaxWaitingHistoryRequests + 1, asked);
    EXPECT_EQ(offences_, (Offences{{kJudge, {ProtocolOffence::too_many_requests}}}));
    // Another peer is served at once, and the first one when time has passed.
    const std::size_t before = answers_.size();
    server_.on_get_evidence(kStranger, {ids(1)}, now_);
    EXPECT_EQ(answers_.size(), before + 1);
    server_.tick(now_ + std::chrono::seconds(1));
    EXPECT_EQ(answers_.size(), before + 1 + kMaxWaitingHistoryRequests);
    server_.peer_left(kJudge);
    server_.tick(now_ + std::chrono::seconds(2));
    EXPECT_EQ(answers_.size(), before + 1 + kMaxWaitingHistoryRequests);
}

}  // namespace
}  // namespace gradient::node
