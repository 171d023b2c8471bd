#pragma once

#include "node/concurrency/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gradient::node {

/// Limits of the RPC's HTTP side.
inline constexpr std::uint64_t kRpcBodyLimitBytes = 1U << 20U;
inline constexpr std::uint32_t kRpcHeaderLimitBytes = 8U << 10U;
inline constexpr std::size_t kRpcMaxConnections = 64;
/// To receive one request, and to send one answer.
inline constexpr std::chrono::seconds kRpcTransferTimeout{30};
/// For the whole first request of a connection: only who has the cookie may keep one for longer.
inline constexpr std::chrono::seconds kRpcFirstRequestTimeout{10};
/// A connection that asks nothing for so long is closed.
inline constexpr std::chrono::seconds kRpcIdleTimeout{120};

/// HTTP/1.1 with keep-alive: POST / only, with an Authorization header. What the body means is the
/// handler's affair.
class HttpServer {
  public:
    /// From a request's body to an answer's; nothing: 204 No Content.
    using Handler = std::function<Task<std::optional<std::string>>(std::string)>;
    /// Whether the value of the Authorization header is right.
    using Authorise = std::function<bool(std::string_view)>;

    /// Binds and listens. `executor` must run one handler at a time. Throws Failure(network) with a
    /// sentence naming the address.
    HttpServer(const asio::any_io_executor& executor, const std::string& address,
               std::uint16_t port, Authorise authorise, Handler handler);
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

}  // namespace gradient::node
