#include "node/rpc/schema.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace gradient::node {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kMostWhole = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kHashDigits = 64;

constexpr std::string_view kHashPattern = "^[0-9a-fA-F]{64}$";
constexpr std::string_view kHexPattern = "^([0-9a-fA-F]{2})*$";
constexpr std::string_view kCoinsPattern = "^[0-9]+(\\.[0-9]{1,8})?$";
constexpr std::string_view kAddressPattern = "^[a-z]+1[02-9ac-hj-np-z]+$";

Schema patterned(std::string_view pattern) {
    return {{"type", "string"}, {"pattern", pattern}};
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

bool allows_whole(const Schema& schema, const json::value& value) {
    if (!value.is_uint64() && (!value.is_int64() || value.get_int64() < 0)) return false;
    const auto number = value.to_number<std::uint64_t>();
    const auto* const most = schema.if_contains("maximum");
    return number >= schema.at("minimum").to_number<std::uint64_t>() &&
           (most == nullptr || number <= most->to_number<std::uint64_t>());
}

bool allows_text(const Schema& schema, const json::string& text) {
    if (const auto* const most = schema.if_contains("maxLength");
        most != nullptr && text.size() > most->to_number<std::uint64_t>())
        return false;
    if (const auto* const names = schema.if_contains("enum")) {
        const auto& list = names->get_array();
        return std::find(list.begin(), list.end(), json::value(text)) != list.end();
    }
    const auto* const pattern = schema.if_contains("pattern");
    if (pattern == nullptr) return true;
    if (pattern->get_string() == kHashPattern) return text.size() == kHashDigits && is_hex(text);
    if (pattern->get_string() == kHexPattern) return text.size() % 2 == 0 && is_hex(text);
    return !text.empty();
}

std::string describe_whole(const Schema& schema) {
    const auto least = schema.at("minimum").to_number<std::uint64_t>();
    const auto* const most = schema.if_contains("maximum");
    return most == nullptr ? fmt::format("a whole number from {} to 2^64-1", least)
                           : fmt::format("a whole number from {} to {}", least,
                                         most->to_number<std::uint64_t>());
}

std::string describe_text(const Schema& schema) {
    if (const auto* const names = schema.if_contains("enum")) {
        std::vector<std::string_view> list;
        for (const auto& name : names->get_array()) list.push_back(name.get_string());
        return fmt::format("one of {}", fmt::join(list, ", "));
    }
    if (const auto* const most = schema.if_contains("maxLength"))
        return fmt::format("a string of at most {} bytes", most->to_number<std::uint64_t>());
    const auto* const pattern = schema.if_contains("pattern");
    if (pattern == nullptr) return "a string";
    if (pattern->get_string() == kHashPattern) return "64 hexadecimal digits";
    if (pattern->get_string() == kHexPattern) return "an even number of hexadecimal digits";
    return "an address";
}

}  // namespace

namespace schema {

// 2^64-1 is left unsaid: many readers keep numbers as doubles.
Schema whole(std::uint64_t least, std::uint64_t most) {
    Schema made{{"type", "integer"}, {"minimum", least}};
    if (most != kMostWhole) made["maximum"] = most;
    return made;
}

Schema number() {
    return {{"type", "number"}};
}

Schema boolean() {
    return {{"type", "boolean"}};
}

Schema text(std::uint64_t most_bytes) {
    Schema made{{"type", "string"}};
    if (most_bytes != kMostWhole) made["maxLength"] = most_bytes;
    return made;
}

Schema one_of(std::initializer_list<std::string_view> names) {
    json::array list;
    for (const auto name : names) list.emplace_back(name);
    return {{"type", "string"}, {"enum", std::move(list)}};
}

Schema hash() {
    return patterned(kHashPattern);
}

Schema hex() {
    return patterned(kHexPattern);
}

Schema coins() {
    return patterned(kCoinsPattern);
}

Schema address() {
    return patterned(kAddressPattern);
}

Schema nullable(Schema schema) {
    schema["type"] = json::array{schema.at("type"), "null"};
    if (auto* const names = schema.if_contains("enum")) names->get_array().emplace_back(nullptr);
    return schema;
}

Schema list(Schema items) {
    return {{"type", "array"}, {"items", std::move(items)}};
}

Schema map(Schema values) {
    return {{"type", "object"}, {"additionalProperties", std::move(values)}};
}

Schema any_object() {
    return {{"type", "object"}};
}

Schema object(const std::vector<Field>& fields) {
    Schema properties;
    json::array required;
    for (const Field& field : fields) {
        Schema described = field.schema;
        if (!field.meaning.empty()) described["description"] = field.meaning;
        properties[field.name] = std::move(described);
        if (field.presence == Presence::always) required.emplace_back(field.name);
    }
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
}

Field sometimes(std::string_view name, Schema schema, std::string_view meaning) {
    return {name, std::move(schema), meaning, Presence::sometimes};
}

Schema merged(Schema base, const Schema& more) {
    auto& properties = base.at("properties").as_object();
    for (const auto& [name, schema] : more.at("properties").as_object()) properties[name] = schema;
    auto& required = base.at("required").as_array();
    for (const auto& name : more.at("required").as_array()) {
        if (std::find(required.begin(), required.end(), name) == required.end())
            required.push_back(name);
    }
    return base;
}

}  // namespace schema

bool allows(const Schema& schema, const json::value& value) {
    const auto& type = schema.at("type");
    if (type == "integer") return allows_whole(schema, value);
    if (type == "boolean") return value.is_bool();
    return type == "string" && value.is_string() && allows_text(schema, value.get_string());
}

std::string describe(const Schema& schema) {
    const auto& type = schema.at("type");
    if (type == "integer") return describe_whole(schema);
    if (type == "boolean") return "true or false";
    return describe_text(schema);
}

}  // namespace gradient::node
