#pragma once

#include "node/rpc/access.hpp"
#include "node/rpc/events.hpp"
#include "node/rpc/http_routes.hpp"
#include "node/rpc/json_rpc.hpp"

#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gradient::node {

using HttpMessage = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// Where a WebSocket is opened.
inline constexpr std::string_view kSocketPath = "/ws";

/// What all connections of an HTTP server share, and what their requests come to; no I/O.
struct HttpService {
    Access access;
    HttpRoutes routes;
    std::vector<std::string> hosts;  ///< names of this node beside localhost and IP addresses
    const RpcDispatcher& dispatcher;
    EventHub& events;
    /// Connections that have a request and not yet sent its answer.
    std::size_t answering = 0;
    std::size_t sockets = 0;
    /// Connections that have not shown credentials, and those that ask nothing now, oldest first:
    /// they make room for others, strangers first.
    std::list<boost::beast::tcp_stream*> strangers = {};
    std::list<boost::beast::tcp_stream*> idle = {};

    /// Who asks, or how he is refused: a stranger learns nothing else.
    [[nodiscard]] std::variant<RpcCaller, HttpResponse> admit(const HttpMessage& request) const;

    /// The answer of the route that the request names.
    Task<HttpResponse> answer(HttpMessage request, RpcCaller caller) const;
};

/// A refusal as a JSON-RPC error without an id; the connection is closed after it.
[[nodiscard]] HttpResponse refusal(boost::beast::http::status status, const RpcError& error);

/// How a request that could not be read is refused; nothing if nobody is there to be told.
[[nodiscard]] std::optional<HttpResponse> refusal_of(boost::beast::error_code error);

/// A connection's place in one of these lists, for as long as it lives.
class Listed {
  public:
    Listed(std::list<boost::beast::tcp_stream*>& list, boost::beast::tcp_stream& stream)
        : list_(list), stream_(stream) {
        list_.push_back(&stream_);
    }
    ~Listed() { list_.remove(&stream_); }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

  private:
    std::list<boost::beast::tcp_stream*>& list_;
    boost::beast::tcp_stream& stream_;
};

/// One more, for as long as it lives.
class Counted {
  public:
    explicit Counted(std::size_t& counter) noexcept : counter_(counter) { ++counter_; }
    ~Counted() { --counter_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    std::size_t& counter_;
};

}  // namespace gradient::node
