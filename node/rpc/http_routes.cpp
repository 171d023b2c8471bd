#include "node/rpc/http_routes.hpp"

namespace gradient::node {

namespace {

bool fits(const HttpRoute& route, std::string_view path) {
    const std::string_view pattern = route.path;
    return pattern.ends_with("/*") ? path.starts_with(pattern.substr(0, pattern.size() - 1))
                                   : path == pattern;
}

}  // namespace

const HttpRoute* HttpRoutes::find(boost::beast::http::verb verb, std::string_view path) const {
    for (const HttpRoute& route : routes_) {
        if (route.verb == verb && fits(route, path)) return &route;
    }
    return nullptr;
}

std::string HttpRoutes::verbs_of(std::string_view path) const {
    std::string verbs;
    for (const HttpRoute& route : routes_) {
        if (!fits(route, path)) continue;
        if (!verbs.empty()) verbs += ", ";
        verbs += boost::beast::http::to_string(route.verb);
    }
    return verbs;
}

}  // namespace gradient::node
