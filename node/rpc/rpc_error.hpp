#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gradient::node {

/// Codes of JSON-RPC 2.0 and of ours (-32000 to -32099). Never renumber.
enum class RpcErrorCode : std::int32_t {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    not_found = -32001,        ///< no such block, task, ...
    unavailable = -32002,      ///< not now: shutting down, no data yet, or too much at once
    forbidden = -32003,        ///< the caller's permission does not suffice
    too_large = -32004,        ///< the answer would be larger than is sent
    unauthorised = -32005,     ///< no credentials, or wrong ones; with HTTP status 401
    needs_websocket = -32006,  ///< the method tells of events and needs a WebSocket
};

/// What a code stands for, as the OpenRPC document tells it.
[[nodiscard]] std::string_view meaning_of(RpcErrorCode code) noexcept;

/// An answer of a method that is an error.
class RpcError : public std::runtime_error {
  public:
    RpcError(RpcErrorCode code, const std::string& message, boost::json::object data = {})
        : std::runtime_error(message), code_(code), data_(std::move(data)) {}
    [[nodiscard]] RpcErrorCode code() const noexcept { return code_; }
    /// The error's member `data`; empty: none.
    [[nodiscard]] const boost::json::object& data() const noexcept { return data_; }

  private:
    RpcErrorCode code_;
    boost::json::object data_;
};

/// A parameter that is wrong: `complaint` goes on after its name, "must be a whole number".
[[nodiscard]] RpcError invalid_parameter(std::string_view name, std::string_view complaint);

/// The error object of an answer, its id null unless told otherwise.
[[nodiscard]] boost::json::object error_answer(const RpcError& error,
                                               boost::json::value id = nullptr);

}  // namespace gradient::node
