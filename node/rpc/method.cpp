#include "node/rpc/method.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace gradient::node {

namespace {

// By name or by position; what stands at a position gets its name.
json::object named_values(const RpcMethod& method, const json::value* given) {
    json::object values;
    if (given == nullptr) return values;
    if (const auto* const list = given->if_array()) {
        if (list->size() > method.parameters.size()) {
            throw RpcError(RpcErrorCode::invalid_params,
                           fmt::format("{} takes {} parameters at most.", method.name,
                                       method.parameters.size()));
        }
        for (std::size_t i = 0; i < list->size(); ++i)
            values[method.parameters[i].name] = (*list)[i];
    } else if (given->is_object()) {
        values = given->get_object();
    } else {
        throw RpcError(RpcErrorCode::invalid_request, "params must be an object or an array.");
    }
    return values;
}

void check(const RpcParameter& parameter, json::object& values) {
    const auto* const value = values.if_contains(parameter.name);
    if (value != nullptr && !value->is_null()) {
        if (!allows(parameter.schema, *value))
            throw invalid_parameter(parameter.name, "must be " + describe(parameter.schema));
        return;
    }
    if (parameter.need == RpcParameter::Need::required)
        throw invalid_parameter(parameter.name, "is missing");
    values.erase(parameter.name);
    if (const auto* const otherwise = parameter.schema.if_contains("default"))
        values[parameter.name] = *otherwise;
}

}  // namespace

std::string_view permission_name(RpcPermission permission) noexcept {
    switch (permission) {
        case RpcPermission::read:
            return "read";
        case RpcPermission::submit:
            return "submit";
        case RpcPermission::control:
            return "control";
    }
    return "";
}

std::optional<RpcPermission> parse_permission(std::string_view name) noexcept {
    for (const auto each : {RpcPermission::read, RpcPermission::submit, RpcPermission::control}) {
        if (name == permission_name(each)) return each;
    }
    return std::nullopt;
}

RpcParameter required(std::string name, Schema schema, std::string meaning) {
    return {std::move(name), std::move(schema), std::move(meaning), RpcParameter::Need::required};
}

RpcParameter optional(std::string name, Schema schema, std::string meaning) {
    return {std::move(name), std::move(schema), std::move(meaning), RpcParameter::Need::optional};
}

RpcParameter optional(std::string name, Schema schema, std::string meaning, json::value otherwise) {
    schema["default"] = std::move(otherwise);
    return optional(std::move(name), std::move(schema), std::move(meaning));
}

json::object checked_params(const RpcMethod& method, const json::value* given) {
    json::object values = named_values(method, given);
    const auto& known = method.parameters;
    for (const auto& [name, value] : values) {
        const bool is_known = std::any_of(known.begin(), known.end(), [&](const auto& parameter) {
            return parameter.name == std::string_view(name);
        });
        if (!is_known) {
            throw RpcError(RpcErrorCode::invalid_params,
                           fmt::format("{} has no such parameter.", method.name),
                           {{"parameter", name}});
        }
    }
    for (const auto& parameter : known) check(parameter, values);
    return values;
}

}  // namespace gradient::node
