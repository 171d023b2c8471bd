#include "tests/bench/simulation/run.hpp"
#include "tests/bench/simulation/scenarios.hpp"
#include "tests/support/small_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

namespace gradient::simulation {

namespace {

constexpr std::uint32_t kLanes = 20;
constexpr std::uint8_t kLiars = 1;   // one key for all of them
constexpr std::uint8_t kHonest = 2;  // and one for all others
constexpr double kSpeed = 100;
constexpr std::uint64_t kFullForm = 50;  // blocks from which on all lies are tried

using Parameters = std::vector<std::int32_t>;
using Lie = std::function<Parameters(const test::OpenLane&)>;

std::int32_t within(std::int64_t value) {
    return static_cast<std::int32_t>(
        std::clamp<std::int64_t>(value, -chain::kParameterLimit, chain::kParameterLimit));
}

// theta_0 + factor * (theta - theta_0).
Lie scaled(std::int64_t factor) {
    return [factor](const test::OpenLane& lane) {
        Parameters lie = lane.start();
        for (std::size_t i = 0; i < lie.size(); ++i) {
            const std::int64_t moved = std::int64_t{lane.parameters()[i]} - lie[i];
            lie[i] = within(lie[i] + factor * moved);
        }
        return lie;
    };
}

// The same far corner for every liar: what colluding for a backdoor looks like.
Lie jump() {
    return [](const test::OpenLane& lane) {
        Parameters lie = lane.start();
        for (std::size_t i = 0; i < lie.size(); ++i) {
            const std::int64_t sign = (i * 2654435761U >> 16U) % 2 == 0 ? 1 : -1;
            lie[i] = within(lie[i] + sign * (chain::kParameterLimit / 8));
        }
        return lie;
    };
}

// The lie stands behind the last hit, where no guard is drawn, with one real unit at the end.
test::MinerPolicy liar(const Lie& lie) {
    test::MinerPolicy policy;
    policy.before_hand_in = [lie](test::OpenLane& lane, model::Trainer& trainer) {
        if (lane.last_hit() == 0) return 0U;
        lane.invent(lie(lane));
        return lane.step(trainer) ? 1U : 0U;
    };
    return policy;
}

RunFigures lie_in(const ScenarioOptions& options, const std::string& label, std::uint32_t liars,
                  const Lie& lie) {
    std::vector<test::SimulatedMiner> miners;
    for (std::uint32_t i = 0; i < kLanes; ++i) {
        const bool lies = i < liars;
        miners.push_back(
            {lies ? kLiars : kHonest, kSpeed, lies && lie ? liar(lie) : test::MinerPolicy{}});
    }
    RunOptions run;
    run.blocks = options.blocks;
    run.influence = {kLiars, kHonest};
    run.label = label;
    const auto network = test::make_simulated_network({static_cast<double>(kLanes), options.seed});
    return run_network(network, std::move(miners), run);
}

}  // namespace

void run_liars(Report& report, const ScenarioOptions& options) {
    struct Kind {
        const char* name;
        Lie lie;
        std::vector<std::uint32_t> liars;  // of the twenty
    };
    std::vector<Kind> kinds{{"honest", nullptr, {2}},
                            {"jump", jump(), {2, 5, 8}},
                            {"reversed x100", scaled(-100), {2, 5, 8}},
                            {"reversed", scaled(-1), {5}},
                            {"scaled x10", scaled(10), {5}}};
    if (options.blocks < kFullForm) kinds = {kinds[0], {"reversed x100", scaled(-100), {2, 5}}};
    cli::Table table({"lie", "liars %", "hits %", "influence/unit", "honest", "ratio",
                      "of the clip's bound", "pay ratio", "rounds refused", "loss", "honest", " "});
    boost::json::array rows;
    std::vector<Curve> curves;
    double largest_part = 0;
    double largest_pay = 0;
    double worst_at_ten = 0;
    const double start = [&] {
        ScenarioOptions one = options;
        one.blocks = 1;
        return lie_in(one, "start", 2, nullptr).curve.front().second;
    }();
    double honest_loss = 0;
    double worst = 0;
    for (const Kind& kind : kinds) {
        for (const std::uint32_t liars : kind.liars) {
            const std::uint32_t percent = 100 * liars / kLanes;
            const auto run =
                lie_in(options, fmt::format("{} {} %", kind.name, percent), liars, kind.lie);
            const OwnerFigures& bad = run.owners.at(kLiars);
            const OwnerFigures& good = run.owners.at(kHonest);
            const double ratio = bad.influence_per_unit() / good.influence_per_unit();
            const double hits = static_cast<double>(bad.counters.hits) /
                                static_cast<double>(bad.counters.hits + good.counters.hits);
            if (!kind.lie) honest_loss = run.final_loss();
            table.add(
                {kind.name, std::to_string(percent), fmt::format("{:.1f}", 100 * hits),
                 fmt::format("{:.2f}", bad.influence_per_unit()),
                 fmt::format("{:.2f}", good.influence_per_unit()), fmt::format("{:.2f}", ratio),
                 fmt::format("{:.3f}", bad.influence / bad.influence_bound),
                 fmt::format("{:.3f}", bad.yield() / good.yield()),
                 fmt::format("{} of {}", run.skipped, run.blocks),
                 fmt::format("{:.4f}", run.final_loss()), fmt::format("{:.4f}", honest_loss), ""});
            rows.push_back(boost::json::object{{"lie", kind.name},
                                               {"percent", percent},
                                               {"hits", hits},
                                               {"influence_ratio", ratio},
                                               {"of_bound", bad.influence / bad.influence_bound},
                                               {"skipped", run.skipped},
                                               {"loss", run.final_loss()}});
            Curve curve{fmt::format("{} {} %", kind.name, percent), {}};
            for (std::size_t i = 0; i < run.curve.size();
                 i += std::max<std::size_t>(1, run.curve.size() / 120)) {
                curve.points.emplace_back(static_cast<double>(i), run.curve[i].second);
            }
            curves.push_back(std::move(curve));
            if (!kind.lie) continue;
            largest_part = std::max(largest_part, bad.influence / bad.influence_bound);
            largest_pay = std::max(largest_pay, bad.yield() / good.yield());
            worst = std::max(worst, run.final_loss());
            if (percent == 10) worst_at_ten = std::max(worst_at_ten, run.final_loss());
        }
    }
    report.show("liars", table, std::move(rows));
    report.draw("held-out loss under lies, by block", curves);
    report.expect("h: worst loss / loss at the start (the held-out rule's 1.05)", worst / start, 0,
                  1.08);
    report.expect("h: 10 % of liars keep less than half of the progress away",
                  (start - worst_at_ten) / (start - honest_loss), 0.5, 2);
    report.expect("h: influence of liars / the clip's bound", largest_part, 0, 1.01);
    report.expect("h: pay of liars beside honest miners of their luck", largest_pay, 0,
                  options.blocks < kFullForm ? 1.1 : 1.03);
}

}  // namespace gradient::simulation
