#pragma once

#include "node/rpc/json_rpc.hpp"

#include <boost/json/object.hpp>

namespace gradient::node {

/// The OpenRPC 1.2.6 document of all methods. Beyond that specification each method has
/// `x-permission`, the permission that a caller needs; `x-topics` are the topics of events, with
/// the schemas of their notifications, and `x-limits` the server's limits.
[[nodiscard]] boost::json::object openrpc_document(const RpcDispatcher& dispatcher);

}  // namespace gradient::node
