// What a fraud proof costs: its bytes, judging it, and the audit that finds it beside mining.

#include "chain/base/check.hpp"
#include "chain/consensus/genesis_spec.hpp"
#include "chain/fraud/auditor.hpp"
#include "chain/network.hpp"
#include "chain/state/entries.hpp"
#include "chain/transactions/fraud_rules.hpp"
#include "chain/types/transaction.hpp"
#include "chain/work/task_model.hpp"
#include "tests/support/lying_segment.hpp"
#include "tests/support/test_network.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <map>
#include <memory>

namespace gradient::chain {
namespace {

constexpr std::uint32_t kUnits = 600;
constexpr std::uint32_t kFalse = 599;

SharedTask task_of(std::int64_t parameters) {
    if (parameters == 512) return test::tiny_task();
    const auto network = make_network(
        default_chain_spec("bench", test::tiny_text(), test::kGenesisTime, 0x207fffff));
    CHECK(network);
    return (*network)->task;
}

// A lane of kUnits units of which one is false, its audit's proof and a state to judge it in.
struct Case {
    explicit Case(std::int64_t parameters) : task(task_of(parameters)) {
        tasks.add(task);
        const auto theta =
            std::make_shared<const std::vector<std::int32_t>>(initial_parameters(task->record));
        CHECK(theta->size() == static_cast<std::size_t>(parameters));
        start = std::make_unique<LaneStart>(theta);
        tmpl.miner = test::tiny_key().public_key();
        tmpl.task = task->record.id;
        const Hash256 lane = template_hash(tmpl);
        model::Trainer& trainer = trainers.trainer_of(task);
        auto parameters_now = *theta;
        Hash256 digest = lane_digest(lane, start->state);
        auto claimed = std::make_shared<SegmentBody>();
        auto honest = std::make_shared<SegmentBody>();
        for (std::uint32_t k = 1; k <= kUnits; ++k) {
            const auto outcome = run_unit(trainer, lane, k, digest, parameters_now);
            CHECK(outcome);
            honest->digests.push_back(outcome->state);
            claimed->digests.push_back(k == kFalse ? test::hash_of(1) : outcome->state);
            digest = unit_digest(lane, k, digest, claimed->digests.back());
        }
        // Honest up to the false unit: what audits are timed on.
        honest->digests.resize(kFalse - 1);
        body = honest;
        SegmentAudit audit(tmpl, claimed, *start);
        while (!audit.done()) CHECK(audit.step(trainer));
        CHECK(audit.proof());
        action.proof = *audit.proof();
        action.commit_height = 98;
        const Hash256 id = *subject_of(action.proof, tasks);
        state.put(totals_key(), Totals{});
        state.put(segment_key(id), IncludedSegment{tmpl.miner, lane, 90, tmpl.task, kUnits, 90});
        const CommitFraud commitment{fraud_commitment(id, sender, action.salt)};
        TransactionContext before = context();
        before.height = action.commit_height;
        CHECK(apply_fraud(state, sender, commitment, before));
    }

    TransactionContext context() { return {params, {}, 1, 100, {}, &tasks, &trainers}; }

    ConsensusParams params;
    SharedTask task;
    TaskSet tasks;
    OwnTrainers trainers;
    std::unique_ptr<LaneStart> start;
    Template tmpl;
    std::shared_ptr<const SegmentBody> body;
    Address sender;
    RevealFraud action;
    EmptyState base;
    State state{base};
};

Case& case_of(std::int64_t parameters) {
    static std::map<std::int64_t, std::unique_ptr<Case>> cases;
    auto& found = cases[parameters];
    if (!found) found = std::make_unique<Case>(parameters);
    return *found;
}

void judge_proof(benchmark::State& bench) {
    Case& made = case_of(bench.range(0));
    for (auto _ : bench) {
        CHECK(check_fraud(made.action, made.context()));
        CHECK(admit_fraud(made.state, made.sender, made.action, made.context()));
    }
    bench.counters["bytes"] = static_cast<double>(encoded_size(made.action));
}

// Up to the replay: what a proof without a live commitment costs.
void derive_subject(benchmark::State& bench) {
    Case& made = case_of(bench.range(0));
    for (auto _ : bench) CHECK(subject_of(made.action.proof, made.tasks));
}

void mine_unit(benchmark::State& bench) {
    Case& made = case_of(bench.range(0));
    model::Trainer& trainer = made.trainers.trainer_of(made.task);
    const auto lane = [&] { return Lane(made.tmpl, {}, *made.start, Targets{}, made.params.work); };
    Lane mined = lane();
    for (auto _ : bench) {
        if (mined.units() == kFalse - 1) mined = lane();
        CHECK(mined.step(trainer));
    }
    bench.SetItemsProcessed(static_cast<std::int64_t>(bench.iterations()));
}

void audit_unit(benchmark::State& bench) {
    Case& made = case_of(bench.range(0));
    model::Trainer& trainer = made.trainers.trainer_of(made.task);
    SegmentAudit audit(made.tmpl, made.body, *made.start);
    for (auto _ : bench) {
        if (audit.done()) audit = SegmentAudit(made.tmpl, made.body, *made.start);
        CHECK(audit.step(trainer));
    }
    CHECK(!audit.proof());
    bench.SetItemsProcessed(static_cast<std::int64_t>(bench.iterations()));
}

BENCHMARK(judge_proof)->Arg(512)->Arg(32'768)->Unit(benchmark::kMicrosecond);
BENCHMARK(derive_subject)->Arg(512)->Arg(32'768)->Unit(benchmark::kMicrosecond);
BENCHMARK(mine_unit)->Arg(512)->Arg(32'768)->Unit(benchmark::kMicrosecond);
BENCHMARK(audit_unit)->Arg(512)->Arg(32'768)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace gradient::chain
