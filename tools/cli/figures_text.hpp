#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>

namespace gradient::cli {

/// A whole number of a node's answer.
[[nodiscard]] std::uint64_t number(const boost::json::value& value);

/// Four decimals, or "-" for null.
[[nodiscard]] std::string decimal_text(const boost::json::value& value);

/// A fraction with four decimals, or "not known yet" for null.
[[nodiscard]] std::string fraction_text(const boost::json::value& value);

/// "Brier 0.7012, accuracy 0.3456 (512 rows)" of an object with these members, or "not known yet".
[[nodiscard]] std::string scores_text(const boost::json::value& scores);

/// Every member of an object on a line of its own.
[[nodiscard]] std::string object_text(const boost::json::object& object);

}  // namespace gradient::cli
