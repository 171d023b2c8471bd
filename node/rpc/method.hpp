#pragma once

#include "node/concurrency/task.hpp"
#include "node/rpc/rpc_error.hpp"
#include "node/rpc/schema.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gradient::node {

namespace json = boost::json;

class Subscriber;

/// What a caller may do; each may what those before it may.
enum class RpcPermission : std::uint8_t {
    read,     ///< look at everything
    submit,   ///< hand transactions in
    control,  ///< change what the node does, and end it
};

[[nodiscard]] std::string_view permission_name(RpcPermission permission) noexcept;

/// The permission of that name, or nothing.
[[nodiscard]] std::optional<RpcPermission> parse_permission(std::string_view name) noexcept;

/// Who asks.
struct RpcCaller {
    std::string name;
    RpcPermission permission = RpcPermission::read;
    Subscriber* subscriber = nullptr;  ///< on a WebSocket only
};

/// One parameter of a method.
struct RpcParameter {
    enum class Need : std::uint8_t { required, optional };

    std::string name;
    Schema schema;  ///< its member `default`, if it has one, stands in for a missing value
    std::string meaning;
    Need need = Need::required;
};

[[nodiscard]] RpcParameter required(std::string name, Schema schema, std::string meaning);
[[nodiscard]] RpcParameter optional(std::string name, Schema schema, std::string meaning);
[[nodiscard]] RpcParameter optional(std::string name, Schema schema, std::string meaning,
                                    json::value otherwise);

/// The checked parameters of one call, defaults filled in, and who calls.
class RpcParams {
  public:
    RpcParams(json::object values, RpcCaller caller)
        : values_(std::move(values)), caller_(std::move(caller)) {}

    [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
    /// Values of parameters that are present; a wrong name or type here is a bug of the method.
    [[nodiscard]] std::uint64_t integer(std::string_view name) const {
        return values_.at(name).to_number<std::uint64_t>();
    }
    [[nodiscard]] std::string text(std::string_view name) const {
        return std::string(values_.at(name).as_string());
    }
    [[nodiscard]] bool boolean(std::string_view name) const { return values_.at(name).as_bool(); }

    [[nodiscard]] const RpcCaller& caller() const noexcept { return caller_; }

  private:
    json::object values_;
    RpcCaller caller_;
};

/// A method of the interface: all that callers, checks, the OpenRPC document and the reference know
/// of it.
struct RpcMethod {
    std::string name;
    std::string summary;
    RpcPermission permission = RpcPermission::control;
    std::vector<RpcParameter> parameters = {};
    Schema result = {};
    /// Beside those that any method may answer.
    std::vector<RpcErrorCode> errors = {};
    std::function<Task<json::value>(RpcParams)> call = {};
};

/// The values given by name or by position, checked against the method's list, with defaults; a
/// null stands for a missing value. Throws RpcError naming the parameter.
[[nodiscard]] json::object checked_params(const RpcMethod& method, const json::value* given);

}  // namespace gradient::node
