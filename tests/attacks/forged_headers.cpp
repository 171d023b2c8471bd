// A chain of headers with chosen digests claims ten times the honest work. Shows what it costs to
// make, what refuses it and at what cost, and how often a chain passes of which a part is real.

#include "chain/light/history_judge.hpp"
#include "chain/light/work_sampling.hpp"
#include "chain/storage/memory_store.hpp"
#include "chain/transition/rounds.hpp"
#include "chain/work/delta_codec.hpp"
#include "chain/work/task_model.hpp"
#include "tests/support/chain_store.hpp"
#include "tests/support/forged_chain.hpp"
#include "tests/support/history_teller.hpp"
#include "tests/support/small_network.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace gradient {
namespace {

struct Options {
    std::uint64_t headers = 1'000'000;
    std::uint64_t trials = 500;
    unsigned win_bits = 4;  // an honest unit in 2^win_bits wins
    bool json = false;
};

constexpr double kOverstated = 10;  // the claim beside the honest work

// Processor time: all of it is one thread's, and other programs don't count.
double now_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

double seconds_since(double begin) {
    return now_seconds() - begin;
}

// ------------------------------------------------------------------------------------- the forgery

chain::LightNetwork network_of(const Options& options) {
    auto network = test::light_network(*test::small_network(options.win_bits));
    network.params.half_life_ms = 360 * network.params.interval_ms;
    return network;
}

// The schedule gives a harder target to a chain that is ahead of it: so the forger's times run
// ahead until its targets are a tenth of the honest ones, and keep the distance from there on.
void forge(test::ForgedChain& forged, std::uint64_t headers) {
    const auto& params = forged.network().params;
    const auto lead = static_cast<std::uint64_t>(std::log2(kOverstated) *
                                                 static_cast<double>(params.half_life_ms));
    std::uint64_t time_ms = forged.headers().front().tmpl.time_ms;
    while (forged.height() < headers) {
        const std::uint64_t due =
            params.anchor.time_ms + (forged.height() + 1) * params.interval_ms;
        time_ms = due > time_ms + lead ? due - lead : time_ms + 1;
        forged.extend(time_ms);
    }
}

// ------------------------------------------------------------------------------------- the refusal

// What an attempt came to.
struct Attempt {
    std::string name;
    std::string refusal;  // empty: it passed
    std::size_t replays = 0;
    std::size_t bytes = 0;
    double milliseconds = 0;
};

// Answers from a forged chain. What it has for evidence is up to the forger.
struct ForgersAnswers {
    const test::ForgedChain& forged;
    chain::HistorySource source;
    std::size_t bytes = 0;

    template <class T>
    const T& sent(const T& answer) {
        bytes += chain::encoded_size(answer);
        return answer;
    }
    void headers(chain::HistoryJudge& judge, const chain::HistoryQuestion& question) {
        if (const auto* tail = std::get_if<chain::AskTail>(&question)) {
            judge.take_tail(sent(*chain::prove_tail(source, forged.height(), tail->blocks)));
        } else {
            const auto& asked = std::get<chain::AskSamples>(question);
            const std::uint64_t anchor = forged.height() + 1 - chain::kTailBlocks;
            const auto samples = *chain::prove_samples(source, anchor, asked.works);
            for (const auto& one : samples) sent(one);
            judge.take_samples(samples);
        }
    }
};

std::uint64_t now_of(const test::ForgedChain& forged) {
    return forged.headers().back().tmpl.time_ms;
}

// Evidence of the right form for a header whose last unit nobody has run.
chain::StandaloneEvidence invented(const chain::LightNetwork& network) {
    const auto theta = chain::initial_parameters(network.task->record);
    chain::StandaloneEvidence evidence;
    evidence.previous_digest = test::hash_of(0x31);
    evidence.loss = 12'345;
    evidence.gradient = test::hash_of(0x32);
    evidence.parameters = chain::encode_delta(std::vector<std::int32_t>(theta.size()), theta);
    return evidence;
}

// A newcomer and a light client judge by the same samples; `has_evidence`: the forger invents some,
// and otherwise answers that it has none.
Attempt attempt_sampling(const test::ForgedChain& forged, bool has_evidence) {
    const chain::LightNetwork& network = forged.network();
    chain::OwnTrainers trainers;
    static_cast<void>(trainers.trainer_of(network.task));  // not part of the cost
    ForgersAnswers answers{forged, forged.source()};
    Attempt attempt{has_evidence ? "invented evidence" : "no evidence", {}, 0, 0, 0};
    const auto evidence = invented(network);
    double judging = 0;
    const auto timed = [&](const auto& step) {
        const auto begin = now_seconds();
        step();
        judging += seconds_since(begin);
    };
    chain::HistoryJudge judge(network, forged.claim(), test::hash_of(1), now_of(forged));
    bool withheld = false;
    while (!judge.verdict() && !withheld) {
        for (const auto& question : judge.ask()) {
            const auto* asked = std::get_if<chain::AskEvidence>(&question);
            if (!asked) {
                timed([&] { answers.headers(judge, question); });
            } else if (has_evidence) {
                judge.take_evidence(asked->id, answers.sent(evidence));
            } else {
                withheld = true;
            }
        }
        for (const auto& job : judge.jobs()) {
            if (judge.verdict()) break;
            ++attempt.replays;
            timed([&] { judge.take_result(run_light_job(job, network.params, trainers)); });
        }
    }
    attempt.bytes = answers.bytes;
    attempt.milliseconds = judging * 1e3;
    if (withheld) attempt.refusal = "the forger does not have the evidence";
    if (judge.verdict() && !*judge.verdict()) {
        attempt.refusal = describe(judge.verdict()->error());
    }
    return attempt;
}

// A full node takes no headers for work: it wants blocks. The forger gives one whose only unit is
// invented, with everything around it right.
Attempt attempt_block(const Options& options) {
    const auto network = test::small_network(options.win_bits);
    auto ledger = *chain::Ledger::open(network, std::make_unique<chain::MemoryStore>());
    chain::OwnTrainers trainers;
    static_cast<void>(trainers.trainer_of(network->task));
    const auto parent = ledger->tip();
    const chain::SecretKey key = test::tiny_key(9);
    const auto work = chain::make_template(parent, {}, key.public_key(),
                                           parent->context().time_ms + 1'000, trainers);
    CHECK(work);
    chain::Lane lane = work->start_lane(0);
    auto block = std::make_shared<chain::Block>();
    block->header = {work->tmpl, 1, {}};
    chain::Hash256 state;
    const chain::Hash256 first = lane.outcome(0).digest;
    for (std::uint8_t i = 0;; ++i) {
        state = test::hash_of(i);
        block->header.last_digest = unit_digest(lane.template_hash(), 1, first, state);
        if (lane.targets().classify(block->header.last_digest) == chain::TicketClass::win) break;
    }
    const std::vector<std::int32_t>& theta = *parent->start().parameters;
    block->winner.digests = {state};
    block->winner.openings = {{1, {0, {}, chain::encode_delta(theta, theta)}}};
    block->winner.signature =
        key.sign(segment_message(lane.template_hash(), 1, block->header.last_digest));
    Attempt attempt{"full node, a block", {}, 1, chain::encoded_size(*block), 0};
    const auto begin = now_seconds();
    const auto outcome = ledger->submit_block(block, block->header.tmpl.time_ms, trainers);
    attempt.milliseconds = seconds_since(begin) * 1e3;
    if (!outcome) attempt.refusal = describe(outcome.error());
    return attempt;
}

// ------------------------------------------------------------------------------------ mixed chains

// Where a forger with real work for a part of a chain has put what it lacks.
enum class FalsePart : std::uint8_t { first, spread };

struct Mixed {
    double real = 0;
    FalsePart where = FalsePart::first;
    std::uint64_t trials = 0;
    std::uint64_t accepted = 0;
    double bound = 0;    // of the chance to pass
    double replays = 0;  // on average
};

// Judges a chain again and again. Whether a block is real is known here instead of by a replay.
Mixed judge_mixed(const test::ForgedChain& forged, double real, FalsePart where,
                  std::uint64_t trials) {
    const std::uint64_t tail = forged.height() + 1 - chain::kTailBlocks;
    const double first = forged.work_before(1).to_double();
    const double all = forged.work().to_double() - first;
    std::unordered_map<std::uint64_t, bool> is_false;
    double lacking = (1 - real) * all;
    const std::uint64_t step = where == FalsePart::first ? 1 : 97;
    for (std::uint64_t begin = 0; begin < step; ++begin) {
        for (std::uint64_t height = 1 + begin; height < tail && lacking > 0; height += step) {
            is_false[height] = true;
            lacking -= chain::block_work(forged.headers()[height].tmpl.bits).to_double();
        }
    }
    const chain::SampledRange range{forged.work_before(1), forged.work_before(tail), forged.work()};
    const auto samples = chain::sample_count(range);
    CHECK(samples);
    Mixed mixed{real, where, trials, 0, 0, 0};
    mixed.bound = std::pow(chain::miss_chance(range, real), static_cast<double>(*samples));
    for (std::uint64_t trial = 0; trial < trials; ++trial) {
        const chain::Bytes number = chain::encode(trial);
        chain::HistoryJudge judge(forged.network(), forged.claim(), chain::sha256(number),
                                  now_of(forged));
        ForgersAnswers answers{forged, forged.source()};
        while (!judge.verdict()) {
            for (const auto& question : judge.ask()) {
                const auto* asked = std::get_if<chain::AskEvidence>(&question);
                if (asked) {
                    judge.take_evidence(asked->id, {});
                } else {
                    answers.headers(judge, question);
                }
            }
            for (const auto& job : judge.jobs()) {
                mixed.replays += 1;
                const auto& header = std::get<chain::EvidenceJob>(job).header;
                if (is_false.contains(header.tmpl.height)) {
                    judge.take_result(chain::fail(chain::EvidenceError::replay_differs));
                } else {
                    judge.take_result(chain::SharedTask());
                }
            }
        }
        if (*judge.verdict()) ++mixed.accepted;
    }
    mixed.replays /= static_cast<double>(trials);
    return mixed;
}

// ------------------------------------------------------------------------------------------ report

struct Figures {
    double make_seconds = 0;
    std::uint64_t tickets = 0;
    double claimed_units = 0;  // of the model, that the claim stands for
    double overstated = 0;
    std::vector<Attempt> attempts;
    std::vector<Mixed> mixed;
};

void print_table(const Options& options, const Figures& figures) {
    fmt::print(
        "forged chain   {} headers in {:.1f} s of processor time with {} tickets drawn; claims "
        "{:.2f} times "
        "the work of an honest chain as long, {:.3g} units\n",
        options.headers, figures.make_seconds, figures.tickets, figures.overstated,
        figures.claimed_units);
    fmt::print("\n{:22} {:>8} {:>10} {:>9}  refused because\n", "attempt", "replays", "bytes",
               "ms");
    for (const Attempt& one : figures.attempts) {
        fmt::print("{:22} {:8} {:10} {:9.2f}  {}\n", one.name, one.replays, one.bytes,
                   one.milliseconds, one.refusal.empty() ? "it was NOT refused" : one.refusal);
    }
    fmt::print("\n{:>10} {:>8} {:>8} {:>9} {:>9} {:>9} {:>8}\n", "real part", "false", "trials",
               "accepted", "measured", "bound", "replays");
    for (const Mixed& one : figures.mixed) {
        fmt::print("{:10.3f} {:>8} {:8} {:9} {:9.4f} {:9.2e} {:8.1f}\n", one.real,
                   one.where == FalsePart::first ? "first" : "spread", one.trials, one.accepted,
                   static_cast<double>(one.accepted) / static_cast<double>(one.trials), one.bound,
                   one.replays);
    }
}

void print_json(const Options& options, const Figures& figures) {
    std::string attempts;
    for (const Attempt& one : figures.attempts) {
        attempts += fmt::format(
            R"({}{{"name":"{}","refused":{},"reason":"{}","replays":{},"bytes":{},"ms":{:.3f}}})",
            attempts.empty() ? "" : ",", one.name, !one.refusal.empty(), one.refusal, one.replays,
            one.bytes, one.milliseconds);
    }
    std::string mixed;
    for (const Mixed& one : figures.mixed) {
        mixed += fmt::format(
            R"({}{{"real":{},"false":"{}","trials":{},"accepted":{},"bound":{:.6e},"replays":{:.1f}}})",
            mixed.empty() ? "" : ",", one.real, one.where == FalsePart::first ? "first" : "spread",
            one.trials, one.accepted, one.bound, one.replays);
    }
    fmt::print(
        R"({{"headers":{},"make_seconds":{:.3f},"tickets":{},"overstated":{:.3f},"claimed_units":{:.4g},)"
        R"("attempts":[{}],"mixed":[{}]}})"
        "\n",
        options.headers, figures.make_seconds, figures.tickets, figures.overstated,
        figures.claimed_units, attempts, mixed);
}

bool holds(const Figures& figures) {
    for (const Attempt& one : figures.attempts) {
        if (one.refusal.empty() || one.replays > 1) return false;
    }
    for (const Mixed& one : figures.mixed) {
        // Four standard deviations above the bound.
        const auto trials = static_cast<double>(one.trials);
        const double most = trials * one.bound + 4 * std::sqrt(trials * one.bound);
        if (static_cast<double>(one.accepted) > most) return false;
    }
    return true;
}

int run(const Options& options) {
    Figures figures;
    test::ForgedChain forged(network_of(options));
    const auto begin = now_seconds();
    forge(forged, options.headers);
    figures.make_seconds = seconds_since(begin);
    figures.tickets = forged.tickets();
    const auto& network = forged.network();
    figures.claimed_units =
        forged.work().to_double() / static_cast<double>(network.task->unit_work);
    figures.overstated = forged.work().to_double() /
                         chain::block_work(network.params.anchor.bits).to_double() /
                         static_cast<double>(options.headers + 1);
    figures.attempts = {attempt_block(options), attempt_sampling(forged, false),
                        attempt_sampling(forged, true)};
    for (const double real : {0.5, 0.8, 0.9, 0.95, 0.98, 0.99}) {
        figures.mixed.push_back(judge_mixed(forged, real, FalsePart::first, options.trials));
    }
    figures.mixed.push_back(judge_mixed(forged, 0.95, FalsePart::spread, options.trials));
    if (options.json) {
        print_json(options, figures);
    } else {
        print_table(options, figures);
    }
    const bool good = holds(figures);
    if (!options.json) fmt::print("{}\n", good ? "PASS" : "FAIL");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace gradient

int main(int argc, char** argv) {
    gradient::Options options;
    CLI::App app("Forged header chains against a full node and against a judge by samples");
    app.add_option("--headers", options.headers, "headers of the forged chain")
        ->check(CLI::Range(400, 4'000'000));
    app.add_option("--trials", options.trials, "times that each mixed chain is judged")
        ->check(CLI::Range(1, 1'000'000));
    app.add_option("--win-bits", options.win_bits, "an honest unit in 2^this wins")
        ->check(CLI::Range(1, 12));
    app.add_flag("--json", options.json, "figures as JSON");
    CLI11_PARSE(app, argc, argv);
    return gradient::run(options);
}
