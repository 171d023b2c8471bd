#pragma once

#include "tools/cli/terminal.hpp"

#include <boost/json.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace gradient::simulation {

/// A curve of a plot.
struct Curve {
    std::string name;
    std::vector<std::pair<double, double>> points;
};

/// What a scenario has to say: text as it comes, the same as JSON, and bounds that it keeps or not.
class Report {
  public:
    Report(std::string scenario, bool is_json) : is_json_(is_json) {
        json_["scenario"] = std::move(scenario);
    }

    /// A heading, or a sentence.
    void say(const std::string& text);
    void show(const std::string& name, const cli::Table& table, boost::json::value json);
    void draw(const std::string& name, const std::vector<Curve>& curves);
    /// A bound: passes if low <= value <= high.
    void expect(const std::string& what, double value, double low, double high);
    void expect_equal(const std::string& what, std::uint64_t value, std::uint64_t expected);

    [[nodiscard]] bool passed() const noexcept { return passed_; }
    [[nodiscard]] const boost::json::object& json() const noexcept { return json_; }
    /// The curves as one SVG picture; empty without any.
    [[nodiscard]] std::string svg() const;

  private:
    void verdict(bool good, const std::string& line);

    boost::json::object json_;
    std::vector<std::pair<std::string, std::vector<Curve>>> plots_;
    bool is_json_;
    bool passed_ = true;
};

}  // namespace gradient::simulation
