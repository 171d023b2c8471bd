#include "node/rpc/http_service.hpp"

#include "node/rpc/http_origin.hpp"
#include "node/rpc/rpc_limits.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace gradient::node {

namespace http = boost::beast::http;

namespace {

constexpr unsigned kHttp11 = 11;

std::string_view path_of(const HttpMessage& request) {
    const std::string_view target(request.target());
    return target.substr(0, target.find('?'));
}

// What a method that throws leaves to be said; the dispatcher catches what is JSON-RPC's.
HttpResponse failed() {
    return refusal(http::status::internal_server_error,
                   {RpcErrorCode::internal_error, "The request failed; see the node's log."});
}

}  // namespace

HttpResponse refusal(http::status status, const RpcError& error) {
    HttpResponse response(status, kHttp11);
    response.set(http::field::content_type, "application/json");
    response.keep_alive(false);
    response.body() = json::serialize(error_answer(error));
    response.prepare_payload();
    return response;
}

std::optional<HttpResponse> refusal_of(boost::beast::error_code error) {
    const auto invalid = [](http::status status, const std::string& sentence) {
        return refusal(status, {RpcErrorCode::invalid_request, sentence});
    };
    if (error == http::error::body_limit) {
        return invalid(http::status::payload_too_large,
                       fmt::format("The body limit is {} bytes.", kRpcBodyLimitBytes));
    }
    if (error == http::error::header_limit) {
        return invalid(http::status::request_header_fields_too_large,
                       fmt::format("The header limit is {} bytes.", kRpcHeaderLimitBytes));
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message)
        return std::nullopt;
    if (error.category() == http::make_error_code(http::error::end_of_stream).category())
        return invalid(http::status::bad_request, "This is not HTTP.");
    return std::nullopt;
}

std::variant<RpcCaller, HttpResponse> HttpService::admit(const HttpMessage& request) const {
    const std::string_view host = request[http::field::host];
    if (host.empty() && request.version() >= kHttp11) {
        return refusal(http::status::bad_request,
                       {RpcErrorCode::invalid_request, "The header Host is missing."});
    }
    if (!host.empty() && !names_this_node(host, hosts)) {
        return refusal(http::status::forbidden,
                       {RpcErrorCode::forbidden,
                        "The header Host does not name this node; --rpc-host adds names."});
    }
    const auto origin = request.find(http::field::origin);
    if (origin != request.end() && !is_same_origin(origin->value(), host)) {
        return refusal(http::status::forbidden,
                       {RpcErrorCode::forbidden, "Pages of another origin are not served."});
    }
    auto caller = access.authenticate(request[http::field::authorization]);
    if (caller) return *std::move(caller);
    auto response =
        refusal(http::status::unauthorized,
                {RpcErrorCode::unauthorised,
                 "The Authorization header has neither the cookie nor a user and his password."});
    response.set(http::field::www_authenticate, "Basic realm=\"gradient\"");
    return response;
}

Task<HttpResponse> HttpService::answer(HttpMessage request, RpcCaller caller) const {
    const std::string path(path_of(request));
    const HttpRoute* const route = routes.find(request.method(), path);
    if (route == nullptr) {
        const std::string verbs = path == kSocketPath ? "GET" : routes.verbs_of(path);
        if (verbs.empty()) {
            co_return refusal(http::status::not_found,
                              {RpcErrorCode::not_found, "There is no such path."});
        }
        auto response = refusal(http::status::method_not_allowed,
                                {RpcErrorCode::invalid_request,
                                 path == kSocketPath ? "This path is for WebSockets."
                                                     : "This path understands " + verbs + "."});
        response.set(http::field::allow, verbs);
        co_return response;
    }
    const unsigned version = request.version();
    const bool keep_alive = request.keep_alive();
    HttpRequest asked{path, std::move(request.body()), std::move(caller)};
    HttpAnswer answer;
    try {
        answer = co_await route->answer(std::move(asked));
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw;
        spdlog::error("RPC: {} {} failed: {}", to_string(route->verb), path, error.what());
        co_return failed();
    } catch (const std::exception& error) {
        spdlog::error("RPC: {} {} failed: {}", to_string(route->verb), path, error.what());
        co_return failed();
    }
    HttpResponse response(answer.status, version);
    if (!answer.body.empty()) response.set(http::field::content_type, answer.content_type);
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(keep_alive);
    response.body() = std::move(answer.body);
    response.prepare_payload();
    co_return response;
}

}  // namespace gradient::node
