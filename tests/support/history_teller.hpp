#pragma once

#include "chain/base/check.hpp"
#include "chain/ledger.hpp"
#include "chain/light/history_judge.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace gradient::test {

inline chain::LightNetwork light_network(const chain::Network& network) {
    return {network.params(), network.genesis.header, network.task};
}

/// Answers a judge from a ledger, and lets a liar change the answers on the way.
struct HistoryTeller {
    chain::Ledger& ledger;
    std::function<void(chain::HistoryTail&)> change_tail = [](auto&) {};
    std::function<void(std::vector<chain::HistorySample>&)> change_samples = [](auto&) {};
    std::function<void(const chain::Hash256&, chain::StandaloneEvidence&)> change_evidence =
        [](const auto&, auto&) {};
    std::function<void(chain::Bytes&)> change_chunk = [](auto&) {};

    // What judging has cost.
    std::size_t questions = 0;
    std::size_t bytes = 0;
    std::size_t jobs = 0;

    [[nodiscard]] chain::HistoryClaim claim() const {
        return {ledger.tip()->height(), ledger.tip()->id(), ledger.tip()->index().cumulative_work};
    }

    void answer(chain::HistoryJudge& judge, const chain::HistoryQuestion& question) {
        ++questions;
        if (const auto* tail = std::get_if<chain::AskTail>(&question)) {
            auto found = **ledger.tail(tail->tip, tail->blocks);
            bytes += chain::encoded_size(found);
            change_tail(found);
            judge.take_tail(found);
        } else if (const auto* samples = std::get_if<chain::AskSamples>(&question)) {
            auto found = **ledger.samples(samples->anchor, samples->works);
            for (const auto& one : found) bytes += chain::encoded_size(one);
            change_samples(found);
            judge.take_samples(found);
        } else if (const auto* evidence = std::get_if<chain::AskEvidence>(&question)) {
            auto found = **ledger.evidence(evidence->id);
            bytes += chain::encoded_size(found);
            change_evidence(evidence->id, found);
            judge.take_evidence(evidence->id, std::move(found));
        } else {
            const auto& chunk = std::get<chain::AskChunk>(question);
            auto found = **ledger.task_chunk(chunk.task, chunk.chunk);
            bytes += found.size();
            change_chunk(found);
            judge.take_chunk(chunk.task, chunk.chunk, found);
        }
    }

    /// Answers until there is a verdict.
    chain::Result<chain::BelievedHistory, chain::HistoryFailure> run(chain::HistoryJudge& judge,
                                                                     chain::Trainers& trainers) {
        while (!judge.verdict()) {
            const auto asked = judge.ask();
            for (const auto& question : asked) answer(judge, question);
            const auto work = judge.jobs();
            jobs += work.size();
            for (const auto& job : work) {
                judge.take_result(chain::run_light_job(job, ledger.network().params(), trainers));
            }
            CHECK(judge.verdict() || !asked.empty() || !work.empty());
        }
        return *judge.verdict();
    }
};

}  // namespace gradient::test
