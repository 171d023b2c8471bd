#include "tests/bench/simulation/closed_forms.hpp"
#include "tests/bench/simulation/run.hpp"
#include "tests/bench/simulation/scenarios.hpp"
#include "tests/support/small_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradient::simulation {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUsualSpeed = 100;

// Speeds from 2/3 to 4/3 of the usual one.
std::vector<test::SimulatedMiner> unequal_miners(std::uint32_t lanes) {
    std::vector<test::SimulatedMiner> miners;
    for (std::uint32_t i = 0; i < lanes; ++i) {
        const double place = lanes == 1 ? 0.5 : static_cast<double>(i) / (lanes - 1);
        miners.push_back(
            {static_cast<std::uint8_t>(i + 1), kUsualSpeed * (2.0 / 3 + 2.0 / 3 * place), {}});
    }
    return miners;
}

// What luck alone makes of a miner's pay: the standard deviation of pay / expected pay.
double luck_of(const OwnerFigures& owner, const RunFigures& run, double hits) {
    const double blocks = static_cast<double>(run.blocks) * owner.speed;
    const double own_hits = hits * owner.speed;
    const double pay_of_hits = 40.0 / 50;
    return std::hypot(pay_of_hits / std::sqrt(own_hits), (1 - pay_of_hits) / std::sqrt(blocks));
}

struct Fairness {
    double largest_sigmas = 0;
    double largest_points = 0;
    double fast_to_slow = 0;
};

Fairness show_parts(Report& report, const chain::Network& network, const RunFigures& run,
                    const std::string& name) {
    double income = 0;
    double hits = 0;
    for (const auto& [key, owner] : run.owners) {
        income += owner.income;
        hits += static_cast<double>(owner.counters.hits);
    }
    cli::Table table({"miner", "units", "part of units %", "part of pay %", "pay/units",
                      "luck (1 sd)", "pay of its luck", "full-pay factor", "coins/unit", "formula",
                      " "});
    boost::json::array rows;
    Fairness fairness;
    double half[2][2] = {};
    double place = 0;
    for (const auto& [key, owner] : run.owners) {
        const double units = static_cast<double>(owner.counters.computed);
        const double part = units / static_cast<double>(run.computed);
        const double paid = owner.income / income;
        const double luck = luck_of(owner, run, hits);
        const LaneOdds odds = lane_odds(network, owner.speed);
        const double factor = full_pay_factor(odds, network.params().full_pay_units);
        table.add({std::to_string(key), cli::grouped(owner.counters.computed),
                   fmt::format("{:.2f}", 100 * part), fmt::format("{:.2f}", 100 * paid),
                   fmt::format("{:.3f}", paid / part), fmt::format("{:.3f}", luck),
                   fmt::format("{:.3f}", owner.yield()), fmt::format("{:.3f}", factor),
                   fmt::format("{:.4f}", owner.income_per_unit()),
                   fmt::format("{:.4f}", unit_pay(network, odds).sum()), ""});
        rows.push_back(boost::json::object{{"miner", key},
                                           {"units", owner.counters.computed},
                                           {"part_of_units", part},
                                           {"part_of_pay", paid},
                                           {"luck", luck},
                                           {"coins_per_unit", owner.income_per_unit()},
                                           {"formula", unit_pay(network, odds).sum()}});
        fairness.largest_points = std::max(fairness.largest_points, std::abs(paid - part));
        fairness.largest_sigmas =
            std::max(fairness.largest_sigmas, std::abs(paid / part - 1) / luck);
        const int fast = place++ < static_cast<double>(run.owners.size()) / 2 ? 0 : 1;
        half[fast][0] += owner.income;
        half[fast][1] += units;
    }
    fairness.fast_to_slow = half[1][0] / half[1][1] / (half[0][0] / half[0][1]);
    report.show(name + ": pay beside units", table, std::move(rows));
    return fairness;
}

void show_emission(Report& report, const RunFigures& run, const std::string& name) {
    const Emission& e = run.emission;
    const double scheduled = static_cast<double>(e.block_rewards + e.hit_pot);
    cli::Table table({"coins", "of schedule %", "what"});
    boost::json::object json;
    const auto line = [&](std::int64_t units, const std::string& what) {
        const double coins = static_cast<double>(units) / static_cast<double>(chain::kCoin);
        table.add({fmt::format("{:.4f}", coins),
                   fmt::format("{:+.3f}", 100 * static_cast<double>(units) / scheduled), what});
        json[what] = coins;
    };
    line(e.block_rewards, "block rewards");
    line(e.hit_pot, "one hit reward a block");
    line(e.hit_noise, "hits found beside the mean number");
    line(e.not_included, "hits not included (the last round's)");
    line(e.short_lanes, "segments below full pay");
    line(e.lateness, "lateness");
    line(e.cuts, "includers' cuts");
    line(static_cast<std::int64_t>(run.coins.minted), "minted");
    line(static_cast<std::int64_t>(run.coins.held()), "held: accounts, maturing, escrow");
    report.show(name + ": emission", table, std::move(json));
}

void show_run(Report& report, const RunFigures& run, const std::string& name) {
    cli::Table table({"value", "figure"});
    const auto line = [&](const std::string& value, const char* figure) {
        table.add({value, figure});
    };
    line(cli::grouped(run.blocks), "blocks");
    line(cli::grouped(run.computed), "units computed");
    line(cli::grouped(run.included), "units of included segments");
    line(fmt::format("{:.4f}", run.useful()), "useful fraction");
    line(fmt::format("{:.4f}", run.verification()),
         "verification ratio (units replayed / claimed)");
    line(cli::grouped(run.shares), "shares included");
    line(cli::grouped(run.late_shares), "of them late");
    line(cli::grouped(run.skipped), "settlements refused by the held-out rule");
    line(cli::grouped(run.largest_block), "bytes of the largest block");
    line(cli::grouped(run.block_bytes / run.blocks), "bytes of the mean block");
    report.show(name + ": run", table,
                boost::json::object{{"blocks", run.blocks},
                                    {"computed", run.computed},
                                    {"included", run.included},
                                    {"useful", run.useful()},
                                    {"verification", run.verification()},
                                    {"shares", run.shares},
                                    {"late", run.late_shares},
                                    {"skipped", run.skipped},
                                    {"largest_block", run.largest_block},
                                    {"mean_block", run.block_bytes / run.blocks}});
}

// The losses of one sequential lane: a network of one miner, so long that the hardest loss of the
// others is reached or it has had as many units as they.
RunFigures run_sequential(const ScenarioOptions& options, double target, double most_units) {
    RunOptions run;
    run.blocks = static_cast<std::uint64_t>(most_units / test::SimulatedNetwork::kLaneUnits);
    run.label = "one sequential lane";
    run.enough = [target](const RunFigures& figures) {
        return figures.blocks % 16 == 0 && std::isfinite(units_to_reach(figures.curve, target));
    };
    return run_network(test::make_simulated_network({1, options.seed}), unequal_miners(1), run);
}

Curve thinned(const std::string& name, const std::vector<std::pair<double, double>>& points) {
    Curve curve{name, {}};
    const std::size_t step = std::max<std::size_t>(1, points.size() / 250);
    for (std::size_t i = 0; i < points.size(); i += step) curve.points.push_back(points[i]);
    return curve;
}

void show_efficiency(Report& report, const std::vector<std::pair<std::uint32_t, RunFigures>>& runs,
                     const RunFigures& sequential) {
    cli::Table table({"lanes", "network units", "loss", "sequential units", "efficiency",
                      "speed-up in time", " "});
    boost::json::array rows;
    for (const auto& [lanes, run] : runs) {
        for (const double part : {0.05, 0.1, 0.25, 0.5, 1.0}) {
            const auto end = static_cast<std::size_t>(part * static_cast<double>(run.blocks));
            if (end < 16) continue;
            double loss = 0;
            for (std::size_t i = end - 7; i <= end; ++i) loss += run.curve[i].second / 8;
            const double units = run.curve[end].first;
            const double one = units_to_reach(sequential.curve, loss);
            const bool known = std::isfinite(one);
            const double bound = known ? one : sequential.curve.back().first;
            const std::string sign = known ? "" : "> ";
            table.add({std::to_string(lanes), cli::grouped(static_cast<std::uint64_t>(units)),
                       fmt::format("{:.4f}", loss),
                       sign + cli::grouped(static_cast<std::uint64_t>(bound)),
                       sign + fmt::format("{:.3f}", bound / units),
                       sign + fmt::format("{:.2f}", bound / units * lanes), ""});
            rows.push_back(boost::json::object{{"lanes", lanes},
                                               {"units", units},
                                               {"loss", loss},
                                               {"sequential_units", bound},
                                               {"reached", known},
                                               {"efficiency", bound / units}});
        }
    }
    report.show(
        "progress efficiency: units of one sequential lane to the same loss / units computed",
        table, std::move(rows));
}

}  // namespace

void run_honest(Report& report, const ScenarioOptions& options) {
    std::vector<std::pair<std::uint32_t, RunFigures>> runs;
    double best = kInfinity;
    double most_units = 0;
    for (const std::uint32_t lanes : options.lanes) {
        const auto network =
            test::make_simulated_network({static_cast<double>(lanes), options.seed});
        RunOptions run;
        run.blocks = options.blocks;
        run.label = fmt::format("{} honest lanes", lanes);
        RunFigures figures = run_network(network, unequal_miners(lanes), run);
        const std::string name = fmt::format("{} lanes", lanes);
        const Fairness fairness = show_parts(report, *network, figures, name);
        show_run(report, figures, name);
        show_emission(report, figures, name);
        report.expect(name + ": largest difference of parts, percentage points",
                      100 * fairness.largest_points, 0, 5);
        report.expect(name + ": largest difference in standard deviations of luck",
                      fairness.largest_sigmas, 0, 4);
        report.expect(name + ": pay per unit, fast half / slow half", fairness.fast_to_slow,
                      options.blocks >= 300 ? 0.95 : 0.8, options.blocks >= 300 ? 1.05 : 1.25);
        report.expect(name + ": useful fraction", figures.useful(), 0.9, 1);
        report.expect_equal(name + ": coins held and minted", figures.coins.held(),
                            figures.coins.minted - figures.coins.burnt);
        report.expect_equal(name + ": minted and explained", figures.coins.minted,
                            static_cast<std::uint64_t>(figures.emission.sum()));
        report.expect(name + ": minted / schedule of the work done",
                      static_cast<double>(figures.coins.minted) /
                          static_cast<double>(figures.emission.schedule_of_work()),
                      options.blocks >= 300 ? 0.98 : 0.95, 1.0);
        best = std::min(best, figures.final_loss());
        most_units = std::max(most_units, static_cast<double>(figures.computed));
        runs.emplace_back(lanes, std::move(figures));
    }
    const RunFigures sequential = run_sequential(options, best, std::min(most_units, 2e5));
    show_efficiency(report, runs, sequential);
    std::vector<Curve> by_units{thinned("1 lane", sequential.curve)};
    std::vector<Curve> by_time{by_units.front()};
    for (const auto& [lanes, run] : runs) {
        by_units.push_back(thinned(fmt::format("{} lanes", lanes), run.curve));
        by_time.push_back(by_units.back());
        for (auto& [units, loss] : by_time.back().points) units /= lanes;
    }
    report.draw("held-out loss by units computed", by_units);
    report.draw("held-out loss by units of one lane (time)", by_time);
}

}  // namespace gradient::simulation
