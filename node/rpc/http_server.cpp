#include "node/rpc/http_server.hpp"

#include "node/concurrency/join.hpp"
#include "node/concurrency/task_group.hpp"
#include "node/setup/failure.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace gradient::node {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr auto kResult = asio::as_tuple(asio::use_awaitable);

// One more, for as long as it lives.
class Counted {
  public:
    explicit Counted(std::size_t& counter) noexcept : counter_(counter) { ++counter_; }
    ~Counted() { --counter_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

  private:
    std::size_t& counter_;
};

Response make_response(http::status status, unsigned version, bool keep_alive, std::string body) {
    Response response(status, version);
    response.set(http::field::content_type,
                 status == http::status::ok ? "application/json" : "text/plain");
    response.keep_alive(keep_alive);
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
}

}  // namespace

struct HttpServer::Impl {
    Impl(const asio::any_io_executor& executor, Authorise authorise_, Handler handler_)
        : acceptor(executor),
          connections(executor, kRpcMaxConnections),
          authorise(std::move(authorise_)),
          handler(std::move(handler_)) {}

    Task<> serve(beast::tcp_stream stream);
    Task<bool> serve_one(beast::tcp_stream& stream, beast::flat_buffer& buffer, bool first);
    Task<Response> respond(Request request);

    tcp::acceptor acceptor;
    TaskGroup connections;
    Authorise authorise;
    Handler handler;
    std::size_t answering = 0;  // connections that have a request and not yet sent its answer
};

Task<Response> HttpServer::Impl::respond(Request request) {
    const unsigned version = request.version();
    const auto refuse = [&](http::status status, std::string_view text) {
        return make_response(status, version, false, std::string(text) + "\n");
    };
    // The credentials come first: a stranger learns nothing else.
    if (!authorise(request[http::field::authorization])) {
        auto response = refuse(http::status::unauthorized,
                               "The Authorization header does not match the cookie file.");
        response.set(http::field::www_authenticate, "Basic realm=\"gradient\"");
        co_return response;
    }
    if (request.method() != http::verb::post) {
        auto response = refuse(http::status::method_not_allowed, "Use POST.");
        response.set(http::field::allow, "POST");
        co_return response;
    }
    if (request.target() != "/") co_return refuse(http::status::not_found, "The only path is /.");
    const bool keep_alive = request.keep_alive();
    auto body = co_await handler(std::move(request.body()));
    if (!body) co_return make_response(http::status::no_content, version, keep_alive, {});
    co_return make_response(http::status::ok, version, keep_alive, *std::move(body));
}

// One request and its answer; false when the connection is to end, as it is after a request without
// the credentials.
Task<bool> HttpServer::Impl::serve_one(beast::tcp_stream& stream, beast::flat_buffer& buffer,
                                       bool first) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kRpcBodyLimitBytes);
    parser.header_limit(kRpcHeaderLimitBytes);

    if (first) stream.expires_after(kRpcFirstRequestTimeout);
    if (buffer.size() == 0) {
        if (!first) stream.expires_after(kRpcIdleTimeout);
        const auto [error, size] =
            co_await stream.async_read_some(buffer.prepare(kRpcHeaderLimitBytes), kResult);
        if (error) co_return false;
        buffer.commit(size);
    }
    if (!first) stream.expires_after(kRpcTransferTimeout);
    const auto [read_error, read_size] = co_await http::async_read(stream, buffer, parser, kResult);
    static_cast<void>(read_size);
    std::optional<Response> response;
    std::optional<Counted> busy;
    constexpr unsigned kHttp11 = 11;
    if (read_error == http::error::body_limit) {
        response = make_response(http::status::payload_too_large, kHttp11, false,
                                 fmt::format("The body limit is {} bytes.\n", kRpcBodyLimitBytes));
    } else if (read_error == http::error::header_limit) {
        response =
            make_response(http::status::request_header_fields_too_large, kHttp11, false,
                          fmt::format("The header limit is {} bytes.\n", kRpcHeaderLimitBytes));
    } else if (read_error.category() ==
                   http::make_error_code(http::error::end_of_stream).category() &&
               read_error != http::error::end_of_stream &&
               read_error != http::error::partial_message) {
        response = make_response(http::status::bad_request, kHttp11, false, "This is not HTTP.\n");
    } else if (read_error) {
        co_return false;  // closed, timed out or cancelled: nobody to answer
    } else {
        stream.expires_never();  // a method sets its own limit
        busy.emplace(answering);
        response = co_await respond(parser.release());
    }
    stream.expires_after(kRpcTransferTimeout);
    const auto [write_error, write_size] = co_await http::async_write(stream, *response, kResult);
    static_cast<void>(write_size);
    co_return !write_error && response->keep_alive();
}

Task<> HttpServer::Impl::serve(beast::tcp_stream stream) {
    beast::flat_buffer buffer(kRpcHeaderLimitBytes + kRpcBodyLimitBytes);
    for (bool first = true; co_await serve_one(stream, buffer, first);) first = false;
    // Lets the peer read the last answer even if it was still sending a body that we refused.
    beast::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    constexpr std::size_t kDrainBytes = 4U << 20U;
    constexpr std::chrono::seconds kDrainTime{2};
    constexpr std::size_t kDrainStepBytes = 4096;
    stream.expires_after(kDrainTime);
    for (std::size_t drained = 0; drained < kDrainBytes;) {
        buffer.clear();
        const auto [error, size] =
            co_await stream.async_read_some(buffer.prepare(kDrainStepBytes), kResult);
        if (error) break;
        drained += size;
    }
}

HttpServer::HttpServer(const asio::any_io_executor& executor, const std::string& address,
                       std::uint16_t port, Authorise authorise, Handler handler)
    : impl_(std::make_unique<Impl>(executor, std::move(authorise), std::move(handler))) {
    try {
        const tcp::endpoint endpoint(asio::ip::make_address(address), port);
        auto& acceptor = impl_->acceptor;
        acceptor.open(endpoint.protocol());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen();
    } catch (const boost::system::system_error& error) {
        throw Failure(ExitCode::network, fmt::format("Cannot listen for RPC on {}:{}: {}; choose "
                                                     "another port with --rpc-port, or 0 for any "
                                                     "free one.",
                                                     address, port, error.code().message()));
    }
}

HttpServer::~HttpServer() = default;

asio::ip::tcp::endpoint HttpServer::endpoint() const {
    return impl_->acceptor.local_endpoint();
}

Task<> HttpServer::run() {
    constexpr std::chrono::milliseconds kPauseWhenFull{20};
    while (true) {
        if (impl_->connections.full()) {  // the rest waits in the kernel's queue
            co_await sleep_for(kPauseWhenFull);
            continue;
        }
        auto [error, socket] = co_await impl_->acceptor.async_accept(kResult);
        if (error == asio::error::operation_aborted) co_return;
        if (error) {  // out of descriptors, or the peer has gone already
            spdlog::warn("RPC: cannot accept a connection: {}", error.message());
            co_await sleep_for(kPauseWhenFull);
            continue;
        }
        impl_->connections.spawn(impl_->serve(beast::tcp_stream(std::move(socket))));
    }
}

Task<> HttpServer::close() {
    impl_->acceptor.close();
    // Answers on their way, the one to `stop` among them, may still arrive.
    constexpr std::chrono::milliseconds kPoll{5};
    constexpr std::chrono::seconds kGrace{2};
    const auto deadline = std::chrono::steady_clock::now() + kGrace;
    while (impl_->answering > 0 && std::chrono::steady_clock::now() < deadline) {
        co_await sleep_for(kPoll);
    }
    co_await impl_->connections.close();
}

}  // namespace gradient::node
