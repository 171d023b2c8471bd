#pragma once

#include "node/concurrency/task.hpp"
#include "node/rpc/method.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace gradient::node {

/// JSON-RPC 2.0: the table of methods, which takes the text of a request or a batch and gives the
/// text of the answer.
class RpcDispatcher {
  public:
    using Methods = std::map<std::string, RpcMethod, std::less<>>;

    /// Adds a method; names are unique.
    void add(RpcMethod method);

    /// All methods by name.
    [[nodiscard]] const Methods& methods() const noexcept { return methods_; }

    /// Answers whatever the text is, with an error object if need be; never throws because of the
    /// text. Nothing comes back if the text holds notifications only. A batch is answered one
    /// request after another, within kRpcMaxBatchTime and kRpcMaxBatchAnswerBytes.
    Task<std::optional<std::string>> handle(std::string text, RpcCaller caller) const;

  private:
    Task<std::string> answer_batch(json::array batch, RpcCaller caller) const;
    // With that error, if there is one, instead of calling the method.
    Task<std::optional<json::object>> answer(const json::value& request, const RpcCaller& caller,
                                             std::optional<RpcError> failure) const;
    Task<json::value> call(const json::object& request, const RpcCaller& caller) const;

    Methods methods_;
};

}  // namespace gradient::node
