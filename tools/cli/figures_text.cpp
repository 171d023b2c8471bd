#include "tools/cli/figures_text.hpp"

#include "tools/cli/terminal.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace gradient::cli {

namespace {

namespace json = boost::json;

std::string value_text(const json::value& value) {
    if (value.is_null()) return "-";
    if (value.is_string()) return std::string(value.get_string());
    if (value.is_double()) return fmt::format("{:.6g}", value.get_double());
    return json::serialize(value);
}

}  // namespace

std::uint64_t number(const boost::json::value& value) {
    return value.to_number<std::uint64_t>();
}

std::string decimal_text(const boost::json::value& value) {
    return value.is_null() ? "-" : fmt::format("{:.4f}", value.to_number<double>());
}

std::string fraction_text(const boost::json::value& value) {
    return value.is_null() ? "not known yet" : decimal_text(value);
}

std::string scores_text(const boost::json::value& scores) {
    if (scores.is_null()) return "not known yet";
    return fmt::format("Brier {}, accuracy {} ({} rows)", decimal_text(scores.at("brier")),
                       decimal_text(scores.at("accuracy")), number(scores.at("rows")));
}

std::string object_text(const json::object& object) {
    Listing lines;
    for (const auto& [name, value] : object) {
        std::string label(name);
        std::replace(label.begin(), label.end(), '_', ' ');
        if (name == "held_out") {
            lines.add(label, scores_text(value));
        } else if (name == "time_ms") {
            lines.add("time", utc_time(number(value)));
        } else {
            lines.add(label, value_text(value));
        }
    }
    return lines.text();
}

}  // namespace gradient::cli
