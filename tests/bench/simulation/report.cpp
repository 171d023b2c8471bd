#include "tests/bench/simulation/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace gradient::simulation {

namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 420;
constexpr double kMargin = 60;
constexpr std::array<const char*, 8> kColours{"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                              "#ff7f0e", "#8c564b", "#17becf", "#7f7f7f"};

struct Extent {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void add(double value) noexcept {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    [[nodiscard]] double place(double value) const noexcept {
        return high > low ? (value - low) / (high - low) : 0.5;
    }
};

std::string plot(const std::string& name, const std::vector<Curve>& curves, double top) {
    Extent x;
    Extent y;
    for (const Curve& curve : curves) {
        for (const auto& [px, py] : curve.points) {
            x.add(px);
            y.add(py);
        }
    }
    const auto at_x = [&](double px) { return kMargin + x.place(px) * (kWidth - 2 * kMargin); };
    const auto at_y = [&](double py) {
        return top + kHeight - kMargin - y.place(py) * (kHeight - 2 * kMargin);
    };
    std::string text = fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"15\">{}</text>\n", kMargin,
                                   top + 24, name);
    text += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>\n",
        kMargin, top + kMargin, kWidth - 2 * kMargin, kHeight - 2 * kMargin);
    for (int i = 0; i <= 4; ++i) {
        const double px = x.low + (x.high - x.low) * i / 4;
        const double py = y.low + (y.high - y.low) * i / 4;
        text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>\n",
                            at_x(px), top + kHeight - kMargin + 18, px);
        text += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.3f}</text>\n",
                            kMargin - 6, at_y(py) + 4, py);
    }
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const char* colour = kColours.at(i % kColours.size());
        std::string points;
        for (const auto& [px, py] : curves[i].points) {
            points += fmt::format("{:.1f},{:.1f} ", at_x(px), at_y(py));
        }
        text +=
            fmt::format("<polyline fill=\"none\" stroke=\"{}\" points=\"{}\"/>\n", colour, points);
        text += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\" text-anchor=\"end\">{}</text>\n",
                            kWidth - kMargin - 8, top + kMargin + 18 + 16 * static_cast<double>(i),
                            colour, curves[i].name);
    }
    return text;
}

// A dozen places of a curve, for a terminal.
std::string sparkline(const Curve& curve) {
    std::string text = fmt::format("  {:<28}", curve.name);
    constexpr std::size_t kPlaces = 8;
    for (std::size_t i = 0; i <= kPlaces && !curve.points.empty(); ++i) {
        const auto& [x, y] = curve.points[i * (curve.points.size() - 1) / kPlaces];
        text += fmt::format("  {:.4f}", y);
    }
    return text + "\n";
}

}  // namespace

void Report::say(const std::string& text) {
    if (!is_json_) fmt::print("{}\n", text);
}

void Report::show(const std::string& name, const cli::Table& table, boost::json::value json) {
    if (!is_json_) fmt::print("\n{}\n{}", name, table.text());
    json_[name] = std::move(json);
}

void Report::draw(const std::string& name, const std::vector<Curve>& curves) {
    plots_.emplace_back(name, curves);
    boost::json::object all;
    for (const Curve& curve : curves) {
        boost::json::array points;
        for (const auto& [x, y] : curve.points) points.push_back({x, y});
        all[curve.name] = std::move(points);
    }
    json_[name] = std::move(all);
    if (is_json_) return;
    fmt::print("\n{} (at 0, 1/8, .. of the way)\n", name);
    for (const Curve& curve : curves) fmt::print("{}", sparkline(curve));
}

void Report::expect(const std::string& what, double value, double low, double high) {
    const bool good = value >= low && value <= high;
    std::string bound = fmt::format("{:.4g} to {:.4g}", low, high);
    if (std::isinf(high)) bound = fmt::format("at least {:.4g}", low);
    if (std::isinf(low)) bound = fmt::format("at most {:.4g}", high);
    verdict(good, fmt::format("{}: {:.4g} ({})", what, value, bound));
}

void Report::expect_equal(const std::string& what, std::uint64_t value, std::uint64_t expected) {
    verdict(value == expected, fmt::format("{}: {} = {}", what, value, expected));
}

void Report::verdict(bool good, const std::string& line) {
    passed_ = passed_ && good;
    const std::string text = fmt::format("{}  {}", good ? "PASS" : "FAIL", line);
    if (!is_json_) fmt::print("{}\n", text);
    auto& checks = json_["checks"];
    if (!checks.is_array()) checks = boost::json::array();
    checks.as_array().push_back(boost::json::string(text));
}

std::string Report::svg() const {
    if (plots_.empty()) return {};
    std::string text = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n",
        kWidth, kHeight * static_cast<double>(plots_.size()));
    double top = 0;
    for (const auto& [name, curves] : plots_) {
        text += plot(name, curves, top);
        top += kHeight;
    }
    return text + "</svg>\n";
}

}  // namespace gradient::simulation
