#pragma once

#include "node/concurrency/task.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::node {

namespace json = boost::json;

/// Codes of JSON-RPC 2.0 and of ours (-32000 to -32099). Never renumber.
enum class RpcErrorCode : std::int32_t {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    not_found = -32001,    ///< no such block, task, ...
    unavailable = -32002,  ///< not now: shutting down, or no data yet
};

/// An answer of a method that is an error.
class RpcError : public std::runtime_error {
  public:
    RpcError(RpcErrorCode code, const std::string& message)
        : std::runtime_error(message), code_(code) {}
    [[nodiscard]] RpcErrorCode code() const noexcept { return code_; }

  private:
    RpcErrorCode code_;
};

/// Types of parameters.
enum class RpcType : std::uint8_t { integer, text, boolean };

/// One parameter of a method; the dispatcher checks its presence and type before the method is
/// called.
struct RpcParameter {
    std::string name;
    RpcType type = RpcType::integer;
    bool required = true;
    std::string meaning;
};

/// The checked parameters of one call.
class RpcParams {
  public:
    explicit RpcParams(json::object values) : values_(std::move(values)) {}
    [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
    /// Values of parameters that are present; a wrong name or type here is a bug of the method.
    [[nodiscard]] std::uint64_t integer(std::string_view name) const {
        return values_.at(name).to_number<std::uint64_t>();
    }
    [[nodiscard]] std::uint64_t integer_or(std::string_view name, std::uint64_t otherwise) const {
        return has(name) ? integer(name) : otherwise;
    }
    [[nodiscard]] std::string text(std::string_view name) const {
        return std::string(values_.at(name).as_string());
    }
    [[nodiscard]] bool boolean(std::string_view name) const { return values_.at(name).as_bool(); }

  private:
    json::object values_;
};

/// A method of the interface.
struct RpcMethod {
    std::string name;
    std::string summary;
    std::vector<RpcParameter> parameters;
    std::function<Task<json::value>(RpcParams)> call;
};

/// JSON-RPC 2.0: takes the text of a request or a batch and gives the text of the answer.
class RpcDispatcher {
  public:
    /// Requests in one batch.
    static constexpr std::size_t kMaxBatch = 32;
    /// Nesting of a request's JSON.
    static constexpr std::size_t kMaxDepth = 16;

    /// Adds a method; names are unique.
    void add(RpcMethod method);

    /// All methods by name.
    [[nodiscard]] const std::map<std::string, RpcMethod, std::less<>>& methods() const noexcept {
        return methods_;
    }

    /// Answers whatever the text is, with an error object if need be; never throws because of the
    /// text. Nothing comes back if the text holds notifications only.
    Task<std::optional<std::string>> handle(std::string text) const;

  private:
    Task<std::optional<json::object>> answer(json::value request) const;
    Task<json::value> call(const json::object& request) const;

    std::map<std::string, RpcMethod, std::less<>> methods_;
};

}  // namespace gradient::node
