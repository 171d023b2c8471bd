#include "tests/bench/simulation/closed_forms.hpp"
#include "tests/bench/simulation/run.hpp"
#include "tests/bench/simulation/scenarios.hpp"
#include "tests/support/small_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace gradient::simulation {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t kLanes = 10;    // of equal speed
constexpr std::uint8_t kAttacker = 1;   // key of the first two lanes
constexpr std::uint8_t kReference = 2;  // key of the next two, honest ones
constexpr std::size_t kAttackerLanes = 2;
constexpr double kSpeed = 100;

std::vector<test::SimulatedMiner> ten_lanes(const test::MinerPolicy& attacker) {
    std::vector<test::SimulatedMiner> miners;
    for (std::uint32_t i = 0; i < kLanes; ++i) {
        const auto key = static_cast<std::uint8_t>(i / kAttackerLanes + 1);
        miners.push_back({key, kSpeed, key == kAttacker ? attacker : test::MinerPolicy{}});
    }
    return miners;
}

// Attackers beside honest owners of as many lanes of the same speed.
struct Outcome {
    RunFigures run;
    OwnerFigures attacker;
    double honest_yield = 0;      // the same of all honest owners
    double honest_income = 0;     // coins for a unit
    double honest_influence = 0;  // of the reference, for a unit

    [[nodiscard]] double relative_yield() const { return attacker.yield() / honest_yield; }
    [[nodiscard]] double relative_influence() const {
        return attacker.influence_per_unit() / honest_influence;
    }
};

Outcome judge(RunFigures run) {
    Outcome outcome;
    outcome.attacker = run.owners.at(kAttacker);
    double income = 0;
    double entitled = 0;
    double units = 0;
    for (const auto& [key, owner] : run.owners) {
        if (key == kAttacker) continue;
        income += owner.income;
        entitled += owner.entitled;
        units += static_cast<double>(owner.counters.computed);
    }
    outcome.honest_yield = income / entitled;
    outcome.honest_income = income / units;
    outcome.honest_influence = run.owners.at(kReference).influence_per_unit();
    outcome.run = std::move(run);
    return outcome;
}

Outcome attack(const ScenarioOptions& options, const std::string& label,
               const std::vector<test::SimulatedMiner>& miners) {
    RunOptions run;
    run.blocks = options.blocks;
    run.influence = {kAttacker, kReference};
    run.label = label;
    const auto network = test::make_simulated_network({static_cast<double>(kLanes), options.seed});
    return judge(run_network(network, miners, run));
}

// The part of forged shares that the guards let through on average.
double let_through(const Outcome& outcome) {
    const auto& counters = outcome.attacker.counters;
    return 1 - counters.expected_refusals / static_cast<double>(counters.handed_in);
}

// One line for each attack. "yield" is income over what the hits and blocks found are worth at full
// pay, so that the luck of a run drops out.
class AttackTable {
  public:
    AttackTable()
        : table_({"attack", "coins/unit", "honest", "yield", "honest", "ratio", "formula",
                  "influence ratio", "refused", "loss", " "}) {}

    void add(const std::string& name, const Outcome& outcome, double formula) {
        const auto refused =
            outcome.attacker.counters.refused_shares + outcome.attacker.counters.refused_blocks;
        table_.add({name, fmt::format("{:.4f}", outcome.attacker.income_per_unit()),
                    fmt::format("{:.4f}", outcome.honest_income),
                    fmt::format("{:.4f}", outcome.attacker.yield()),
                    fmt::format("{:.4f}", outcome.honest_yield),
                    fmt::format("{:.4f}", outcome.relative_yield()),
                    std::isnan(formula) ? "-" : fmt::format("{:.4f}", formula),
                    fmt::format("{:.3f}", outcome.relative_influence()), std::to_string(refused),
                    fmt::format("{:.4f}", outcome.run.final_loss()), ""});
        boost::json::object row{{"attack", name},
                                {"coins_per_unit", outcome.attacker.income_per_unit()},
                                {"honest_coins_per_unit", outcome.honest_income},
                                {"yield", outcome.attacker.yield()},
                                {"honest_yield", outcome.honest_yield},
                                {"ratio", outcome.relative_yield()},
                                {"influence_ratio", outcome.relative_influence()},
                                {"refused", refused},
                                {"loss", outcome.run.final_loss()}};
        if (!std::isnan(formula)) row["formula"] = formula;
        rows_.push_back(std::move(row));
    }
    void show(Report& report, const std::string& name) { report.show(name, table_, rows_); }

  private:
    cli::Table table_;
    boost::json::array rows_;
};

// Four standard deviations of a yield, which hangs on how many of the attacker's blocks and shares
// fell where they pay a little more or less.
double noise_of(const ScenarioOptions& options) {
    return 0.05 * std::sqrt(200.0 / static_cast<double>(options.blocks));
}

void expect_conserved(Report& report, const std::string& name, const RunFigures& run) {
    report.expect_equal(name + ": coins held and minted", run.coins.held(),
                        run.coins.minted - run.coins.burnt);
}

}  // namespace

void run_listing(Report& report, const ScenarioOptions& options) {
    const auto network = test::make_simulated_network({kLanes, options.seed});
    const LaneOdds odds = lane_odds(*network, 1.0 / kLanes);
    const UnitPay pay = unit_pay(*network, odds);
    const double part = static_cast<double>(kAttackerLanes) / kLanes;
    const double noise = noise_of(options);
    AttackTable table;
    const Outcome honest = attack(options, "honest", ten_lanes({}));
    table.add("none", honest, 1);

    // In parts of an honest income: cuts, and its own hits that come as shares.
    const double cuts = pay.cuts / pay.sum();
    const double shares = pay.hits * (1 - odds.win / odds.ending) / pay.sum();
    const double own_cuts = cuts * (kAttackerLanes - 1) / (kLanes - 1);
    test::MinerPolicy none;
    none.includes = [](std::size_t) { return false; };
    const Outcome leaves_out = attack(options, "leaves out shares", ten_lanes(none));
    // Own shares of the rounds that its own blocks settle come one block late.
    table.add("a: lists nothing", leaves_out, 1 - cuts - part * shares / 4);

    test::MinerPolicy own;
    own.includes = [](std::size_t miner) { return miner < kAttackerLanes; };
    const Outcome own_only = attack(options, "lists its own only", ten_lanes(own));
    table.add("c: lists its own only", own_only, 1 - cuts + own_cuts);

    std::vector<double> held{honest.relative_yield()};
    for (const std::uint32_t blocks : {1U, 2U, 3U}) {
        test::MinerPolicy hold;
        hold.hold_blocks = blocks;
        Outcome outcome = attack(options, fmt::format("holds back {}", blocks), ten_lanes(hold));
        const double formula = 1 - shares * blocks / 4;
        table.add(fmt::format("b: holds back {} blocks", blocks), outcome, formula);
        held.push_back(outcome.relative_yield());
        report.expect(fmt::format("b: holding back {} blocks, yield less formula", blocks),
                      outcome.relative_yield() - formula, -noise, noise);
        expect_conserved(report, "b", outcome.run);
    }
    table.show(report, "listing");
    const double griefed = leaves_out.honest_yield / honest.honest_yield;
    report.say(fmt::format(
        "cuts and fees are {:.1f} % of an honest income; leaving out costs the others {:.1f} % of "
        "theirs\nthe attacker's part of all income: honest {:.4f}, a {:.4f}, c {:.4f} (units "
        "{:.2f})",
        100 * cuts, 100 * (1 - griefed),
        part * honest.relative_yield() / (part * honest.relative_yield() + 1 - part),
        part * leaves_out.relative_yield() / (part * leaves_out.relative_yield() + 1 - part),
        part * own_only.relative_yield() / (part * own_only.relative_yield() + 1 - part), part));
    report.expect("a: leaving out, yield / yield of an honest chain",
                  leaves_out.attacker.yield() / honest.attacker.yield(), 0, 1 + noise / 2);
    report.expect(
        "a: the same beside formula",
        leaves_out.attacker.yield() / honest.attacker.yield() / (1 - cuts - part * shares / 4),
        1 - noise, 1 + noise);
    report.expect("c: own shares only, yield / yield of an honest chain",
                  own_only.attacker.yield() / honest.attacker.yield(), 0, 1 + noise / 2);
    report.expect("c: the same beside formula",
                  own_only.attacker.yield() / honest.attacker.yield() / (1 - cuts + own_cuts),
                  1 - noise, 1 + noise);
    report.expect("b: each block of holding back loses",
                  std::min({held[0] - held[1], held[1] - held[2], held[2] - held[3]}), 0,
                  kInfinity);
    report.expect("a, c: influence for a unit beside honest (a thin list weighs up to twice)",
                  std::max(leaves_out.relative_influence(), own_only.relative_influence()), 0, 2);
    expect_conserved(report, "a", leaves_out.run);
    expect_conserved(report, "c", own_only.run);
}

void run_lanes(Report& report, const ScenarioOptions& options) {
    const auto network = test::make_simulated_network({kLanes, options.seed});
    const std::uint32_t full = network->params().full_pay_units;
    const LaneOdds odds = lane_odds(*network, 1.0 / kLanes);
    const UnitPay pay = unit_pay(*network, odds);
    const double honest_factor = full_pay_factor(odds, full);
    AttackTable table;
    const Outcome honest = attack(options, "honest", ten_lanes({}));
    table.add("none", honest, 1);
    // Income beside an honest one where only the hits' factor differs.
    const auto beside = [&](double factor) {
        return 1 - pay.hits / pay.sum() * (1 - factor / honest_factor);
    };

    test::MinerPolicy first_hit;
    first_hit.restarts = [](std::uint32_t, std::uint32_t last_hit) { return last_hit > 0; };
    const Outcome short_lanes = attack(options, "restarts at each hit", ten_lanes(first_hit));
    const double short_formula = beside(restart_factor(odds, full));
    table.add("d: restarts at each hit", short_lanes, short_formula);

    test::MinerPolicy one_unit;
    one_unit.restarts = [](std::uint32_t, std::uint32_t) { return true; };
    const Outcome one = attack(options, "one-unit lanes", ten_lanes(one_unit));
    const double one_formula = beside(1.0 / full);
    table.add("d: lanes of one unit", one, one_formula);

    // Two lanes from one state for each that it could run: T is in every step, so that each needs
    // its own units, and of one template a second segment is refused.
    std::vector<test::SimulatedMiner> branched;
    for (std::uint32_t i = 0; i < kLanes; ++i) {
        const auto key = static_cast<std::uint8_t>(i / kAttackerLanes + 1);
        if (key != kAttacker) {
            branched.push_back({key, kSpeed, {}});
            continue;
        }
        for (int copy = 0; copy < 2; ++copy) branched.push_back({key, kSpeed / 2, {}});
    }
    const Outcome branches = attack(options, "branches", branched);
    const double branch_formula = beside(full_pay_factor(lane_odds(*network, 0.5 / kLanes), full));
    table.add("e: two lanes from one state", branches, branch_formula);
    table.show(report, "short and branched lanes");

    const double noise = noise_of(options);
    report.expect("d: restarting, yield less formula", short_lanes.relative_yield() - short_formula,
                  -noise, noise);
    report.expect("d: one-unit lanes, yield less formula", one.relative_yield() - one_formula,
                  -noise, noise);
    report.expect("d: restarting pays less", short_lanes.relative_yield(), 0, 0.98);
    report.expect("d: one-unit lanes pay less", one.relative_yield(), 0, 0.4 + noise);
    report.expect("e: branching pays no more", branches.relative_yield(), 0, 1 + noise / 2);
    report.expect("d: restarting, influence for a unit beside honest",
                  short_lanes.relative_influence(), 0, 1.25);
    report.expect("e: branching, influence for a unit beside honest", branches.relative_influence(),
                  0, 1.25);
    expect_conserved(report, "d", short_lanes.run);
    expect_conserved(report, "e", branches.run);
}

void run_invented(Report& report, const ScenarioOptions& options) {
    const double noise = noise_of(options);
    AttackTable table;
    const Outcome honest = attack(options, "honest", ten_lanes({}));
    table.add("none", honest, 1);

    // (f) an invented unit before each real one: twice the units.
    test::MinerPolicy doubled;
    doubled.before_unit = [](test::OpenLane& lane) { lane.invent(lane.parameters()); };
    const Outcome twice = attack(options, "invents every other unit", ten_lanes(doubled));
    const auto& counts = twice.attacker.counters;
    table.add("f: every other unit invented", twice, let_through(twice));

    // The same, handed in up to the last hit whose guards meet none.
    test::MinerPolicy redrawn = doubled;
    redrawn.before_hand_in = [](test::OpenLane& lane, model::Trainer&) {
        while (lane.last_hit() > 0) {
            lane.cut(lane.last_hit());
            if (!lane.opens_invented()) break;
            lane.cut(lane.last_hit() - 1);
        }
        return 0U;
    };
    const Outcome drawn = attack(options, "draws guards again", ten_lanes(redrawn));
    table.add("f: the same, guards drawn again at each hit", drawn, std::nan(""));

    // The units for full pay, invented at once: what endless short lanes would need.
    test::MinerPolicy filled;
    const std::uint32_t full = test::make_simulated_network({kLanes, 1})->params().full_pay_units;
    filled.before_unit = [full](test::OpenLane& lane) {
        while (lane.units() + 1 < full) lane.invent(lane.parameters());
    };
    filled.restarts = [](std::uint32_t, std::uint32_t last_hit) { return last_hit > 0; };
    const Outcome fill = attack(options, "invents up to full pay", ten_lanes(filled));
    table.add("f: invented up to full pay, restarts at each hit", fill, std::nan(""));

    // (g) thirty units behind the last hit; the real one at the end is opened.
    test::MinerPolicy tail;
    tail.before_hand_in = [](test::OpenLane& lane, model::Trainer& trainer) {
        for (int i = 0; i < 30; ++i) lane.invent(lane.parameters());
        return lane.step(trainer) ? 1U : 0U;
    };
    const Outcome tailed = attack(options, "invented tail", ten_lanes(tail));
    table.add("g: tail of 30 invented units", tailed, 1);
    table.show(report, "invented units");

    const double refused = static_cast<double>(counts.refused_shares);
    const double deviation = std::sqrt(std::max(1.0, counts.expected_refusals));
    report.say(
        fmt::format("f: {} of {} forged shares refused, {:.1f} expected from the guards; {} "
                    "of {} winning ones refused",
                    counts.refused_shares, counts.handed_in, counts.expected_refusals,
                    counts.refused_blocks, counts.refused_blocks + counts.wins));
    report.expect("f: refusals beside expected, standard deviations",
                  (refused - counts.expected_refusals) / deviation, -4, 4);
    report.expect("f: doubling pays less", twice.relative_yield(), 0, 0.6);
    report.expect("f: drawing again pays less", drawn.relative_yield(), 0, 0.99);
    report.expect("f: filling up pays less", fill.relative_yield(), 0, 0.8);
    report.expect("g: a tail pays nothing", tailed.relative_yield(), 0, 1 + noise / 2);
    report.expect("g: influence of a tail beside honest", tailed.relative_influence(), 0, 1.25);
    for (const auto* outcome : {&twice, &drawn, &fill, &tailed}) {
        expect_conserved(report, "f, g", outcome->run);
    }
}

}  // namespace gradient::simulation
