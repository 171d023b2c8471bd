#pragma once

// JSON Schemas (draft 7) of what the interface takes and gives. One vocabulary for parameters,
// which are checked by it, and results, which are documented by it.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::node {

/// A JSON Schema.
using Schema = boost::json::object;

namespace schema {

/// A whole number from `least` to `most`.
[[nodiscard]] Schema whole(std::uint64_t least = 0,
                           std::uint64_t most = std::numeric_limits<std::uint64_t>::max());
/// Any finite number.
[[nodiscard]] Schema number();
[[nodiscard]] Schema boolean();
/// A string of at most that many bytes.
[[nodiscard]] Schema text(std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());
/// One of these strings.
[[nodiscard]] Schema one_of(std::initializer_list<std::string_view> names);
/// 64 hexadecimal digits.
[[nodiscard]] Schema hash();
/// Bytes, two hexadecimal digits each.
[[nodiscard]] Schema hex();
/// An amount of coins in decimal.
[[nodiscard]] Schema coins();
/// An address of an account.
[[nodiscard]] Schema address();
/// Or null.
[[nodiscard]] Schema nullable(Schema schema);
[[nodiscard]] Schema list(Schema items);
/// An object whose names are not known beforehand.
[[nodiscard]] Schema map(Schema values);
/// Any object.
[[nodiscard]] Schema any_object();

/// Whether a field of an object is there in every answer.
enum class Presence : std::uint8_t { always, sometimes };

/// A field of an object.
struct Field {
    std::string_view name;
    Schema schema;
    std::string_view meaning = {};  ///< may be left out where the name says it all
    Presence presence = Presence::always;
};

/// An object with these fields and no others.
[[nodiscard]] Schema object(const std::vector<Field>& fields);

/// A field that may be missing.
[[nodiscard]] Field sometimes(std::string_view name, Schema schema, std::string_view meaning = {});

/// The object of both; a field of both is as `more` has it.
[[nodiscard]] Schema merged(Schema base, const Schema& more);

}  // namespace schema

/// Whether a value of a parameter is what a schema of whole(), boolean(), text(), one_of(), hash(),
/// hex() or address() allows. Whether an address or hexadecimal text means anything is for the
/// method to see.
[[nodiscard]] bool allows(const Schema& schema, const boost::json::value& value);

/// What such a schema allows, in words: "a whole number from 1 to 500".
[[nodiscard]] std::string describe(const Schema& schema);

}  // namespace gradient::node
