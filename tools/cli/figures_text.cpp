#include "tools/cli/figures_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace gradient::cli {

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

}  // namespace gradient::cli
