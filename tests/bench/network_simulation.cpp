// The economy of a network in small (tests/bench/README.md): every rule and every unit real, the
// clock and the network between the miners simulated.
//
//   network_simulation --scenario honest --lanes 2,5,20 --blocks 500 --seed 1
//   network_simulation --scenario all --lanes 2,5 --blocks 24        the short form, a test

#include "tests/bench/simulation/report.hpp"
#include "tests/bench/simulation/scenarios.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

namespace {

using gradient::simulation::Report;
using gradient::simulation::ScenarioOptions;

using Scenario = void (*)(Report&, const ScenarioOptions&);

const std::map<std::string, Scenario> kScenarios{
    {"honest", gradient::simulation::run_honest}, {"listing", gradient::simulation::run_listing},
    {"lanes", gradient::simulation::run_lanes},   {"invented", gradient::simulation::run_invented},
    {"liars", gradient::simulation::run_liars},
};

}  // namespace

int main(int argc, char** argv) {
    ScenarioOptions options;
    std::string chosen = "all";
    std::string picture;
    bool is_json = false;
    CLI::App app("Runs miners, honest and other, on one chain with a simulated clock.");
    app.add_option("--scenario", chosen,
                   "honest, listing (leave out, hold back, own only), lanes (short, branched), "
                   "invented (units, tails), liars, or all");
    app.add_option("--lanes", options.lanes, "sizes of the honest networks")->delimiter(',');
    app.add_option("--blocks", options.blocks, "blocks of each run")
        ->check(CLI::Range(20, 1'000'000));
    app.add_option("--seed", options.seed, "of the text and all that is drawn");
    app.add_option("--svg", picture, "write the curves there; {} becomes the scenario's name");
    app.add_flag("--json", is_json, "figures as JSON");
    CLI11_PARSE(app, argc, argv);

    boost::json::array all;
    bool passed = true;
    bool found = false;
    for (const auto& [name, scenario] : kScenarios) {
        if (chosen != "all" && chosen != name) continue;
        found = true;
        Report report(name, is_json);
        report.say(
            fmt::format("== {} ({} blocks, seed {}) ==", name, options.blocks, options.seed));
        scenario(report, options);
        passed = passed && report.passed();
        all.push_back(report.json());
        const std::string svg = report.svg();
        if (!picture.empty() && !svg.empty()) {
            std::string path = picture;
            if (const auto place = path.find("{}"); place != std::string::npos) {
                path.replace(place, 2, name);
            }
            std::ofstream(path) << svg;
        }
        report.say("");
    }
    if (!found) {
        fmt::print(stderr, "there is no scenario {}\n", chosen);
        return 2;
    }
    if (is_json) fmt::print("{}\n", boost::json::serialize(all));
    if (!is_json) fmt::print("{}\n", passed ? "PASS" : "FAIL");
    return passed ? 0 : 1;
}
