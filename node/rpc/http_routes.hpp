#pragma once

#include "node/concurrency/task.hpp"
#include "node/rpc/method.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gradient::node {

/// A request of somebody who has been let in.
struct HttpRequest {
    std::string path;  ///< without the query
    std::string body;
    RpcCaller caller;
};

/// What it is answered.
struct HttpAnswer {
    boost::beast::http::status status = boost::beast::http::status::ok;
    std::string content_type = "application/json";
    std::string body;
};

/// What answers a path.
struct HttpRoute {
    boost::beast::http::verb verb = boost::beast::http::verb::get;
    std::string path;  ///< ending in "/*": all that begins so
    std::function<Task<HttpAnswer>(HttpRequest)> answer;
};

/// What the HTTP server serves; the first route that fits answers.
class HttpRoutes {
  public:
    void add(HttpRoute route) { routes_.push_back(std::move(route)); }

    /// Null if there is none.
    [[nodiscard]] const HttpRoute* find(boost::beast::http::verb verb, std::string_view path) const;

    /// The verbs that a path understands, "GET, POST"; empty if there is no such path.
    [[nodiscard]] std::string verbs_of(std::string_view path) const;

  private:
    std::vector<HttpRoute> routes_;
};

}  // namespace gradient::node
