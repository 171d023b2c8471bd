#pragma once

#include "node/concurrency/task.hpp"
#include "node/rpc/access.hpp"
#include "node/rpc/events.hpp"
#include "node/rpc/http_routes.hpp"
#include "node/rpc/json_rpc.hpp"
#include "node/rpc/tls.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gradient::node {

/// Where an HTTP server listens.
struct HttpPlace {
    std::string address;
    std::uint16_t port = 0;          ///< 0: any free one
    std::optional<TlsFiles> tls;     ///< nothing: plain
    std::vector<std::string> hosts;  ///< names of this node beside localhost and IP addresses
};

/// HTTP/1.1 with keep-alive, plain or TLS, for those whom `access` lets in: the routes, and at
/// kSocketPath WebSockets for JSON-RPC and events.
class HttpServer {
  public:
    /// Binds and listens. `executor` must run one handler at a time; `dispatcher` and `events` must
    /// outlive the server. Throws Failure with a sentence naming the address or file.
    HttpServer(const asio::any_io_executor& executor, const HttpPlace& place, Access access,
               HttpRoutes routes, const RpcDispatcher& dispatcher, EventHub& events);
    ~HttpServer();

    /// Where it listens; the port is the real one if 0 was asked for.
    [[nodiscard]] asio::ip::tcp::endpoint endpoint() const;

    /// Serves until cancelled.
    Task<> run();

    /// Ends all connections and waits for them; call after run() has ended.
    Task<> close();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// POST / for JSON-RPC and GET /openrpc.json for its document. The dispatcher must outlive them.
[[nodiscard]] HttpRoutes rpc_routes(const RpcDispatcher& dispatcher);

}  // namespace gradient::node
