#include "node/rpc/http_server.hpp"

#include "node/concurrency/join.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/rpc/http_connection.hpp"
#include "node/rpc/openrpc.hpp"
#include "node/setup/failure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace gradient::node {

namespace {

namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr auto kResult = asio::as_tuple(asio::use_awaitable);

}  // namespace

struct HttpServer::Impl {
    Impl(const asio::any_io_executor& executor, HttpService its_service)
        : acceptor(executor),
          connections(executor, kRpcMaxConnections),
          service(std::move(its_service)) {}

    void listen(const HttpPlace& place);
    void take(tcp::socket socket);
    void make_room();

    tcp::acceptor acceptor;
    std::optional<asio::ssl::context> tls;
    TaskGroup connections;
    HttpService service;
};

void HttpServer::Impl::listen(const HttpPlace& place) {
    try {
        const tcp::endpoint endpoint(asio::ip::make_address(place.address), place.port);
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen();
    } catch (const boost::system::system_error& error) {
        throw Failure(ExitCode::network,
                      fmt::format("Cannot listen for RPC on {}:{}: {}; choose "
                                  "another port with --rpc-port, or 0 for any "
                                  "free one.",
                                  place.address, place.port, error.code().message()));
    }
}

void HttpServer::Impl::take(tcp::socket socket) {
    boost::beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    PlainStream stream(std::move(socket));
    if (tls) {
        connections.spawn(
            HttpConnection<TlsStream>::serve(service, TlsStream(std::move(stream), *tls)));
    } else {
        connections.spawn(HttpConnection<PlainStream>::serve(service, std::move(stream)));
    }
}

// Who has a request stays. One that is closed leaves its lists by itself, a little later.
void HttpServer::Impl::make_room() {
    auto& list = service.strangers.empty() ? service.idle : service.strangers;
    if (list.empty()) return;
    PlainStream* const oldest = list.front();
    oldest->close();
    service.strangers.remove(oldest);
    service.idle.remove(oldest);
}

HttpServer::HttpServer(const asio::any_io_executor& executor, const HttpPlace& place, Access access,
                       HttpRoutes routes, const RpcDispatcher& dispatcher, EventHub& events)
    : impl_(std::make_unique<Impl>(executor, HttpService{std::move(access), std::move(routes),
                                                         place.hosts, dispatcher, events})) {
    if (place.tls) impl_->tls.emplace(server_tls(*place.tls));
    impl_->listen(place);
}

HttpServer::~HttpServer() = default;

asio::ip::tcp::endpoint HttpServer::endpoint() const {
    return impl_->acceptor.local_endpoint();
}

Task<> HttpServer::run() {
    constexpr std::chrono::milliseconds kPauseWhenFull{5};
    constexpr std::chrono::milliseconds kPauseAfterError{20};
    while (true) {
        auto [error, socket] = co_await impl_->acceptor.async_accept(kResult);
        if (error == asio::error::operation_aborted) co_return;
        if (error) {  // out of descriptors, or the peer has gone already
            spdlog::warn("RPC: cannot accept a connection: {}", error.message());
            co_await sleep_for(kPauseAfterError);
            continue;
        }
        while (impl_->connections.full()) {  // the rest waits in the kernel's queue
            impl_->make_room();
            co_await sleep_for(kPauseWhenFull);
        }
        impl_->take(std::move(socket));
    }
}

Task<> HttpServer::close() {
    impl_->acceptor.close();
    impl_->service.events.end();
    // Answers on their way, the one to `stop` among them, may still arrive.
    constexpr std::chrono::milliseconds kPoll{5};
    constexpr std::chrono::seconds kGrace{2};
    const auto deadline = std::chrono::steady_clock::now() + kGrace;
    while (impl_->service.answering + impl_->service.sockets > 0 &&
           std::chrono::steady_clock::now() < deadline) {
        co_await sleep_for(kPoll);
    }
    co_await impl_->connections.close();
}

HttpRoutes rpc_routes(const RpcDispatcher& dispatcher) {
    HttpRoutes routes;
    routes.add({http::verb::post, "/", [&dispatcher](HttpRequest request) -> Task<HttpAnswer> {
                    auto text = co_await dispatcher.handle(std::move(request.body),
                                                           std::move(request.caller));
                    if (!text) co_return HttpAnswer{http::status::no_content, {}, {}};
                    co_return HttpAnswer{http::status::ok, "application/json", *std::move(text)};
                }});
    routes.add({http::verb::get, "/openrpc.json", [&dispatcher](HttpRequest) -> Task<HttpAnswer> {
                    co_return HttpAnswer{http::status::ok, "application/json",
                                         json::serialize(openrpc_document(dispatcher))};
                }});
    return routes;
}

}  // namespace gradient::node
